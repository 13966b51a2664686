// Pieces that the pages of lists and forms share: failures with a second try, tables that sort, days of the site's clock.
import { $, fill, h } from "./dom.js";
import { language, number, t, tz } from "./words.js";

// The sentence of a failure and a button that tries again.
export const failed = (error, again) => h("div", { class: "notice bad", role: "alert" },
  h("p", {}, t("common.failed", { reason: error.message })), again ? h("button", { type: "button", onclick: again }, t("common.retry")) : null);

// Runs a task for a part of the page: loading while there is nothing, the failure with its button if it fails.
export async function section(node, task) {
  if (!node.hasChildNodes()) fill(node, h("p", { class: "muted" }, t("common.loading")));
  node.setAttribute("aria-busy", "true");
  try {
    await task();
  } catch (error) {
    fill(node, failed(error, () => { node.replaceChildren(); section(node, task); }));
  } finally {
    node.removeAttribute("aria-busy");
  }
}

// Tries again and again; what is shown stays when a try fails.
export function keep(task, seconds) {
  let timer = null;
  const run = () => task().catch(() => null).finally(() => { timer = setTimeout(run, seconds * 1000); });
  timer = setTimeout(run, seconds * 1000);
  return () => clearTimeout(timer);
}

const compare = (a, b) => {
  if (a === b) return 0;
  if (a === null || a === undefined) return 1; // not known comes last, whatever the order
  if (b === null || b === undefined) return -1;
  return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), language);
};

// columns: [{key, label, value: (row) => to sort by, cell: (row) => shown, number: bool}].
export function sortedTable(caption, columns, rows, { sort = null, empty: nothing = null, tall = false } = {}) {
  const state = { key: sort?.key ?? null, down: sort?.down ?? false };
  const body = h("tbody", {});
  const heads = columns.map((column) => h("th", { scope: "col", class: column.number ? "number" : null },
    column.value ? h("button", { type: "button", class: "sort", onclick: () => { state.down = state.key === column.key ? !state.down : false; state.key = column.key; draw(); } }, column.label) : column.label));
  function draw() {
    columns.forEach((column, index) => {
      if (column.value) heads[index].setAttribute("aria-sort", state.key === column.key ? (state.down ? "descending" : "ascending") : "none");
    });
    const by = columns.find((column) => column.key === state.key);
    const shown = by ? [...rows].sort((a, b) => {
      const left = by.value(a), right = by.value(b);
      const unknown = [left, right].some((each) => each === null || each === undefined);
      return state.down && !unknown ? compare(right, left) : compare(left, right);
    }) : rows;
    fill(body, shown.map((row) => h("tr", {}, columns.map((column) => h("td", { class: column.number ? "number" : null }, column.cell(row))))));
    if (!shown.length && nothing) fill(body, h("tr", {}, h("td", { colspan: String(columns.length) }, nothing)));
  }
  draw();
  return h("div", { class: tall ? "sticky tall" : "scroll" }, h("table", {}, h("caption", { class: "visually-hidden" }, caption), h("thead", {}, h("tr", {}, heads)), body));
}

// The fault of a form, beside the field it names where there is one.
export function formFault(form, error) {
  form.querySelectorAll(".fault").forEach((node) => node.remove());
  form.querySelectorAll("[aria-invalid]").forEach((node) => node.removeAttribute("aria-invalid"));
  if (!error) return;
  const name = String(error.field ?? "").split(".").pop();
  const field = name && form.elements[name] instanceof HTMLElement ? form.elements[name] : null;
  const note = h("p", { class: "fault", role: "alert" }, error.message);
  if (field) {
    field.setAttribute("aria-invalid", "true");
    field.closest(".field")?.append(note);
    field.focus();
  } else form.prepend(note);
}

export const may = (role) => {
  const ranks = ["viewer", "operator", "engineer", "administrator"];
  return ranks.indexOf(document.documentElement.dataset.role) >= ranks.indexOf(role);
};

// The way to the next step of a city without sites, for whoever may go it.
export const toSetup = () => (may("engineer") ? h("p", {}, h("a", { class: "button primary", href: "/setup" }, t("common.setup"))) : null);

export const option = (value, text, chosen = false) => h("option", { value, selected: chosen }, text);
export const field = (id, label, control, hint = null) => h("div", { class: "field" }, h("label", { for: id }, label), control, hint ? h("div", { class: "hint", id: `${id}-hint` }, hint) : null);

// Opens a dialog with this content; closing it gives the focus back to what opened it.
export function dialog(title, ...content) {
  const node = h("dialog", { "aria-labelledby": "dialog-title" }, h("h2", { id: "dialog-title" }, title), content);
  node.addEventListener("close", () => node.remove());
  document.body.append(node);
  node.showModal();
  return node;
}

// --- the site's clock

function parts(moment) {
  const found = Object.fromEntries(new Intl.DateTimeFormat("en-CA", {
    timeZone: tz, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
  }).formatToParts(moment).map((part) => [part.type, part.value]));
  return found;
}

// A moment as the site's clock shows it, the form that inputs of type datetime-local take.
export function localText(moment) {
  const p = parts(moment);
  return `${p.year}-${p.month}-${p.day}T${p.hour}:${p.minute}`;
}

// The moment at which the site's clock shows this; null where the text is none.
export function localMoment(text) {
  const wanted = Date.parse(`${text}Z`);
  if (Number.isNaN(wanted)) return null;
  let guess = wanted;
  for (let round = 0; round < 2; round += 1) { // the offset may differ on both sides of a change of clocks
    const p = parts(new Date(guess));
    guess += wanted - Date.UTC(p.year, p.month - 1, p.day, p.hour, p.minute, p.second);
  }
  return new Date(guess);
}

export const today = () => localText(new Date()).slice(0, 10);
export const dayStart = (day) => localMoment(`${day}T00:00`);
export const addDays = (day, count) => new Date(Date.parse(`${day}T00:00Z`) + count * 86_400_000).toISOString().slice(0, 10);

// Bytes as people read them.
export function size(bytes) {
  if (bytes === null || bytes === undefined) return number(null);
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes, index = 0;
  while (value >= 1024 && index < units.length - 1) { value /= 1024; index += 1; }
  return `${number(value, index > 1 && value < 100 ? 1 : 0)} ${units[index]}`;
}

// How long ago in words.
export function lasting(from, to = new Date()) {
  const minutes = Math.max(0, Math.round((new Date(to) - new Date(from)) / 60_000));
  const [unit, count] = minutes < 60 ? ["minute", minutes] : minutes < 48 * 60 ? ["hour", Math.round(minutes / 60)] : ["day", Math.round(minutes / 1440)];
  return new Intl.NumberFormat(language === "vi" ? "vi-VN" : "en-GB", { style: "unit", unit, unitDisplay: "long" }).format(count);
}

export { $, fill, h };
