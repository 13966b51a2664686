// One junction: its picture, its movements, its approaches now and over the day.
import { all, get } from "./api.js";
import { Entering } from "./counts.js";
import { said, turningDiagram } from "./turning.js";
import { $, empty, fill, h, setText } from "./dom.js";
import { showDay } from "./junction_day.js";
import { follow, isLive, shownState, sum, why } from "./live.js";
import { CLASSES, LEVELS, stateKind } from "./palette.js";
import { clock, number, t, when } from "./words.js";

const PAINT_MS = 1000;
const TURNS = ["left", "through", "right", "u_turn"];
const id = decodeURIComponent(location.pathname.split("/").pop());
const state = { site: null, approaches: [], gates: [], views: new Map(), names: new Map(), cameras: [], shown: null, picture: null, told: {}, painted: 0, waiting: null };
const entering = new Entering([]);
const may = (role) => ["viewer", "operator", "engineer", "administrator"].indexOf(document.documentElement.dataset.role) >= ["viewer", "operator", "engineer", "administrator"].indexOf(role);

const nameOf = (approach) => state.approaches.find((each) => each.id === approach)?.name || approach;
const cameraName = (camera) => state.names.get(camera) || camera;
const speaks = (camera, approach) => state.gates.some((each) => each.camera === camera && each.approach === approach && each.speaks);

// Fills a part only when what it tells has changed: nothing flickers, nothing that is open closes.
function tell(node, key, make) {
  const told = JSON.stringify(key);
  if (state.told[node.id] === told) return;
  state.told[node.id] = told;
  fill(node, make());
}

function showPicture(camera) {
  const node = $("#picture");
  if (!camera) {
    return tell(node, "none", () => empty(t("junction.no_camera"), may("engineer") ? h("a", { class: "button", href: "/setup" }, t("junction.no_camera_step")) : null));
  }
  const ok = isLive(camera);
  tell(node, [camera.camera, ok || [shownState(camera), camera.since, camera.heard_at, camera.reason]], () => {
    if (!ok) return lost(camera);
    const image = h("img", { src: `/v1/live/cameras/${encodeURIComponent(camera.camera)}/stream`, alt: t("junction.picture_of", { camera: cameraName(camera.camera) }) });
    image.addEventListener("error", () => setTimeout(() => { state.told.picture = null; }, 2000)); // the next state opens it anew
    return [image, h("span", { class: "age" })];
  });
  const age = $("#picture .age");
  if (age) setText(age, t("junction.age", { age: number(camera.age_s, 1) }));
}

function lost(camera) {
  const since = camera.since ?? camera.heard_at;
  const unheard = !since && !camera.worker;
  return h("div", {}, h("p", { class: "lost-state" }, t(`common.state_${shownState(camera)}`)), since ? h("p", {}, t("common.since", { time: when(since) })) : null,
    unheard ? h("p", {}, t("junction.unheard")) : [camera.reason ? h("p", { class: "small" }, why(camera)) : null, h("p", {}, t("junction.trying"))]);
}

function showTabs() {
  tell($("#tabs"), [state.shown, state.cameras.map((camera) => camera.camera)], () => (state.cameras.length < 2 ? [] : state.cameras.map((camera) => h("button", {
    type: "button", "aria-pressed": String(camera.camera === state.shown), onclick: () => { state.shown = camera.camera; paint(); },
  }, cameraName(camera.camera)))));
}

// Movements are one camera's own; those from an approach come from the camera that speaks for it.
function movementsOf(cameras) {
  const found = [];
  for (const camera of cameras) {
    const view = state.views.get(camera.camera);
    if (!view || !camera.movements) continue;
    const approach = new Map(view.gates.map((gate) => [gate.id, gate.approach]));
    for (const movement of view.movements ?? []) {
      const from = approach.get(movement.from), to = approach.get(movement.to);
      if (from && to && speaks(camera.camera, from)) found.push({ from, to, turn: movement.turn, total: camera.counts_since ? sum(camera.movements[movement.id]) : null }); // not counted is not 0
    }
  }
  return found;
}

function showMovements(cameras) {
  const movements = movementsOf(cameras);
  const since = cameras.map((camera) => camera.counts_since).filter(Boolean).sort()[0];
  setText($("#since"), movements.length && since ? t("common.since", { time: when(since) }) : "");
  const wasOpen = $("#diagram details")?.open ?? false;
  tell($("#diagram"), [movements, state.approaches], () => {
    if (!movements.length) return empty(t("junction.no_movements"), t(state.views.size ? "junction.no_movements_live" : "junction.no_movements_step"));
    const named = new Set(movements.flatMap((each) => [each.from, each.to]));
    const arms = [...new Set([...state.approaches.map((each) => each.id), ...named])].map((arm) => {
      const known = state.approaches.find((each) => each.id === arm);
      return { id: arm, name: known?.name || arm, bearing: known?.bearing ?? null };
    });
    const byId = new Map(arms.map((arm) => [arm.id, arm]));
    return [turningDiagram(arms, movements),
      h("div", { class: "turn-key" }, TURNS.map((turn) => h("span", {}, h("i", { class: turn }), t(`common.turn_${turn}`)))),
      h("details", { class: "small", open: wasOpen }, h("summary", {}, t("common.show_table")), h("ul", {}, movements.map((each) => h("li", {}, said(each, byId)))))];
  });
}

function showClasses(cameras) {
  const counted = cameras.map((camera) => entering.of(camera)).filter(Boolean);
  const byClass = Object.fromEntries(CLASSES.map((name) => [name, counted.reduce((found, each) => found + (each[name] ?? 0), 0)]));
  const total = sum(byClass);
  tell($("#classes"), [counted.length > 0, byClass], () => (!counted.length ? empty(t("common.not_observed"), t("junction.no_counts_step")) : [
    h("p", {}, h("span", { class: "figure" }, number(total)), ` ${t("junction.entering")}`),
    CLASSES.filter((name) => byClass[name] || name !== "unknown").map((name) => h("div", { class: "share" }, h("span", {}, t(`common.class_${name}`)),
      h("div", { class: "bar", "aria-hidden": "true" }, h("i", { class: name, style: { width: `${total ? (100 * byClass[name]) / total : 0}%` } })), h("span", { class: "number" }, number(byClass[name])))),
  ]));
}

function showApproaches(cameras) {
  const now = new Map();
  for (const camera of cameras) {
    if (!isLive(camera)) continue;
    for (const approach of camera.approaches) if (speaks(camera.camera, approach.approach)) now.set(approach.approach, approach);
  }
  const names = state.approaches.length ? state.approaches.map((each) => each.id) : [...now.keys()];
  const figure = (found, name, decimals = 0) => h("td", { class: "number" }, found ? number(found[name], decimals) : "—");
  tell($("#approaches-body"), [names, [...now]], () => (!names.length ? h("tr", {}, h("td", { colspan: 6 }, empty(t("junction.no_approaches")))) : names.map((name) => {
    const found = now.get(name);
    return h("tr", {}, h("th", { scope: "row" }, nameOf(name)),
      h("td", {}, found?.level ? h("span", { class: "level" }, h("i", { class: `dot ${found.level}` }), t(`common.level_${found.level}`)) : h("span", { class: "muted" }, t(found ? "common.level_none" : "common.not_observed"))),
      figure(found, "flow_per_h"), figure(found, "density_per_km"), figure(found, "space_mean_speed_kmh", 1), figure(found, "queue_m"));
  })));
  const worst = [...now.values()].map((each) => each.level).filter(Boolean).sort((a, b) => LEVELS.indexOf(b) - LEVELS.indexOf(a))[0] ?? null;
  tell($("#level"), [worst, now.size > 0], () => [h("i", { class: `dot ${worst ?? ""}` }), t(now.size ? `common.level_${worst ?? "none"}` : "common.not_observed")]);
}

function showHealth(cameras) {
  const rows = cameras.map((camera) => [camera.camera, shownState(camera), camera.since, why(camera), isLive(camera) && camera.analysed_fps ? number(camera.analysed_fps, 1) : null, number(camera.source_fps, 1), camera.stream === "sub"]);
  tell($("#health"), rows, () => (rows.length ? rows.map(([name, now, since, reason, analysed, source, sub]) => h("div", { class: "line" }, h("strong", {}, cameraName(name)),
    h("span", { class: `chip ${stateKind(now)}` }, t(`common.state_${now}`)), since ? h("span", { class: "muted small" }, t("common.since", { time: when(since) })) : null,
    analysed ? h("span", { class: "muted small" }, t("junction.frames", { analysed, source })) : null, sub ? h("span", { class: "chip" }, t("junction.substream")) : null,
    may("engineer") ? h("a", { class: "small", href: `/setup/cameras/${encodeURIComponent(name)}` }, t("common.setup")) : null,
    reason && now !== "live" && since ? h("span", { class: "small wide" }, reason) : null)) : empty(t("junction.no_camera"))));
}

function paint() {
  state.painted = Date.now();
  showTabs();
  showPicture(state.cameras.find((camera) => camera.camera === state.shown));
  showMovements(state.cameras);
  showClasses(state.cameras);
  showApproaches(state.cameras);
  showHealth(state.cameras);
}

function take(cameras) {
  state.cameras = cameras.filter((camera) => camera.site === id);
  if (!state.cameras.some((camera) => camera.camera === state.shown)) state.shown = (state.cameras.find(isLive) ?? state.cameras[0])?.camera ?? null;
  state.waiting ??= setTimeout(() => { state.waiting = null; paint(); }, Math.max(0, state.painted + PAINT_MS - Date.now()));
}

async function showIncidents() {
  const end = new Date();
  const items = await all(`/v1/incidents?site=${encodeURIComponent(id)}&start=${new Date(end - 86400e3).toISOString()}&end=${end.toISOString()}`, 1000);
  const newest = items.sort((a, b) => b.started_at.localeCompare(a.started_at)).slice(0, 12);
  tell($("#incidents"), newest, () => (newest.length ? newest.map((each) => h("div", { class: "line" }, h("strong", {}, t(`junction.incident_${each.kind}`)),
    h("span", {}, each.approach ? nameOf(each.approach) : ""), h("span", { class: each.ended_at ? "muted small" : "chip warn" }, each.ended_at ? `${when(each.started_at)} – ${clock(each.ended_at)}` : t("junction.lasting", { time: when(each.started_at) })))) : empty(t("junction.no_incidents"))));
}

// What cannot be read is tried again; until it has been read once, the reason stands there.
function keep(task, seconds, node) {
  const run = () => task().then(() => node.classList.remove("stale"), (error) => {
    if (node.childElementCount && !node.querySelector(".loading, .notice")) node.classList.add("stale");
    else fill(node, h("p", { class: "notice bad" }, t("common.failed", { reason: error.message })));
  }).finally(() => setTimeout(run, seconds * 1000));
  return run();
}

async function showSite() {
  state.site = await get(`/v1/sites/${encodeURIComponent(id)}`);
  const name = state.site.name || id;
  document.title = `${name} · ngatu`;
  setText($("#name"), name);
  setText($("#place"), [state.site.ward, state.site.district, state.site.province].filter(Boolean).join(", "));
  $("#report").href = `/reports?site=${encodeURIComponent(id)}`;
  const query = `site=${encodeURIComponent(id)}`;
  const [approaches, gates, cameras] = await Promise.all([all(`/v1/approaches?${query}`), all(`/v1/gates?${query}`), all(`/v1/cameras?${query}`)]);
  const views = await Promise.all(cameras.filter((each) => each.view_version !== null).map((each) => get(`/v1/cameras/${encodeURIComponent(each.id)}/view`).catch(() => null)));
  Object.assign(state, { approaches, gates, names: new Map(cameras.map((each) => [each.id, each.name])), views: new Map(views.filter(Boolean).map((each) => [each.camera, each.view])) });
  entering.know(gates);
}

async function start() {
  await showSite();
  keep(() => showDay(id, nameOf), 60, $("#day-flow"));
  keep(showIncidents, 15, $("#incidents"));
  setInterval(() => showSite().catch(() => null), 60_000);
  follow(take, { alarm: () => showIncidents().catch(() => null) }, `/v1/live/events?site=${encodeURIComponent(id)}`);
}

start().catch((error) => fill($("#main"), h("div", { class: "card empty" }, h("h1", {}, error.status === 404 ? t("junction.not_found", { id }) : t("common.failed", { reason: error.message })),
  h("p", {}, h("a", { class: "button primary", href: "/" }, t("junction.all_junctions")), " ", h("button", { type: "button", onclick: () => location.reload() }, t("common.retry"))))));
