// Alarms: the open ones with what to do, their history, and the thresholds behind them.
import { all, freshest, get, post, put, remove } from "./api.js";
import { empty, setText, toast } from "./dom.js";
import { follow } from "./live.js";
import { $, addDays, dayStart, dialog, failed, field, fill, formFault, h, keep, lasting, may, option, section } from "./pieces.js";
import { language, number, t, when } from "./words.js";

const KINDS = ["jam", "queue_spillback", "stopped_vehicle", "wrong_way", "blocked_junction", "camera_lost", "camera_frozen", "camera_moved", "camera_picture", "worker_gone", "outbox_growing", "disk_low"];
const OF_MACHINES = ["worker_gone", "outbox_growing", "disk_low"];
const RANK = { critical: 0, warning: 1, information: 2 };
const SEVERITIES = ["critical", "warning", "information"];
const LEVELS = ["busy", "slow", "jammed", "D", "E", "F"];
const chipKind = { critical: "bad", warning: "warn", information: "unknown" };
const state = { sites: new Map(), approaches: new Map(), history: [], next: null };
const shown = new Map(); // cards of open alarms by id, so that what somebody types stays

const siteName = (id) => state.sites.get(id)?.name || id;
const severity = (name) => h("span", { class: `chip ${chipKind[name]}` }, t(`alarms.severity_${name}`));

function place(alarm) {
  if (!alarm.site) return t("alarms.machines");
  const approach = alarm.approach ? state.approaches.get(`${alarm.site}/${alarm.approach}`) || alarm.approach : null;
  return [siteName(alarm.site), approach, alarm.camera].filter(Boolean).join(" · ");
}

// --- open ones

function card(alarm) {
  const node = h("article", { class: `card alarm ${alarm.severity}`, "data-alarm": alarm.id });
  const kept = shown.get(alarm.id);
  const note = kept?.note ?? h("textarea", { id: `note-${alarm.id}`, maxlength: "500", rows: "2" });
  shown.set(alarm.id, { note, revision: alarm.revision, node });
  const form = h("form", { onsubmit: (event) => { event.preventDefault(); take(alarm, form, note.value.trim()); } },
    h("label", { for: `note-${alarm.id}` }, t("alarms.note")), note, h("button", { type: "submit", class: "primary" }, t("alarms.take")));
  const since = h("span", { class: "muted", "data-since": alarm.raised_at });
  setText(since, t("alarms.since_for", { time: when(alarm.raised_at), lasting: lasting(alarm.raised_at) }));
  fill(node, h("div", { class: "what" },
    h("h3", {}, severity(alarm.severity), alarm.title), h("p", {}, h("strong", {}, place(alarm)), " · ", since),
    alarm.text ? h("p", {}, alarm.text) : null, h("p", { class: "muted" }, alarm.meaning),
    h("p", { class: "act" }, h("strong", {}, `${t("alarms.what_to_do")}: `), alarm.action),
    alarm.site && state.sites.get(alarm.site)?.kind === "junction" ? h("p", {}, h("a", { href: `/junctions/${encodeURIComponent(alarm.site)}` }, t("alarms.look"))) : null),
  alarm.acknowledged_at ? h("div", { class: "what" }, h("p", {}, h("span", { class: "chip good" }, "✓ ", t("alarms.taken_by", { who: alarm.acknowledged_by, time: when(alarm.acknowledged_at) }))), alarm.note ? h("p", {}, alarm.note) : null)
    : may("operator") ? form : h("div", {}));
  return node;
}

async function take(alarm, form, note) {
  const button = form.querySelector("button");
  button.disabled = true;
  formFault(form, null);
  try {
    await post(`/v1/alarms/${alarm.id}/acknowledge`, { note });
    shown.delete(alarm.id);
    toast(t("alarms.taken_done"));
    await showOpen();
    loadHistory().catch(() => null);
  } catch (error) {
    button.disabled = false;
    formFault(form, error);
    if (error.status === 409) { shown.delete(alarm.id); showOpen().catch(() => null); }
  }
}

async function showOpen() {
  const alarms = await freshest("open", all(`/v1/alarms?open=true&language=${language}`, 500));
  if (!alarms) return;
  alarms.sort((a, b) => Number(Boolean(a.acknowledged_at)) - Number(Boolean(b.acknowledged_at)) || RANK[a.severity] - RANK[b.severity] || b.raised_at.localeCompare(a.raised_at));
  const waiting = alarms.filter((alarm) => !alarm.acknowledged_at);
  setText($("#open-count"), t("alarms.open_count", { count: number(alarms.length) }));
  $("#open-count").className = `chip ${waiting.some((alarm) => alarm.severity === "critical") ? "bad" : waiting.length ? "warn" : "good"}`;
  for (const id of [...shown.keys()]) if (!alarms.some((alarm) => alarm.id === id)) shown.delete(id);
  if (!alarms.length) { fill($("#open"), h("div", { class: "card" }, empty(t("alarms.none_open"), t("alarms.none_open_step")))); return; }
  const cards = alarms.map((alarm) => {
    const known = shown.get(alarm.id);
    if (known?.revision === alarm.revision && known.node.isConnected) {
      setText(known.node.querySelector("[data-since]"), t("alarms.since_for", { time: when(alarm.raised_at), lasting: lasting(alarm.raised_at) }));
      return known.node;
    }
    return card(alarm);
  });
  const now = [...$("#open").children];
  if (cards.length !== now.length || cards.some((each, index) => each !== now[index])) {
    const focused = document.activeElement;
    fill($("#open"), cards);
    if (focused?.isConnected && focused !== document.activeElement) focused.focus();
  }
}

// --- history

function query(cursor = null) {
  const asked = new URLSearchParams({ language, limit: "50" });
  const put_ = (name, value) => { if (value) asked.set(name, value); };
  put_("kind", $("#f-kind").value);
  put_("site", $("#f-site").value);
  const chosen = $("#f-state").value;
  if (chosen) asked.set("open", String(chosen === "open"));
  put_("acknowledged", $("#f-taken").value);
  if ($("#f-from").value) asked.set("start", dayStart($("#f-from").value).toISOString());
  if ($("#f-to").value) asked.set("end", dayStart(addDays($("#f-to").value, 1)).toISOString());
  if (cursor) asked.set("cursor", cursor);
  return asked;
}

async function loadHistory(more = false) {
  const page = await freshest("history", get(`/v1/alarms?${query(more ? state.next : null)}`));
  if (!page) return;
  state.history = more ? [...state.history, ...page.items] : page.items;
  state.next = page.next;
  $("#more").hidden = !page.next;
  const csv = query();
  csv.set("format", "csv");
  csv.set("limit", "10000");
  $("#history-csv").href = `/v1/alarms?${csv}`;
  const filtered = ["#f-kind", "#f-site", "#f-state", "#f-taken", "#f-from", "#f-to"].some((id) => $(id).value);
  if (!state.history.length) { fill($("#history"), empty(t(filtered ? "alarms.none_found" : "alarms.none_ever"))); return; }
  const heads = ["raised", "cleared", "severity", "kind", "where", "measured", "who"];
  fill($("#history"), h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": t("alarms.history") }, h("table", {}, h("caption", { class: "visually-hidden" }, t("alarms.history")),
    h("thead", {}, h("tr", {}, heads.map((name) => h("th", { scope: "col" }, t(`alarms.${name}`))))),
    h("tbody", {}, state.history.map((alarm) => h("tr", {},
      h("td", {}, when(alarm.raised_at)),
      h("td", {}, alarm.cleared_at ? [when(alarm.cleared_at), h("div", { class: "muted small" }, lasting(alarm.raised_at, alarm.cleared_at), alarm.cleared_because ? ` · ${alarm.cleared_because}` : "")] : h("span", { class: "chip warn" }, t("alarms.still_open"))),
      h("td", {}, severity(alarm.severity)), h("td", {}, alarm.title), h("td", {}, place(alarm)), h("td", {}, alarm.text),
      h("td", {}, alarm.acknowledged_by ? [`${alarm.acknowledged_by} · ${when(alarm.acknowledged_at)}`, alarm.note ? h("div", { class: "muted small" }, alarm.note) : null] : "")))))));
}

// --- thresholds

function told(name, value) {
  if (value === null) return t("alarms.none_set");
  if (name === "severity") return t(`alarms.severity_${value}`);
  if (Array.isArray(value)) return value.map((each) => (each.length > 1 ? t(`common.level_${each}`) : each)).join(", ");
  return typeof value === "number" ? number(value, Number.isInteger(value) ? 0 : 2) : String(value);
}

function control(name, value) {
  if (name === "severity") return h("select", { id: `set-${name}`, name }, SEVERITIES.map((each) => option(each, t(`alarms.severity_${each}`), each === value)));
  if (name === "levels") return h("select", { id: `set-${name}`, name, multiple: true, size: LEVELS.length }, LEVELS.map((each) => option(each, each.length > 1 ? t(`common.level_${each}`) : each, value.includes(each))));
  return h("input", { id: `set-${name}`, name, type: "number", step: "any", min: "0", value: value === null ? "" : String(value) });
}

function taken(form, settings) {
  const found = {};
  for (const name of Object.keys(settings)) {
    const input = form.elements[name];
    if (name === "levels") found[name] = [...input.selectedOptions].map((each) => each.value);
    else if (name === "severity") found[name] = input.value;
    else if (input.value !== "") found[name] = Number(input.value);
    else if (name === "queue_m") found[name] = null;
  }
  return found;
}

function edit(rule, site) {
  const junctions = [...state.sites.values()].filter((each) => each.kind === "junction" || rule.kind.startsWith("camera"));
  const where = site ?? (rule.site ? rule.site : null);
  const choose = site === "" ? field("rule-site", t("alarms.site"), h("select", { id: "rule-site", name: "site", required: true }, option("", t("alarms.site_needed")), junctions.map((each) => option(each.id, each.name || each.id)))) : null;
  const form = h("form", { onsubmit: async (event) => {
    event.preventDefault();
    const target = site === "" ? form.elements.site.value : where;
    try {
      const path = target ? `/v1/sites/${encodeURIComponent(target)}/alarm-rules/${rule.kind}` : `/v1/alarm-rules/${rule.kind}`;
      await put(path, { enabled: form.elements.enabled.checked, settings: taken(form, rule.settings) });
      box.close();
      toast(t("alarms.saved"));
      section($("#rules"), showRules);
    } catch (error) { formFault(form, error); }
  } }, choose,
  h("div", { class: "field check" }, h("input", { id: "set-enabled", name: "enabled", type: "checkbox", checked: rule.enabled }), h("label", { for: "set-enabled" }, t("alarms.enabled"))),
  Object.entries(rule.settings).map(([name, value]) => field(`set-${name}`, t(`alarms.setting_${name}`), control(name, value),
    [t(`alarms.about_${name}`), " ", t("alarms.default_is", { value: told(name, rule.defaults[name]) })])),
  h("div", { class: "buttons" }, h("button", { type: "button", onclick: () => box.close() }, t("common.cancel")), h("button", { type: "submit", class: "primary" }, t("common.save"))));
  const box = dialog(t("alarms.edit_rule", { kind: t(`alarms.kind_${rule.kind}`) }), where ? h("p", { class: "muted" }, siteName(where)) : null, form);
}

async function drop(rule) {
  const path = rule.site ? `/v1/sites/${encodeURIComponent(rule.site)}/alarm-rules/${rule.kind}` : `/v1/alarm-rules/${rule.kind}`;
  await remove(path).then(() => section($("#rules"), showRules), (error) => toast(error.message));
}

async function showRules() {
  const rules = await all("/v1/alarm-rules");
  const mine = (rule) => (rule.site ? may("engineer") : may("administrator"));
  const able = may("engineer");
  fill($("#rules"), h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": t("alarms.rules") }, h("table", {}, h("caption", { class: "visually-hidden" }, t("alarms.rules")),
    h("thead", {}, h("tr", {}, ["kind", "holds_for", "severity", "thresholds"].map((name) => h("th", { scope: "col" }, t(`alarms.${name}`))), able ? h("th", { scope: "col" }, t("alarms.actions")) : null)),
    h("tbody", {}, rules.map((rule) => h("tr", { class: rule.enabled ? null : "off" },
      h("td", {}, h("strong", {}, t(`alarms.kind_${rule.kind}`))),
      h("td", {}, rule.site ? siteName(rule.site) : t("alarms.whole_city"), " ", h("span", { class: `chip ${rule.enabled ? (rule.own ? "good" : "") : "unknown"}` }, t(rule.enabled ? (rule.own ? "alarms.own" : "alarms.by_default") : "alarms.switched_off"))),
      h("td", {}, severity(rule.settings.severity)),
      h("td", {}, Object.entries(rule.settings).filter(([name]) => name !== "severity").map(([name, value]) => h("div", { class: "setting" }, `${t(`alarms.setting_${name}`)}: `, h("b", {}, told(name, value))))),
      able ? h("td", {}, h("div", { class: "row" },
        mine(rule) ? h("button", { type: "button", "aria-label": `${t("common.edit")}: ${t(`alarms.kind_${rule.kind}`)}`, onclick: () => edit(rule) }, t("common.edit")) : null,
        !rule.site && !OF_MACHINES.includes(rule.kind) ? h("button", { type: "button", "aria-label": `${t("alarms.own_for_site")}: ${t(`alarms.kind_${rule.kind}`)}`, onclick: () => edit(rule, "") }, t("alarms.own_for_site")) : null,
        rule.own && mine(rule) ? h("button", { type: "button", "aria-label": `${t(rule.site ? "alarms.drop_own" : "alarms.to_default")}: ${t(`alarms.kind_${rule.kind}`)}`, onclick: () => drop(rule) }, t(rule.site ? "alarms.drop_own" : "alarms.to_default")) : null)) : null))))));
}

async function start() {
  const [sites, approaches] = await Promise.all([all("/v1/sites"), all("/v1/approaches")]);
  for (const site of sites) state.sites.set(site.id, site);
  for (const approach of approaches) state.approaches.set(`${approach.site}/${approach.id}`, approach.name);
  fill($("#f-kind"), option("", t("alarms.all_kinds")), KINDS.map((kind) => option(kind, t(`alarms.kind_${kind}`))));
  fill($("#f-site"), option("", t("alarms.all_sites")), sites.map((site) => option(site.id, site.name || site.id)));
  $("#filters").addEventListener("change", () => section($("#history"), () => loadHistory()));
  $("#filters").addEventListener("submit", (event) => event.preventDefault());
  $("#more").addEventListener("click", () => loadHistory(true).catch((error) => toast(error.message)));
  section($("#open"), showOpen);
  section($("#history"), () => loadHistory());
  section($("#rules"), showRules);
  keep(showOpen, 15);
  follow(() => null, { alarm: () => { showOpen().catch(() => null); } });
}

start().catch((error) => fill($("#open"), failed(error, () => location.reload())));
