// Administration: accounts and invitations, one's password, tokens of programs, the audit, and how the machine is.
import { freshest, get, patch, post, remove } from "./api.js";
import { empty, setText, toast } from "./dom.js";
import { $, dialog, field, fill, formFault, h, keep, option, section, size } from "./pieces.js";
import { dateTime, language, number, t, when } from "./words.js";

const ROLES = ["viewer", "operator", "engineer", "administrator"];
const me = $('input[name="username"]').value;
const roleName = (role) => t(`administration.role_${role}`);
const heads = (...names) => h("thead", {}, h("tr", {}, names.map((name) => h("th", { scope: "col" }, t(`administration.${name}`)))));
const wide = (label, table) => h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": label }, table);
const button = (text, about, onclick, kind = null) => h("button", { type: "button", class: kind, "aria-label": `${text}: ${about}`, onclick }, text);

// Asks first, does it, then shows the part anew.
function sure(title, text, task, again) {
  const box = dialog(title, h("p", {}, text), h("div", { class: "buttons" }, h("button", { type: "button", onclick: () => box.close() }, t("common.cancel")),
    h("button", { type: "button", class: "danger", onclick: () => { box.close(); act(task, again); } }, title)));
}

async function act(task, again) {
  try {
    await task();
    toast(t("administration.done"));
  } catch (error) {
    toast(error.message);
  }
  await again();
}

// What is shown this once: a link or a token, with a button that copies it.
function once(title, text, value) {
  const told = h("p", { role: "status" });
  const box = dialog(title, h("p", {}, text), h("code", { class: "secret", id: "secret" }, value), told, h("div", { class: "buttons" },
    h("button", { type: "button", onclick: () => navigator.clipboard.writeText(value).then(() => setText(told, t("administration.copied")), () => setText(told, t("administration.copy_failed"))) }, t("administration.copy")),
    h("button", { type: "button", class: "primary", onclick: () => box.close() }, t("administration.i_have_it"))));
}

// --- accounts

async function showAccounts() {
  const accounts = await get("/v1/accounts");
  fill($("#accounts"), wide(t("administration.accounts"), h("table", {}, h("caption", { class: "visually-hidden" }, t("administration.accounts")), heads("login", "name", "role", "state", "created", "actions"),
    h("tbody", {}, accounts.map((each) => h("tr", { "data-login": each.login }, h("th", { scope: "row" }, each.login, each.login === me ? h("span", { class: "muted" }, ` (${t("administration.you")})`) : null), h("td", {}, each.name),
      h("td", {}, h("select", { "aria-label": t("administration.change_role", { login: each.login }), disabled: each.login === me, onchange: (event) => act(() => patch(`/v1/accounts/${each.login}`, { role: event.target.value }), () => refresh("accounts")) }, ROLES.map((role) => option(role, roleName(role), role === each.role)))),
      h("td", {}, standing(each)), h("td", {}, dateTime(each.created_at)), h("td", {}, h("div", { class: "row" }, deeds(each)))))))));
  $("#accounts").dataset.ready = "true";
}

function standing(each) {
  if (each.disabled_at) return h("span", { class: "chip bad" }, t("administration.disabled"));
  if (each.locked_until && new Date(each.locked_until) > new Date()) return h("span", { class: "chip warn" }, t("administration.locked", { time: when(each.locked_until) }));
  return h("span", { class: "chip good" }, t("administration.in_use"));
}

function deeds(each) {
  const path = `/v1/accounts/${each.login}`, again = () => refresh("accounts");
  const found = [button(t("administration.new_link"), each.login, () => post("/v1/invitations", { login: each.login }).then(linked, (error) => toast(error.message)))];
  if (each.failures || each.locked_until) found.push(button(t("administration.unlock"), each.login, () => act(() => post(`${path}/unlock`), again)));
  if (each.login === me) return found;
  found.push(button(t("administration.log_out"), each.login, () => act(() => post(`${path}/logout`), again)));
  found.push(each.disabled_at ? button(t("administration.enable"), each.login, () => act(() => patch(path, { disabled: false }), again))
    : button(t("administration.disable"), each.login, () => sure(t("administration.disable"), t("administration.disable_sure", { login: each.login }), () => patch(path, { disabled: true }), again), "danger"));
  return found;
}

async function showInvitations() {
  const open = await get("/v1/invitations");
  fill($("#invitations"), open.length ? open.map((each) => h("div", { class: "finding" }, h("strong", {}, each.login), h("div", {}, h("p", { class: "muted small" }, t("administration.invited_until", { role: roleName(each.role), time: when(each.expires_at) })),
    button(t("administration.withdraw"), each.login, () => act(() => remove(`/v1/invitations/${each.login}`), () => refresh("accounts")), "plain")))) : h("p", { class: "muted" }, t("administration.no_invitations")));
}

function linked(made) {
  once(t("administration.link_title", { login: made.login }), t("administration.link_once", { time: dateTime(made.expires_at) }), made.link);
  refresh("accounts");
}

function invite() {
  const form = h("form", { onsubmit: async (event) => {
    event.preventDefault();
    try {
      const made = await post("/v1/invitations", { login: form.elements.login.value.trim(), role: form.elements.role.value });
      box.close();
      linked(made);
    } catch (error) { formFault(form, error); }
  } }, field("i-login", t("administration.login"), h("input", { id: "i-login", name: "login", required: true, autocapitalize: "none", autocomplete: "off", "aria-describedby": "i-login-hint" }), t("administration.login_hint")),
  field("i-role", t("administration.role"), h("select", { id: "i-role", name: "role" }, ROLES.map((role) => option(role, `${roleName(role)}: ${t(`administration.may_${role}`)}`)))),
  h("div", { class: "buttons" }, h("button", { type: "button", onclick: () => box.close() }, t("common.cancel")), h("button", { type: "submit", class: "primary" }, t("administration.invite_now"))));
  const box = dialog(t("administration.invite_title"), form);
}

// --- one's password

async function changePassword(event) {
  event.preventDefault();
  const form = $("#password-form");
  formFault(form, null);
  if (form.elements.new.value !== form.elements.again.value) return formFault(form, { message: t("administration.differ"), field: "again" });
  try {
    await post("/v1/session/password", { old: form.elements.old.value, new: form.elements.new.value });
    form.reset();
    toast(t("administration.password_changed"));
  } catch (error) { formFault(form, error); }
  return null;
}

// --- tokens

async function showTokens() {
  const tokens = (await get("/v1/tokens?all=true")).reverse();
  const over = (each) => (each.revoked_at ? t("administration.revoked") : new Date(each.expires_at) < new Date() ? t("administration.expired") : null);
  fill($("#tokens"), tokens.length ? wide(t("administration.tokens"), h("table", {}, h("caption", { class: "visually-hidden" }, t("administration.tokens")), heads("token_for", "owner", "scope", "created", "expires", "used", "actions"),
    h("tbody", {}, tokens.map((each) => h("tr", {}, h("th", { scope: "row" }, each.name), h("td", {}, each.login), h("td", {}, roleName(each.scope)), h("td", {}, dateTime(each.created_at)), h("td", {}, dateTime(each.expires_at)), h("td", {}, each.used_at ? when(each.used_at) : t("administration.never_used")),
      h("td", {}, over(each) ? h("span", { class: "chip unknown" }, over(each)) : button(t("administration.revoke"), each.name, () => sure(t("administration.revoke"), t("administration.revoke_sure", { name: each.name }), () => remove(`/v1/tokens/${each.id}`), () => refresh("tokens")), "danger"))))))) : empty(t("administration.no_tokens"), t("administration.no_tokens_step")));
}

function makeToken() {
  const form = h("form", { onsubmit: async (event) => {
    event.preventDefault();
    const given = form.elements;
    try {
      const made = await post("/v1/tokens", { name: given.name.value.trim(), scope: given.scope.value, days: Number(given.days.value) });
      box.close();
      once(t("administration.token_title", { name: made.name }), t("administration.token_once", { time: dateTime(made.expires_at) }), made.token);
      refresh("tokens");
    } catch (error) { formFault(form, error); }
  } }, field("t-name", t("administration.token_for"), h("input", { id: "t-name", name: "name", required: true, maxlength: "200", autocomplete: "off", "aria-describedby": "t-name-hint" }), t("administration.token_for_hint")),
  field("t-scope", t("administration.scope"), h("select", { id: "t-scope", name: "scope" }, ROLES.map((role) => option(role, roleName(role))))),
  field("t-days", t("administration.days"), h("input", { id: "t-days", name: "days", type: "number", min: "1", max: "366", value: "90", required: true })),
  h("div", { class: "buttons" }, h("button", { type: "button", onclick: () => box.close() }, t("common.cancel")), h("button", { type: "submit", class: "primary" }, t("administration.make"))));
  const box = dialog(t("administration.make_token_title"), form);
}

// --- the audit

// Kinds of deeds by what the audit calls them.
const DEEDS = new Map(["login", "login_refused", "logout", "account_invite", "account_uninvite", "account_change", "account_password", "account_unlock", "account_logout", "token_make", "token_revoke", "registry_change", "view_confirm", "camera_recount", "secret_add", "secret_change", "secret_drop", "key_reseal", "alarm_acknowledge", "alarm_rule", "job_submit", "job_cancel"].map((name) => [name.replace("_", "."), t(`administration.did_${name}`)]));
const audit = { items: [], next: null };
const plain = (value) => (value === null || value === undefined ? "—" : typeof value === "object" ? JSON.stringify(value) : String(value));

// A long value is folded, so that one line of the audit stays one line.
const told = (value) => {
  const text = plain(value);
  return text.length > 160 ? h("details", {}, h("summary", {}, `${text.slice(0, 80)}…`), text) : text;
};

// Before and after, field by field; what did not change is left out.
function detail(found) {
  const { before, after, ...rest } = found ?? {};
  const sides = [before, after].map((side) => (side && typeof side === "object" && !Array.isArray(side) ? side : side === undefined || side === null ? {} : { "": side }));
  const names = [...new Set(sides.flatMap((side) => Object.keys(side)))].filter((name) => plain(sides[0][name]) !== plain(sides[1][name]));
  return h("div", { class: "detail small" }, names.map((name) => h("div", { class: "pair" }, name ? h("strong", {}, `${name}:`) : null, name in sides[0] ? h("del", {}, told(sides[0][name])) : null, name in sides[0] && name in sides[1] ? "→" : null, name in sides[1] ? h("ins", {}, told(sides[1][name])) : null)),
    Object.entries(rest).map(([name, value]) => h("div", { class: "pair" }, h("strong", {}, `${name}:`), h("span", {}, told(value)))));
}

async function showAudit(more = false) {
  const asked = new URLSearchParams({ limit: "50" });
  if ($("#audit-actor").value.trim()) asked.set("actor", $("#audit-actor").value.trim());
  if ($("#audit-action").value) asked.set("action", $("#audit-action").value);
  if (more && audit.next) asked.set("cursor", audit.next);
  const page = await freshest("audit", get(`/v1/audit?${asked}`));
  if (!page) return;
  audit.items = more ? [...audit.items, ...page.items] : page.items;
  audit.next = page.next;
  $("#audit-more").hidden = !page.next;
  const columns = h("thead", {}, h("tr", {}, [t("common.time"), ...["actor", "action", "what", "changes"].map((name) => t(`administration.${name}`))].map((name) => h("th", { scope: "col" }, name))));
  fill($("#audit"), audit.items.length ? wide(t("administration.audit"), h("table", {}, h("caption", { class: "visually-hidden" }, t("administration.audit")), columns,
    h("tbody", {}, audit.items.map((each) => h("tr", {}, h("td", {}, dateTime(each.time)), h("td", {}, each.actor), h("td", {}, DEEDS.get(each.action) ?? each.action, DEEDS.has(each.action) ? h("div", { class: "muted small" }, each.action) : null), h("td", {}, each.what), h("td", {}, detail(each.detail))))))) : empty(t("administration.no_audit")));
}

// --- the system

const CHIP = { ok: "good", attention: "warn", fault: "bad" };

async function showFindings() {
  fill($("#findings"), h("p", { class: "muted", role: "status" }, t("administration.looking")));
  for (const id of ["#database", "#versions"]) if (!$(id).hasChildNodes()) fill($(id), h("p", { class: "muted" }, t("common.loading")));
  const found = await get(`/v1/doctor?language=${language}`);
  const order = ["fault", "attention", "ok"];
  fill($("#findings"), h("p", {}, h("span", { class: `chip ${found.well ? "good" : "bad"}` }, t(found.well ? "administration.well" : "administration.not_well")), " ", h("span", { class: "muted small" }, t("administration.looked_at", { time: when(found.at) }))),
    [...found.findings].sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state)).map((each) => h("div", { class: "finding", "data-check": each.check }, h("span", { class: `chip ${CHIP[each.state]}` }, t(`administration.finding_${each.state}`)),
      h("div", {}, h("p", {}, h("strong", {}, `${each.name}: `), each.found), each.step ? h("p", {}, h("strong", {}, `${t("administration.next_step")}: `), each.step) : null))));
  const facts = (rows) => h("dl", { class: "facts" }, rows.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
  fill($("#database"), facts([[t("administration.address"), found.database.address], [t("administration.schema"), found.database.revision ?? "—"], [t("administration.size"), size(found.database.bytes)], [t("administration.free"), size(found.database.free)]]));
  fill($("#versions"), facts(Object.entries(found.versions)));
}

async function showWorkers() {
  const { workers } = await get("/v1/live");
  const kind = { live: "good", late: "warn", silent: "bad" };
  fill($("#workers"), workers.length ? wide(t("administration.workers"), h("table", {}, h("caption", { class: "visually-hidden" }, t("administration.workers")), heads("worker", "machine", "state", "heard", "running_since", "cameras", "outbox"),
    h("tbody", {}, workers.map((each) => h("tr", {}, h("th", { scope: "row" }, each.worker), h("td", {}, `${each.host} · ${each.pid}`), h("td", {}, h("span", { class: `chip ${kind[each.state]}` }, t(`administration.worker_${each.state}`))), h("td", {}, when(each.heard_at)), h("td", {}, when(each.started)), h("td", {}, `${number(each.cameras.length)}: ${each.cameras.slice(0, 6).join(", ")}${each.cameras.length > 6 ? ", …" : ""}`),
      h("td", {}, t("administration.outbox_of", { waiting: number(each.outbox.waiting), bytes: size(each.outbox.bytes), limit: size(each.outbox.limit) }), each.outbox.rejected ? h("div", { class: "chip bad" }, t("administration.outbox_rejected", { count: number(each.outbox.rejected) })) : null, each.outbox.alarm ? h("div", { class: "small" }, each.outbox.alarm) : null)))))) : empty(t("administration.no_workers"), t("administration.no_workers_step")));
}

// --- tabs

const SHOW = {
  accounts: () => Promise.all([section($("#accounts"), showAccounts), section($("#invitations"), showInvitations)]),
  password: async () => null,
  tokens: () => section($("#tokens"), showTokens),
  audit: () => section($("#audit"), () => showAudit()),
  system: () => Promise.all([section($("#findings"), showFindings), section($("#workers"), showWorkers)]),
};
const tabs = [...document.querySelectorAll('[role="tab"]')];
const refresh = (part) => SHOW[part]();

function choose(part, focus = false) {
  for (const tab of tabs) {
    const is = tab.dataset.part === part;
    tab.setAttribute("aria-selected", String(is));
    tab.tabIndex = is ? 0 : -1;
    $(`#part-${tab.dataset.part}`).hidden = !is;
    if (is && focus) tab.focus();
  }
  history.replaceState(null, "", `#${part}`);
  refresh(part);
}

tabs.forEach((tab, index) => {
  tab.addEventListener("click", () => choose(tab.dataset.part));
  tab.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) { event.preventDefault(); choose(tabs[(index + step + tabs.length) % tabs.length].dataset.part, true); }
  });
});
fill($("#audit-action"), option("", t("administration.all_deeds")), [...DEEDS].map(([action, name]) => option(action, name)));
$("#invite").addEventListener("click", invite);
$("#make-token").addEventListener("click", makeToken);
$("#password-form").addEventListener("submit", changePassword);
$("#audit-filters").addEventListener("submit", (event) => { event.preventDefault(); section($("#audit"), () => showAudit()); });
$("#audit-more").addEventListener("click", () => showAudit(true).catch((error) => toast(error.message)));
$("#look-again").addEventListener("click", () => section($("#findings"), showFindings));
choose(location.hash.slice(1) in SHOW ? location.hash.slice(1) : "accounts");
keep(() => ($("#part-system").hidden ? Promise.resolve() : showWorkers()), 5);
