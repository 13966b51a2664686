// Sites, their approaches and cameras: what there is, how it stands, and every change of it.
import { all, get, getResponse, post, put, remove } from "./api.js";
import { $, empty, fill, h, toast } from "./dom.js";
import { follow, isLive, why } from "./live.js";
import { stateKind } from "./palette.js";
import { approachForm, cameraForm, siteForm } from "./setup_forms.js";
import { number, t } from "./words.js";

const state = { sites: [], approaches: [], cameras: [], owners: [], views: new Map(), live: new Map(), open: new Set() };
const path = (...parts) => `/v1/${parts.map(encodeURIComponent).join("/")}`;

// --- How it stands ---------------------------------------------------------------------------------------

function viewState(camera) {
  const view = state.views.get(camera.id);
  if (!view) return { name: "none", kind: "bad", version: null };
  const moved = state.live.get(camera.id)?.state === "moved" || (view.picture && !view.confirmed_at);
  if (moved) return { name: "moved", kind: "warn", version: view.version };
  if (view.proposed) return { name: "proposed", kind: "warn", version: view.version };
  return { name: view.confirmed_at ? "confirmed" : "drawn", kind: "good", version: view.version };
}

// What somebody has to do there: cameras without address or view, arms that nobody speaks for.
function work(site) {
  const cameras = state.cameras.filter((each) => each.site === site.id);
  const undrawn = site.kind === "junction" ? cameras.filter((each) => viewState(each).kind !== "good") : [];
  const owned = new Set(state.owners.filter((each) => each.site === site.id).map((each) => each.approach));
  const silent = state.approaches.filter((each) => each.site === site.id && each.required && !owned.has(each.id));
  const without = cameras.filter((each) => !each.address);
  return new Set([...undrawn, ...without].map((each) => each.id)).size + silent.length + (cameras.length ? 0 : 1);
}

function shownState(camera) {
  const live = state.live.get(camera.id);
  if (!live) return h("span", { class: "chip unknown" }, t("common.state_unknown"));
  const name = live.state === "live" && live.stale ? "stalled" : live.state;
  return h("span", { class: `chip ${stateKind(isLive(live) ? "live" : name)}`, title: why(live) }, t(`common.state_${name}`));
}

// --- The list ------------------------------------------------------------------------------------------------

function cameraRow(site, camera) {
  const view = viewState(camera);
  const name = camera.name || camera.id;
  return h("tr", {}, h("th", { scope: "row" }, h("strong", {}, name), camera.name ? h("div", { class: "muted small" }, camera.id) : null),
    h("td", { class: "address" }, camera.address ? h("code", {}, camera.address) : h("span", { class: "chip warn" }, t("setup.no_address")), camera.substream ? h("div", { class: "muted small" }, t("setup.with_substream")) : null),
    h("td", {}, site.kind === "junction" ? h("span", { class: `chip ${view.kind}` }, t(`setup.view_${view.name}`, { version: number(view.version) })) : h("span", { class: "muted" }, t("setup.view_not_needed"))),
    h("td", { "data-health": camera.id }, shownState(camera)),
    h("td", {}, h("div", { class: "row actions-cell" },
      site.kind === "junction" ? h("a", { class: "button", href: `/setup/cameras/${camera.id}`, "aria-label": t("setup.draw_named", { name }) }, t("setup.draw")) : null,
      h("button", { type: "button", "aria-label": t("setup.edit_named", { name }), onclick: () => editCamera(site, camera) }, t("common.edit")),
      h("button", { type: "button", class: "danger", "aria-label": t("setup.end_named", { name }), onclick: () => end(name, path("cameras", camera.id)) }, t("setup.end")))));
}

function ownerChoice(site, approach) {
  const owner = state.owners.find((each) => each.site === site.id && each.approach === approach.id)?.camera ?? "";
  const cameras = state.cameras.filter((each) => each.site === site.id);
  const name = approach.name || approach.id;
  const node = h("select", { "aria-label": t("setup.owner_of", { name }) }, h("option", { value: "" }, t("setup.no_owner")),
    cameras.map((each) => h("option", { value: each.id, selected: each.id === owner }, each.approaches.includes(approach.id) ? each.id : t("setup.no_owner_seen", { camera: each.id }))));
  node.addEventListener("change", async () => {
    const at = path("sites", site.id, "approaches", approach.id, "owner");
    try {
      const before = owner ? await getResponse(at) : null;
      const headers = before ? { "If-Match": before.headers.get("ETag") } : {};
      if (node.value) await put(at, { site: site.id, approach: approach.id, camera: node.value }, { headers });
      else if (before) await remove(at, { headers });
      toast(t("setup.owner_saved"));
    } catch (error) {
      toast(error.message);
    }
    await load();
  });
  return node;
}

function approachRow(site, approach) {
  const name = approach.name || approach.id;
  return h("tr", {}, h("th", { scope: "row" }, h("strong", {}, name), approach.name ? h("div", { class: "muted small" }, approach.id) : null),
    h("td", { class: "number" }, approach.bearing === null ? "—" : `${number(approach.bearing)}°`), h("td", { class: "number" }, number(approach.lanes)), h("td", { class: "number" }, number(approach.width_m, 1)),
    h("td", {}, t(approach.required ? "common.yes" : "common.no")), h("td", {}, ownerChoice(site, approach)),
    h("td", {}, h("div", { class: "row actions-cell" }, h("button", { type: "button", "aria-label": t("setup.edit_named", { name }), onclick: () => editApproach(site, approach) }, t("common.edit")),
      h("button", { type: "button", class: "danger", "aria-label": t("setup.end_named", { name }), onclick: () => end(name, path("sites", site.id, "approaches", approach.id)) }, t("setup.end")))));
}

const heads = (...names) => h("thead", {}, h("tr", {}, names.map(([key, numeric]) => h("th", { scope: "col", class: numeric ? "number" : null }, t(key)))));

function siteBody(site) {
  const cameras = state.cameras.filter((each) => each.site === site.id);
  const approaches = state.approaches.filter((each) => each.site === site.id);
  return [
    h("div", { class: "row site-actions" }, h("button", { type: "button", class: "primary", onclick: () => editCamera(site, null) }, t("setup.add_camera")),
      site.kind === "junction" ? h("button", { type: "button", onclick: () => editApproach(site, null) }, t("setup.add_approach")) : null,
      h("button", { type: "button", onclick: () => editSite(site) }, t("setup.edit_site")),
      h("button", { type: "button", class: "danger", onclick: () => end(site.name || site.id, path("sites", site.id)) }, t("setup.end_site")),
      site.kind === "junction" ? h("a", { href: `/junctions/${site.id}` }, t("setup.to_map")) : null),
    h("h3", {}, t("setup.cameras")), cameras.length ? h("div", { class: "scroll" }, h("table", {}, heads(["common.camera"], ["setup.address"], ["setup.view"], ["setup.health"], ["setup.actions"]), h("tbody", {}, cameras.map((each) => cameraRow(site, each))))) : h("p", { class: "muted" }, t("setup.no_cameras")),
    site.kind === "junction" ? [h("h3", {}, t("setup.approaches")), approaches.length ? h("div", { class: "scroll" }, h("table", {}, heads(["common.approach"], ["setup.bearing", true], ["setup.lanes", true], ["setup.width", true], ["setup.required"], ["setup.owner"], ["setup.actions"]), h("tbody", {}, approaches.map((each) => approachRow(site, each))))) : h("p", { class: "muted" }, t("setup.no_approaches"))] : null,
  ];
}

function siteCard(site) {
  const cameras = state.cameras.filter((each) => each.site === site.id);
  const left = work(site);
  const body = h("div", { class: "site-body" });
  const node = h("details", { class: "card site", id: site.id }, h("summary", {}, h("h2", {}, site.name || site.id), h("span", { class: "muted small" }, [t(`common.${site.kind}`), site.ward].filter(Boolean).join(" · ")),
    site.is_key ? h("span", { class: "chip" }, t("setup.key")) : null, h("span", { class: "right row" }, h("span", { class: "muted small" }, t("setup.count_cameras", { count: number(cameras.length) })), left ? h("span", { class: "chip warn" }, t("setup.work", { count: number(left) })) : h("span", { class: "chip good" }, "✓"))), body);
  const open = () => { if (node.open && !body.hasChildNodes()) fill(body, siteBody(site)); };
  node.addEventListener("toggle", () => { if (node.open) state.open.add(site.id); else state.open.delete(site.id); open(); });
  node.open = state.open.has(site.id);
  open();
  return node;
}

function show() {
  const wanted = $("#search").value.trim().toLocaleLowerCase();
  const matches = (site) => [site.id, site.name, site.ward, ...state.cameras.filter((each) => each.site === site.id).flatMap((each) => [each.id, each.name])].some((text) => text.toLocaleLowerCase().includes(wanted));
  const sites = state.sites.filter((site) => (!wanted || matches(site)) && (!$("#only-work").checked || work(site)));
  const first = () => h("button", { type: "button", class: "primary", onclick: () => editSite(null) }, t("setup.add_site"));
  fill($("#sites"), state.sites.length ? sites.length ? sites.map(siteCard) : empty(t("setup.nothing_found")) : h("div", { class: "card" }, empty(t("setup.no_sites"), [h("p", {}, t("setup.no_sites_step")), first()])));
}

function showHealth(cameras) {
  state.live = new Map(cameras.map((each) => [each.camera, each]));
  for (const cell of document.querySelectorAll("[data-health]")) {
    const camera = state.cameras.find((each) => each.id === cell.dataset.health);
    const now = shownState(camera);
    if (!cell.firstChild?.isEqualNode(now)) fill(cell, now);
  }
}

async function load() {
  const [sites, approaches, cameras, owners, views] = await Promise.all(["/v1/sites", "/v1/approaches", "/v1/cameras", "/v1/owners", "/v1/views"].map((each) => all(each)));
  Object.assign(state, { sites, approaches, cameras, owners, views: new Map(views.map((each) => [each.camera, each])) });
  sites.sort((a, b) => Number(b.is_key) - Number(a.is_key) || (a.name || a.id).localeCompare(b.name || b.id));
  show();
  $("#sites").removeAttribute("aria-busy");
}

// --- Changes --------------------------------------------------------------------------------------------------

// Put a record as it was seen; the service refuses if somebody changed it meanwhile.
async function save(at, body, fresh) {
  const headers = fresh ? {} : { "If-Match": (await getResponse(at)).headers.get("ETag") };
  await put(at, body, { headers });
}

async function end(name, at) {
  if (!confirm(t("setup.end_question", { name }))) return;
  try {
    const seen = await getResponse(at);
    await remove(at, { headers: { "If-Match": seen.headers.get("ETag") } });
    toast(t("setup.ended", { name }));
  } catch (error) {
    toast(error.message);
  }
  await load();
}

const named = (body) => body.name || body.id;

function editSite(site) {
  siteForm($("#dialog"), site, async (body) => {
    await save(path("sites", body.id), body, !site);
    state.open.add(body.id);
    await load();
    toast(t("setup.saved", { name: named(body) }));
    document.getElementById(body.id)?.scrollIntoView({ block: "center" });
  });
}

function editApproach(site, approach) {
  approachForm($("#dialog"), site, approach, async (body) => {
    await save(path("sites", site.id, "approaches", body.id), body, !approach);
    await load();
    toast(t("setup.saved", { name: named(body) }));
  });
}

function editCamera(site, camera) {
  const count = state.cameras.filter((each) => each.site === site.id).length;
  const suggestion = `${site.id}-cam${count + 1}`;
  const test = (address, stream) => {
    if (address === null) return post(`${path("cameras", camera.id)}/test?stream=${stream}`);
    return post("/v1/camera-tests", stream === "sub" && camera ? { address, camera: camera.id } : { address });
  };
  cameraForm($("#dialog"), site, camera, suggestion, test, async (body) => {
    await save(path("cameras", body.id), body, !camera);
    await load();
    if (camera || site.kind !== "junction") toast(t("setup.saved", { name: named(body) }));
    else location.assign(`/setup/cameras/${body.id}`);
  });
}

$("#add-site").addEventListener("click", () => editSite(null));
$("#search").addEventListener("input", show);
$("#only-work").addEventListener("change", show);

async function start() {
  const wanted = decodeURIComponent(location.hash.slice(1));
  if (wanted) state.open.add(wanted);
  const live = await get("/v1/live").catch(() => ({ cameras: [] }));
  state.live = new Map(live.cameras.map((each) => [each.camera, each]));
  await load();
  if (wanted) document.getElementById(wanted)?.scrollIntoView();
  follow(showHealth);
}

function begin() {
  start().catch((error) => fill($("#sites"), h("div", { class: "card" }, empty(t("common.failed", { reason: error.message }), h("button", { type: "button", onclick: begin }, t("common.retry"))))));
}
begin();
