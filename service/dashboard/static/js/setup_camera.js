// A camera's view: proposed, drawn over its picture, tried on what passed, saved, and counted again with.
import { all, get, getResponse, post, put } from "./api.js";
import { $, fill, h, setText, toast } from "./dom.js";
import { Canvas } from "./editor/canvas.js";
import { asSaved, Drawing, fillMovements, takeProposal } from "./editor/drawing.js";
import { Panels } from "./editor/panels.js";
import { showTrial } from "./editor/trial.js";
import { follow, isLive } from "./live.js";
import { stateKind } from "./palette.js";
import { dateTime, number, t, when } from "./words.js";

const id = decodeURIComponent(location.pathname.split("/").pop());
const base = `/v1/cameras/${encodeURIComponent(id)}`;
const drawing = new Drawing();
const canvas = new Canvas($("#drawing"), drawing);
const panels = new Panels(drawing, canvas);
const state = { camera: null, saved: null, etag: null, ground: null, live: null, asked: 0 };

const period = (minutes) => { const end = new Date(); return { start: new Date(end - minutes * 60e3).toISOString(), end: end.toISOString() }; };

// While something is asked the button says so, and a second press does nothing; what fails is told.
async function during(button, task) {
  if (button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  $("#problem").hidden = true;
  try {
    await task();
  } catch (error) {
    tell(error.message);
  } finally {
    button.removeAttribute("aria-busy");
  }
}

function tell(text) {
  $("#problem").hidden = false;
  setText($("#problem"), text);
  $("#problem").scrollIntoView({ block: "nearest" });
}

// --- The picture -----------------------------------------------------------------------------------------

function showGround(which) {
  state.ground = which;
  for (const each of document.querySelectorAll("[data-ground]")) each.setAttribute("aria-pressed", String(each.dataset.ground === which));
  const image = $("#street");
  const there = which === "kept" || (state.live !== null && isLive(state.live));
  image.hidden = !there;
  $("#no-picture").hidden = there;
  if (there) image.src = which === "live" ? `/v1/live/cameras/${encodeURIComponent(id)}/stream` : `${base}/view/picture`;
  else image.removeAttribute("src");
}

$("#street").addEventListener("error", () => {
  $("#street").hidden = true;
  $("#no-picture").hidden = false;
});
$("#street").addEventListener("load", () => { const { naturalWidth, naturalHeight } = $("#street"); if (naturalWidth && state.ground === "kept") canvas.resize(naturalWidth, naturalHeight); });

function showNow(cameras) {
  const camera = cameras.find((each) => each.camera === id);
  if (!camera) return;
  const moved = camera.state === "moved";
  if (camera.width && camera.width !== state.live?.width) canvas.resize(camera.width, camera.height);
  state.live = camera;
  if (state.ground === "live" && $("#street").hidden === isLive(camera)) showGround("live"); // it came, or went
  const shown = camera.state === "live" && camera.stale ? "stalled" : camera.state;
  fill($("#state"), h("span", { class: `chip ${stateKind(isLive(camera) ? "live" : shown)}` }, t(`common.state_${shown}`)), camera.since ? h("span", { class: "muted small" }, t("common.since", { time: when(camera.since) })) : null);
  showDoubt(moved);
}

// A view that nobody has confirmed since the camera moved is not trusted: say so, and what to do.
function showDoubt(moved) {
  $("[data-ground=kept]").disabled = !state.saved?.picture;
  const doubt = state.saved?.picture && !state.saved.confirmed_at;
  $("#doubt").hidden = !(state.saved && (moved || doubt));
}

// --- The check, while it is drawn --------------------------------------------------------------------------

let due = null;
function checkSoon() {
  clearTimeout(due);
  due = setTimeout(check, 300);
}

async function check() {
  const number_ = ++state.asked;
  const sent = asSaved(drawing.view, panels.approaches);
  if (sent.calibration?.points && !sent.calibration.points.length) sent.calibration = null;
  let found;
  try {
    found = await post(`${base}/view/check`, sent);
  } catch (error) {
    tell(error.message);
    return;
  }
  if (number_ !== state.asked) return; // something newer is being asked
  panels.faults = found.faults;
  panels.check = found.calibration;
  canvas.ground = found.calibration;
  canvas.draw();
  panels.later();
  showSaving();
}

function showSaving() {
  const nothing = !drawing.view.gates.length;
  const faults = panels.faults.length;
  $("#undo").disabled = !drawing.canUndo;
  $("#redo").disabled = !drawing.canRedo;
  const proposed = drawing.view.proposed && !nothing;
  $("#save").disabled = nothing || faults > 0 || !(drawing.dirty || proposed || !state.saved);
  const dirty = drawing.dirty ? t("setup_camera.not_saved") : state.saved ? t("setup_camera.saved", { version: number(state.saved.view.version) }) : t("setup_camera.nothing_drawn");
  setText($("#status"), faults && !nothing ? t("setup_camera.faults", { count: number(faults) }) : dirty);
  $("#status").className = `chip ${faults && !nothing ? "bad" : drawing.dirty ? "warn" : state.saved ? "good" : ""}`;
  $("#begin").hidden = !nothing;
  $("#recount").disabled = !state.saved || drawing.dirty;
  $("#try").disabled = nothing || faults > 0;
}

// --- Loading, saving, versions ---------------------------------------------------------------------------

async function load() {
  const drawn = (await get(base)).view_version !== null;
  const answer = drawn ? await getResponse(`${base}/view`) : null;
  state.saved = answer ? await answer.json() : null;
  state.etag = answer?.headers.get("ETag") ?? null;
}

async function save() {
  const body = asSaved(drawing.view, panels.approaches);
  const attempt = async () => {
    const headers = state.etag ? { "If-Match": state.etag } : {};
    return put(`${base}/view`, body, { headers });
  };
  try {
    await attempt();
  } catch (error) {
    if (error.status !== 412 && error.status !== 428) throw error;
    // Its picture may have come meanwhile, which is no change of the drawing; a change by somebody is.
    const before = state.saved?.sha256 ?? null;
    await load();
    if ((state.saved?.sha256 ?? null) !== before) throw new Error(t("setup_camera.changed_meanwhile", { version: number(state.saved?.view.version) }));
    await attempt();
  }
  await load();
  drawing.load(state.saved.view);
  toast(t("setup_camera.saved_now", { version: number(state.saved.view.version) }));
  showDoubt(state.live?.state === "moved");
  showSaving();
  await showVersions();
}

async function showVersions() {
  const versions = (await all(`${base}/views`)).reverse();
  fill($("#versions"), versions.length ? h("ol", { class: "versions" }, versions.map((each) => h("li", {},
    h("div", {}, h("strong", {}, t("setup_camera.version", { version: number(each.view.version) })), " ", each.valid_to === null ? h("span", { class: "chip good" }, t("setup_camera.present")) : null),
    h("div", { class: "muted small" }, `${dateTime(each.valid_from)} – ${each.valid_to ? dateTime(each.valid_to) : t("common.now").toLowerCase()}`),
    h("div", { class: "small" }, t("setup_camera.has", { gates: number(each.view.gates.length), zones: number(each.view.zones.length), movements: number(each.view.movements.length) })),
    each.confirmed_at && each.confirmed_by ? h("div", { class: "muted small" }, t("setup_camera.confirmed", { time: dateTime(each.confirmed_at), who: each.confirmed_by.startsWith("ngatu:") ? "ngatu" : each.confirmed_by })) : null,
    h("button", { type: "button", onclick: () => takeVersion(each.view) }, t("setup_camera.take_version"))))) : h("p", { class: "muted" }, t("setup_camera.no_versions")));
}

// An earlier version is drawn again, to be saved as the next one.
function takeVersion(view) {
  drawing.part();
  drawing.edit((now) => { Object.assign(now, JSON.parse(JSON.stringify(view)), { version: now.version }); });
  drawing.select(null);
  toast(t("setup_camera.version_taken", { version: number(view.version) }));
}

// --- Buttons -----------------------------------------------------------------------------------------------

for (const button of document.querySelectorAll("[data-propose]")) {
  button.addEventListener("click", () => during(button, async () => {
    let proposal;
    try {
      proposal = await post(`${base}/view/propose`);
    } catch (error) {
      throw error.status === 409 ? new Error(t("setup_camera.nothing_passed")) : error;
    }
    drawing.part();
    drawing.edit((view) => takeProposal(view, proposal, panels.approaches));
    openTab("gates");
    toast(t("setup_camera.proposed", { gates: number(proposal.gates.length) }));
    if (!canvas.paths.length) $("#paths").click();
  }));
}

for (const button of document.querySelectorAll("[data-tool]")) {
  button.addEventListener("click", (event) => {
    const { tool } = button.dataset;
    if (tool === "rectangle" || tool === "point") $("#grid").checked || $("#grid").click();
    if (event.detail === 0) canvas.addInMiddle(tool); // by keyboard
    else canvas.use(canvas.tool === tool ? null : tool);
  });
}
canvas.onTool = (tool) => {
  for (const button of document.querySelectorAll("[data-tool]")) button.setAttribute("aria-pressed", String(button.dataset.tool === tool));
  setText($("#how"), tool ? t(`setup_camera.how_${tool}`) : t("setup_camera.how"));
  $("#close-zone").hidden = tool !== "zone";
};
$("#close-zone").addEventListener("click", () => canvas.closeZone());
$("#undo").addEventListener("click", () => drawing.undo());
$("#redo").addEventListener("click", () => drawing.redo());
$("#save").addEventListener("click", (event) => during(event.currentTarget, save));
$("#fill").addEventListener("click", () => { drawing.part(); drawing.edit((view) => fillMovements(view, canvas.size)); });
$("#confirm").addEventListener("click", (event) => during(event.currentTarget, async () => {
  await post(`${base}/view/confirm`);
  await load();
  $("#doubt").hidden = true;
  toast(t("setup_camera.confirmed_now"));
  await showVersions();
}));
$("#try").addEventListener("click", (event) => during(event.currentTarget, async () => {
  const view = asSaved(drawing.view, panels.approaches);
  const hour = period(60);
  const earlier = state.saved?.view ?? null;
  fill($("#trial"), h("p", {}, t("setup_camera.counting")));
  try {
    const counted = await post(`${base}/view/try`, { ...hour, view });
    const saved = earlier ? await post(`${base}/view/try`, { ...hour, view: earlier }) : null;
    showTrial($("#trial"), view, counted, earlier, saved);
  } catch (error) {
    fill($("#trial"));
    throw error.status === 409 ? new Error(t("setup_camera.nothing_kept")) : error;
  }
}));
$("#recount").addEventListener("click", (event) => during(event.currentTarget, async () => {
  setText($("#recounted"), t("setup_camera.counting"));
  try {
    const counted = await post(`${base}/recount`, period(60));
    setText($("#recounted"), t("setup_camera.recounted", { minutes: number(counted.observed_seconds / 60, 0), crossings: number(counted.crossings), version: number(state.saved.view.version) }));
  } catch (error) {
    setText($("#recounted"), "");
    throw error.status === 409 ? new Error(t("setup_camera.nothing_kept")) : error;
  }
}));
for (const button of document.querySelectorAll("[data-ground]")) button.addEventListener("click", () => showGround(button.dataset.ground));
$("#grid").addEventListener("change", (event) => { canvas.showGround = event.currentTarget.checked; canvas.draw(); });
$("#paths").addEventListener("change", async (event) => {
  canvas.paths = [];
  if (event.currentTarget.checked) {
    try {
      canvas.paths = (await get(`${base}/paths`)).paths;
    } catch (error) {
      $("#paths").checked = false;
      tell(error.status === 409 ? t("setup_camera.nothing_kept") : error.message);
    }
  }
  canvas.draw();
});

function openTab(name) {
  for (const tab of document.querySelectorAll("[role=tab]")) {
    const on = tab.dataset.tab === name;
    tab.setAttribute("aria-selected", String(on));
    tab.tabIndex = on ? 0 : -1;
    $(`#panel-${tab.dataset.tab}`).hidden = !on;
  }
  const metres = name === "metres";
  if (metres !== $("#grid").checked) { $("#grid").checked = metres; canvas.showGround = metres; canvas.draw(); }
}
const tabs = [...document.querySelectorAll("[role=tab]")];
for (const tab of tabs) {
  tab.addEventListener("click", () => openTab(tab.dataset.tab));
  tab.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    const next = tabs[(tabs.indexOf(tab) + by + tabs.length) % tabs.length];
    openTab(next.dataset.tab);
    next.focus();
  });
}

drawing.addEventListener("change", () => { checkSoon(); showSaving(); });
drawing.addEventListener("select", () => {
  const kind = drawing.selected?.kind;
  if (kind) openTab({ gate: "gates", zone: "zones", ground: "metres" }[kind]);
});
document.addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
  const key = event.key.toLowerCase();
  const typing = event.target.matches("input:not([type=checkbox]), textarea") && event.target.value !== event.target.defaultValue;
  if (typing && (key === "z" || key === "y")) return; // the field's own
  if (key === "z" && !event.shiftKey) drawing.undo();
  else if (key === "y" || (key === "z" && event.shiftKey)) drawing.redo();
  else if (key === "s") { if (!$("#save").disabled) $("#save").click(); } else return;
  event.preventDefault();
});
addEventListener("beforeunload", (event) => { if (drawing.dirty) { event.preventDefault(); event.returnValue = ""; } });

async function start() {
  state.camera = await get(base);
  document.title = `${state.camera.name || id} · ngatu`;
  setText($("#title"), state.camera.name || id);
  const [site, approaches] = await Promise.all([get(`/v1/sites/${encodeURIComponent(state.camera.site)}`), all(`/v1/approaches?site=${encodeURIComponent(state.camera.site)}`)]);
  fill($("#place"), h("a", { href: `/setup#${state.camera.site}` }, site.name || site.id), ` · ${id}`);
  panels.approaches = approaches;
  await load();
  const now = await get(`/v1/live/cameras/${encodeURIComponent(id)}`).catch(() => null);
  if (now) showNow([now]);
  if (state.saved) drawing.load(state.saved.view);
  else { panels.show(); showSaving(); }
  showGround(state.saved?.picture ? "kept" : "live");
  canvas.use(null);
  openTab("gates");
  await showVersions();
  $("#editor").removeAttribute("aria-busy");
  follow(showNow, {}, `/v1/live/events?camera=${encodeURIComponent(id)}`);
}

start().catch((error) => { tell(t("common.failed", { reason: error.message })); });
