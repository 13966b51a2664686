// The wall: everything at a glance, by itself.
import { all, freshest, get } from "./api.js";
import { Entering } from "./counts.js";
import { $, empty, fill, h, setText } from "./dom.js";
import { follow, isLive, shownState, sum } from "./live.js";
import { makeMap } from "./map.js";
import { CLASSES, LEVELS } from "./palette.js";
import { clock, language, longDay, number, percent, t, unknown, when } from "./words.js";

const PAINT_MS = 500;
const worst = (levels) => levels.reduce((found, level) => (LEVELS.indexOf(level) > LEVELS.indexOf(found) ? level : found), null);
const SEVERITY = ["information", "warning", "critical"];

const state = { sites: [], approaches: [], names: new Map(), cameras: null, alarms: [], map: null, painted: 0 };
const entering = new Entering([]);
const figure = (node, text) => { setText(node, text); node.classList.toggle("none", text === unknown); };
const nameOf = (id) => state.names.get(id) ?? id;
const shortName = (name) => name.replace(/^Ngã (ba|tư|năm|sáu|bảy) /, "");

// What each junction shows, from its cameras' newest states; a lost camera gives nothing, never zero.
function bySite(cameras) {
  const found = new Map();
  for (const camera of cameras) {
    if (!camera.site) continue;
    const site = found.get(camera.site) ?? { seen: false, levels: [], cameras: [] };
    if (isLive(camera)) {
      site.seen = true;
      site.levels.push(...camera.approaches.map((approach) => approach.level).filter(Boolean));
    }
    site.cameras.push(camera.camera);
    found.set(camera.site, site);
  }
  for (const site of found.values()) {
    site.level = worst(site.levels);
    site.minute = entering.minute(site.cameras);
  }
  return found;
}

function showFigures(cameras) {
  const minute = entering.minute(cameras.map((camera) => camera.camera));
  setText($("#minute-title"), !minute || minute.seconds >= 60 ? t("wall.minute") : t("wall.seconds", { seconds: number(minute.seconds) }));
  figure($("#minute"), number(minute?.total));
  fill($("#minute-classes"), !minute ? [] : CLASSES.filter((name) => minute.byClass[name]).map((name) =>
    h("span", {}, h("i", { class: `dot ${name}` }), `${t(`common.class_${name}`)} `, h("b", {}, number(minute.byClass[name])))));
  const counted = cameras.filter((camera) => entering.of(camera));
  const since = counted.map((camera) => camera.counts_since).sort()[0];
  setText($("#today-title"), since ? t("wall.since", { time: clock(since) }) : t("wall.today"));
  figure($("#today"), counted.length ? number(counted.reduce((found, camera) => found + sum(entering.of(camera)), 0)) : unknown);
  const live = cameras.filter(isLive);
  fill($("#cameras"), cameras.length ? [number(live.length), h("small", {}, ` / ${number(cameras.length)}`)] : unknown);
  $("#cameras").classList.toggle("none", !cameras.length);
  showLost(cameras.filter((camera) => !isLive(camera)));
}

// How many cameras have no picture, the newest three of them, and how many nobody has ever spoken for.
function showLost(lost) {
  const known = lost.filter((camera) => camera.since ?? camera.heard_at).sort((a, b) => (b.since ?? b.heard_at).localeCompare(a.since ?? a.heard_at));
  const silent = lost.length - known.length;
  fill($("#lost"),
    known.length ? h("p", {}, h("b", {}, t("wall.without_picture", { count: number(known.length) }))) : null,
    known.slice(0, 3).map((camera) => h("p", {}, t("wall.lost", { camera: shortName(nameOf(camera.site ?? camera.camera)), state: t(`common.state_${shownState(camera)}`), time: when(camera.since ?? camera.heard_at) }))),
    silent ? h("p", { class: "muted" }, t("wall.unheard", { count: number(silent) })) : null);
}

function showMap(found) {
  const alarmed = new Set(state.alarms.map((alarm) => alarm.site));
  const placed = state.sites.filter((site) => site.lat !== null && site.lon !== null);
  state.map?.suggest(placed, state.approaches);
  state.map?.show(placed.map((site) => {
    const now = found.get(site.id);
    const name = site.name || site.id;
    const level = now?.seen ? now.level : null;
    const lost = Boolean(now && !now.seen);
    const alarm = alarmed.has(site.id);
    const said = [name, lost ? t("wall.no_picture") : t(`common.level_${level ?? "none"}`), alarm ? t("wall.has_alarm") : null];
    return {
      id: site.id, lat: site.lat, lon: site.lon, key: site.is_key, href: `/junctions/${site.id}`, level, lost, alarm,
      label: now?.minute ? `${shortName(name)} · ${number(now.minute.total)}` : shortName(name), words: said.filter(Boolean).join(", "),
      rank: (alarm ? 100 : 0) + (level ? 10 * (1 + LEVELS.indexOf(level)) : 0) + (now?.seen ? 9 : 0) + (site.is_key ? 5 : 0),
    };
  }));
  const without = state.sites.length - placed.length;
  $("#unplaced").hidden = !without;
  setText($("#unplaced"), t("wall.no_position", { count: number(without) }));
}

// As many rows as there is room for; the last says how many more there are.
function fitted(node, rows, more) {
  fill(node, rows);
  const room = () => node.scrollHeight <= node.clientHeight + 1;
  for (let shown = rows.length - 1; shown > 0 && !room(); shown -= 1) fill(node, rows.slice(0, shown), h("p", { class: "muted" }, t(more, { count: number(rows.length - shown) })));
}

function showBusiest(found) {
  const rows = [...found].filter(([, now]) => now.seen && now.minute).sort((a, b) => b[1].minute.total - a[1].minute.total);
  if (!rows.length) return fill($("#busiest"), empty(t("wall.not_yet"), t("wall.not_yet_step")));
  return fitted($("#busiest"), rows.slice(0, 12).map(([id, { level, minute }]) => h("div", { class: "busiest" },
    h("i", { class: `dot ${level ?? ""}` }), h("a", { href: `/junctions/${id}` }, shortName(nameOf(id))), h("span", { class: "figure" }, number(minute.total)),
    h("span", { class: "muted" }, t(`common.level_${level ?? "none"}`)))), "wall.more_junctions");
}

function paint() {
  state.painted = Date.now();
  if (!state.cameras) return;
  const found = bySite(state.cameras);
  showFigures(state.cameras);
  showMap(found);
  showBusiest(found);
}

// At most twice a second, however often something comes.
let waiting = null;
function repaint() {
  waiting ??= setTimeout(() => { waiting = null; paint(); }, Math.max(0, state.painted + PAINT_MS - Date.now()));
}

async function showCoverage() {
  const report = await get("/v1/coverage");
  const figures = report.figures.find((each) => each.kind === "junction");
  const share = figures?.effective ?? null;
  figure($("#coverage"), percent(share));
  $("#coverage-bar").style.width = `${100 * (share ?? 0)}%`;
  setText($("#coverage-words"), share === null ? t("wall.no_key") : `${t("wall.coverage_of", { watched: number(Math.round(share * figures.sites)), all: number(figures.sites) })} · ${t("common.of_target", { share: percent(figures.target ?? 1) })}`);
}

async function showAlarms() {
  const items = await freshest("alarms", all(`/v1/alarms?open=true&language=${language}`, 500));
  if (!items) return null;
  const order = (alarm) => [SEVERITY.indexOf(alarm.severity), alarm.acknowledged_at ? 0 : 1, Date.parse(alarm.raised_at)];
  state.alarms = items.sort((a, b) => { const [x, y] = [order(a), order(b)]; return y[0] - x[0] || y[1] - x[1] || y[2] - x[2]; });
  setText($("#alarm-count"), items.length ? number(items.length) : "");
  if (!items.length) return fill($("#alarms"), h("p", { class: "calm" }, t("wall.no_alarms")));
  return fitted($("#alarms"), state.alarms.slice(0, 12).map((alarm) => h("a", { class: `alarm ${alarm.severity}`, href: "/alarms" },
    h("strong", {}, alarm.title), h("span", { class: "at" }, when(alarm.raised_at)),
    h("span", { class: "where" }, [alarm.site ? shortName(nameOf(alarm.site)) : null, alarm.acknowledged_at ? t("wall.acknowledged") : null].filter(Boolean).join(" · ")))), "wall.more_alarms");
}

async function showCity() {
  const [sites, approaches, gates] = await Promise.all([all("/v1/sites?kind=junction"), all("/v1/approaches"), all("/v1/gates")]);
  Object.assign(state, { sites, approaches, names: new Map(sites.map((site) => [site.id, site.name || site.id])) });
  entering.know(gates);
  $("#first").hidden = sites.length > 0;
  if (state.cameras) entering.take(state.cameras);
  repaint();
}

// Something that cannot be read now is tried again; what is shown stays, visibly old.
function keep(task, seconds, node) {
  const run = () => task().then(() => node.classList.remove("stale"), (error) => {
    node.classList.add("stale");
    if (!node.hasChildNodes()) fill(node, h("p", {}, t("common.failed", { reason: error.message })));
  }).finally(() => setTimeout(run, seconds * 1000));
  return run();
}

function tell() {
  setText($("#clock"), clock(new Date()));
  setText($("#day"), longDay(new Date()));
}

fill($("#legend"), [...LEVELS, "none"].map((level) => h("span", {}, h("i", { class: `dot ${level}` }), t(`common.level_${level}`))), h("span", {}, h("i", { class: "dot lost" }), t("wall.no_picture")));
tell();
setInterval(tell, 1000);
state.map = await makeMap($("#map"), [$(".now"), $("#legend"), $("#unplaced")]);
await keep(showCity, 60, $("#busiest"));
showMap(new Map());
showBusiest(new Map());
keep(showCoverage, 30, $("#coverage-words"));
keep(showAlarms, 5, $("#alarms"));
follow((cameras) => {
  state.cameras = cameras;
  entering.take(cameras);
  repaint();
}, { alarm: () => showAlarms().catch(() => null) });
