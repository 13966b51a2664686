// One junction: its picture, its movements, its approaches now and over the day.
import { all, get } from "./api.js";
import { classColour, timeChart, turningDiagram } from "./charts.js";
import { $, empty, fill, h, setText } from "./dom.js";
import { follow, isLive, sum } from "./live.js";
import { CLASSES, LEVELS, stateKind } from "./palette.js";
import { clock, number, t, tz, when } from "./words.js";

const id = decodeURIComponent(location.pathname.split("/").pop());
const state = { site: null, approaches: [], views: new Map(), shown: null, cameras: [], picture: null };

// Midnight of the site's clock, as a moment.
function midnight(now = new Date()) {
  const parts = Object.fromEntries(new Intl.DateTimeFormat("en-CA", { timeZone: tz, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" })
    .formatToParts(now).map((part) => [part.type, part.value]));
  const passed = Number(parts.hour) * 3600 + Number(parts.minute) * 60 + Number(parts.second);
  return { start: new Date(Math.floor(now.getTime() / 1000) * 1000 - passed * 1000), day: `${parts.year}-${parts.month}-${parts.day}` };
}

const nameOf = (approach) => state.approaches.find((each) => each.id === approach)?.name || approach;

function showPicture(camera) {
  if (!camera) return fill($("#picture"), empty(t("junction.no_camera"), t("junction.no_camera_step")));
  const ok = isLive(camera);
  const wanted = ok ? camera.camera : `${camera.camera}:${camera.state}`;
  if (state.picture !== wanted) {
    state.picture = wanted;
    if (ok) {
      const image = h("img", { src: `/v1/live/cameras/${camera.camera}/stream`, alt: t("junction.picture_of", { camera: camera.camera }) });
      image.addEventListener("error", () => { state.picture = null; }); // the next state opens it anew
      fill($("#picture"), image, h("span", { class: "age" }));
    } else {
      fill($("#picture"), h("div", {}, h("p", {}, h("strong", {}, `${t(`common.state_${camera.state === "live" ? "stalled" : camera.state}`)} · ${t("common.since", { time: when(camera.since ?? camera.heard_at) })}`)),
        h("p", {}, t("junction.no_picture", { reason: camera.reason })), h("p", { class: "small" }, t("junction.trying"))));
    }
  }
  const age = $("#picture .age");
  if (age) setText(age, t("junction.age", { age: number(camera.age_s, 1) }));
}

function showTabs() {
  fill($("#tabs"), state.cameras.length < 2 ? [] : state.cameras.map((camera) => h("button", {
    type: "button", "aria-pressed": String(camera.camera === state.shown), onclick: () => { state.shown = camera.camera; showTabs(); showNow(state.cameras); },
  }, camera.camera)));
}

// Movements are one camera's own; an approach's come from the camera that owns it.
function showMovements(cameras) {
  const movements = [];
  for (const camera of cameras) {
    const view = state.views.get(camera.camera);
    if (!view || !camera.movements) continue;
    const approach = new Map(view.gates.map((gate) => [gate.id, gate.approach ?? gate.id]));
    for (const movement of view.movements) {
      const from = approach.get(movement.from);
      const owner = state.approaches.find((each) => each.id === from)?.owner;
      if (owner && owner !== camera.camera) continue;
      movements.push({ from, to: approach.get(movement.to), turn: movement.turn, total: sum(camera.movements[movement.id]) });
    }
  }
  const since = cameras.map((camera) => camera.counts_since).filter(Boolean).sort()[0];
  setText($("#since"), since ? t("junction.diagram_since", { time: when(since) }) : "");
  if (!movements.length) return fill($("#diagram"), empty(t("junction.no_movements")));
  const arms = [...new Set(movements.flatMap((each) => [each.from, each.to]))].map((arm) => {
    const known = state.approaches.find((each) => each.id === arm);
    return { id: arm, name: known?.name || arm, bearing: known?.bearing ?? null };
  });
  return fill($("#diagram"), turningDiagram(arms, movements),
    h("div", { class: "turn-key" }, ["left", "through", "right", "u_turn"].map((turn) => h("span", {}, h("i", { class: turn }), t(`common.turn_${turn}`)))));
}

function showClasses(cameras) {
  const entering = Object.fromEntries(CLASSES.map((name) => [name, 0]));
  let known = false;
  for (const camera of cameras) {
    const gates = new Map((state.views.get(camera.camera)?.gates ?? []).map((gate) => [gate.id, gate.approach]));
    for (const [gate, ways] of Object.entries(camera.counts ?? {})) {
      const owner = state.approaches.find((each) => each.id === gates.get(gate))?.owner;
      if (owner && owner !== camera.camera) continue;
      known = true;
      for (const [name, count] of Object.entries(ways.in ?? {})) entering[name] += count;
    }
  }
  const most = Math.max(1, ...Object.values(entering));
  fill($("#classes"), !known ? empty(t("common.not_observed")) : [
    h("p", {}, h("span", { class: "figure" }, number(sum(entering))), ` ${t("junction.entering").toLowerCase()}`),
    CLASSES.filter((name) => entering[name] || name !== "unknown").map((name) => h("div", { class: "share" }, h("span", {}, t(`common.class_${name}`)),
      h("div", { class: "bar", "aria-hidden": "true" }, h("i", { class: name, style: { width: `${(100 * entering[name]) / most}%` } })), h("span", { class: "number" }, number(entering[name])))),
  ]);
}

function showApproaches(cameras) {
  const now = new Map();
  for (const camera of cameras) {
    if (!isLive(camera)) continue;
    for (const approach of camera.approaches) {
      const owner = state.approaches.find((each) => each.id === approach.approach)?.owner;
      if (!owner || owner === camera.camera) now.set(approach.approach, approach);
    }
  }
  const names = state.approaches.length ? state.approaches.map((each) => each.id) : [...now.keys()];
  fill($("#approaches tbody"), names.map((name) => {
    const found = now.get(name);
    return h("tr", {}, h("td", {}, nameOf(name)), h("td", {}, found?.level ? h("span", { class: "row" }, h("i", { class: `dot ${found.level}` }), t(`common.level_${found.level}`)) : h("span", { class: "muted" }, found ? t("common.level_none") : t("common.not_observed"))),
      h("td", { class: "number" }, number(found?.flow_per_h)), h("td", { class: "number" }, number(found?.density_per_km)), h("td", { class: "number" }, number(found?.space_mean_speed_kmh, 1)), h("td", { class: "number" }, number(found?.queue_m)));
  }));
  const levels = [...now.values()].map((each) => each.level).filter(Boolean);
  const worst = levels.sort((a, b) => LEVELS.indexOf(b) - LEVELS.indexOf(a))[0] ?? null;
  fill($("#level"), h("i", { class: `dot ${worst ?? ""}` }), t(`common.level_${worst ?? "none"}`));
}

function showHealth(cameras) {
  fill($("#health"), cameras.length ? cameras.map((camera) => h("div", { class: "line" }, h("strong", {}, camera.camera),
    h("span", { class: `chip ${stateKind(isLive(camera) ? "live" : camera.state === "live" ? "stalled" : camera.state)}` }, t(`common.state_${camera.state === "live" && camera.stale ? "stalled" : camera.state}`)),
    camera.since ? h("span", { class: "muted small" }, t("common.since", { time: when(camera.since) })) : null,
    camera.analysed_fps ? h("span", { class: "muted small" }, t("junction.frames", { analysed: number(camera.analysed_fps, 1), source: number(camera.source_fps, 1) })) : null,
    camera.reason ? h("span", { class: "small" }, camera.reason) : null)) : empty(t("junction.no_camera")));
}

function showNow(cameras) {
  const before = state.cameras.map((camera) => camera.camera).join();
  state.cameras = cameras.filter((camera) => camera.site === id);
  state.shown ??= state.cameras[0]?.camera ?? null;
  if (state.cameras.map((camera) => camera.camera).join() !== before) showTabs();
  showPicture(state.cameras.find((camera) => camera.camera === state.shown));
  showMovements(state.cameras);
  showClasses(state.cameras);
  showApproaches(state.cameras);
  showHealth(state.cameras);
}

async function showDay() {
  const { start, day } = midnight();
  const end = new Date();
  const period = `start=${encodeURIComponent(start.toISOString())}&end=${encodeURIComponent(end.toISOString())}&site=${id}`;
  const [junction, approaches, usual] = await Promise.all([all(`/v1/intervals/junctions?${period}`), all(`/v1/intervals/approaches?${period}`), get(`/v1/counts/usual/${id}/${day}`)]);
  const nothing = () => empty(t("junction.nothing_today"));
  const expected = new Map();
  for (const each of usual.items) if (each.entering !== null) expected.set(each.start, (expected.get(each.start) ?? 0) + each.entering);
  const entering = new Map();
  for (const each of approaches) if (each.count !== null) entering.set(each.start, (entering.get(each.start) ?? 0) + each.count);
  const accent = getComputedStyle(document.documentElement).getPropertyValue("--accent").trim();
  const series = [{ name: t("common.today"), colour: accent, kind: "bar", data: (junction.length ? junction.map((each) => [each.start, each.count ?? entering.get(each.start) ?? null]) : [...entering]) }];
  if (expected.size) series.push({ name: t("junction.usual", { days: number(Math.max(...usual.items.map((each) => each.days))) }), colour: classColour("bus"), dashed: true, data: [...expected] });
  if (series.some((each) => each.data.length)) timeChart($("#day-flow"), { title: t("junction.day_flow"), unit: t("junction.per_quarter"), series });
  else fill($("#day-flow"), nothing());
  const colours = [accent, classColour("motorcycle"), classColour("truck"), classColour("bicycle"), classColour("bus"), classColour("car")];
  const names = [...new Set(approaches.map((each) => each.approach))];
  const by = (figure) => names.map((name, index) => ({ name: nameOf(name), colour: colours[index % colours.length], data: approaches.filter((each) => each.approach === name).map((each) => [each.start, each[figure]]) }));
  if (names.length) {
    timeChart($("#day-density"), { title: t("junction.day_density"), unit: t("common.per_km"), series: by("density_per_km") });
    timeChart($("#day-queue"), { title: t("junction.day_queue"), unit: t("common.metres"), series: by("queue_max_m") });
  } else { fill($("#day-density"), nothing()); fill($("#day-queue"), nothing()); }
}

async function showIncidents() {
  const end = new Date();
  const page = await get(`/v1/incidents?site=${id}&start=${new Date(end - 86400e3).toISOString()}&end=${end.toISOString()}`);
  fill($("#incidents"), page.items.length ? page.items.slice(-12).reverse().map((each) => h("div", { class: "line" }, h("strong", {}, t(`junction.incident_${each.kind}`)),
    h("span", {}, each.approach ? nameOf(each.approach) : ""), h("span", { class: "muted small" }, `${clock(each.started_at)} – ${each.ended_at ? clock(each.ended_at) : t("junction.lasting")}`))) : empty(t("junction.no_incidents")));
}

function keep(task, seconds, node) {
  const run = () => task().catch((error) => { if (node && !node.hasChildNodes()) fill(node, h("p", { class: "notice bad" }, t("common.failed", { reason: error.message }))); }).finally(() => setTimeout(run, seconds * 1000));
  return run();
}

async function start() {
  state.site = await get(`/v1/sites/${id}`);
  document.title = `${state.site.name || id} · ngatu`;
  setText($("#name"), state.site.name || id);
  setText($("#place"), [state.site.ward, state.site.district, state.site.province].filter(Boolean).join(", "));
  $("#report").href = `/reports?site=${id}`;
  const owners = new Map((await all(`/v1/sites/${id}/owners`).catch(() => [])).map((each) => [each.approach, each.camera]));
  state.approaches = (await all(`/v1/sites/${id}/approaches`)).map((each) => ({ ...each, owner: owners.get(each.id) ?? null }));
  for (const camera of await all(`/v1/cameras?site=${id}`)) {
    if (camera.view_version) state.views.set(camera.id, (await get(`/v1/cameras/${camera.id}/view`)).view);
  }
  keep(showDay, 60, $("#day-flow"));
  keep(showIncidents, 15, $("#incidents"));
  follow(showNow, { alarm: () => showIncidents().catch(() => null) });
}

start().catch((error) => fill($("#main"), h("div", { class: "card" }, empty(t("common.failed", { reason: error.message }), h("a", { class: "button", href: "/" }, t("junction.all_junctions"))))));
