// Reports on one junction: turning movements, profile, origins and destinations; what is left out; a manual count beside it.
import { all, freshest, get, post } from "./api.js";
import { classColour, timeChart, turningDiagram } from "./charts.js";
import { empty, setText, toast } from "./dom.js";
import { $, addDays, dayStart, dialog, failed, field, fill, formFault, h, localMoment, localText, may, option, section, toSetup, today } from "./pieces.js";
import { CLASSES } from "./palette.js";
import { clock, dateTime, day, language, number, percent, t } from "./words.js";

const TURNS = ["left", "through", "right", "u_turn"];
const state = { sites: [], approaches: [], report: null, asked: null };

const approachName = (id) => state.approaches.find((each) => each.id === id)?.name || id;
const total = (byClass, name = "total") => byClass?.[name] ?? null;
const add = (a, b) => (b === null ? a : (a ?? 0) + b); // what was not observed adds nothing, and is not zero

// --- what is asked

function period() {
  const chosen = $("#period").value, now = today();
  if (chosen === "today") return [dayStart(now), new Date(Math.ceil(Date.now() / 900_000) * 900_000)];
  if (chosen === "yesterday") return [dayStart(addDays(now, -1)), dayStart(now)];
  if (chosen === "week") return [dayStart(addDays(now, -7)), dayStart(now)];
  const start = localMoment($("#from").value), end = localMoment($("#to").value);
  return start && end && start < end ? [start, end] : null;
}

function query(extra = {}) {
  const [start, end] = state.asked.period;
  return new URLSearchParams({ start: start.toISOString(), end: end.toISOString(), ...extra });
}

function remember() {
  const kept = new URLSearchParams({ site: $("#site").value, period: $("#period").value, interval: $("#interval").value });
  if ($("#period").value === "own") { kept.set("from", $("#from").value); kept.set("to", $("#to").value); }
  history.replaceState(null, "", `${location.pathname}?${kept}`);
}

async function make() {
  const site = $("#site").value, chosen = period();
  fill($("#fault"));
  $("#report").hidden = true;
  $("#exports").hidden = true;
  if (!site) return;
  if (!chosen) { fill($("#fault"), h("p", { class: "notice bad", role: "alert" }, t("reports.bad_period"))); return; }
  state.asked = { site, period: chosen, interval: $("#interval").value };
  remember();
  setText($("#heading"), state.sites.find((each) => each.id === site)?.name || t("reports.title"));
  setText($("#period-told"), `${dateTime(chosen[0])} – ${dateTime(chosen[1])}`);
  fill($("#fault"), h("p", { class: "muted", role: "status" }, t("common.loading")));
  showExcluded().catch((error) => fill($("#excluded"), failed(error, () => section($("#excluded"), showExcluded))));
  try {
    const answer = await freshest("report", Promise.all([all(`/v1/approaches?site=${encodeURIComponent(site)}`), get(`/v1/reports/${encodeURIComponent(site)}?${query({ interval: state.asked.interval, language })}`)]));
    if (!answer) return;
    [state.approaches, state.report] = answer;
  } catch (error) {
    if (error.status === 404) fill($("#fault"), h("div", { class: "card" }, empty(t("reports.nothing"), h("div", {}, h("p", {}, t("reports.nothing_step")), h("p", { class: "small" }, error.message)))));
    else fill($("#fault"), failed(error, make));
    return;
  }
  fill($("#fault"));
  $("#report").hidden = false;
  $("#exports").hidden = false;
  for (const link of document.querySelectorAll("#exports a")) link.href = `/v1/reports/${encodeURIComponent(site)}?${query({ interval: state.asked.interval, language, format: link.dataset.format })}`;
  showAll();
}

// --- the report

function showAll() {
  const report = state.report;
  showSummary(report);
  fill($("#notes"), report.notes.length ? h("div", { class: "notice warn" }, h("strong", {}, t("reports.notes")), h("ul", { class: "notes" }, report.notes.map((note) => h("li", {}, note)))) : null);
  const seen = CLASSES.filter((name) => report.intervals.some((each) => each.volume[name]));
  fill($("#class"), option("total", t("reports.all_classes")), seen.map((name) => option(name, t(`common.class_${name}`))));
  showTmc();
  showProfile(report, seen);
  showDiagram(report);
  showOd(report);
  showClasses(report);
  showPeaks(report);
}

const sumOf = (rows, pick) => rows.reduce((sum, row) => add(sum, pick(row)), null);

function showSummary(report) {
  const peak = report.peak_hour;
  const observed = sumOf(report.intervals, (each) => each.observed_seconds), expected = sumOf(report.intervals, (each) => each.expected_seconds);
  const tile = (name, figure, ...more) => h("div", { class: "card" }, h("h2", {}, name), h("div", { class: "figure" }, figure), more);
  fill($("#summary"),
    tile(t(`reports.volume_${report.volume_is}`), h("span", { id: "volume" }, number(sumOf(report.intervals, (each) => total(each.volume))))),
    tile(t("reports.in_pcu"), number(sumOf(report.intervals, (each) => each.pcu)), report.pcu_standard ? h("p", { class: "muted small" }, t("reports.pcu_by", { standard: report.pcu_standard }), " ", h("span", { class: `chip ${report.pcu_checked ? "good" : "warn"}` }, t(report.pcu_checked ? "reports.pcu_checked" : "reports.pcu_unchecked"))) : null),
    tile(t("reports.peak_hour"), peak ? `${clock(peak.start)} – ${clock(peak.end)}` : t("reports.no_peak"), h("p", { class: "muted small" }, peak ? `${day(peak.start)} · ${t("reports.peak_volume", { count: number(peak.volume) })}` : t("reports.no_peak_why"))),
    tile(t("reports.phf"), h("span", { id: "phf" }, number(peak?.phf ?? null, 2)), h("p", { class: "muted small" }, t("reports.about_phf"))),
    tile(t("reports.observed"), percent(expected ? observed / expected : null), h("p", { class: "muted small" }, t("reports.observed_of", { observed: number(observed / 3600, 1), expected: number(expected / 3600, 1) }))));
}

// Columns by the approach that vehicles come from, one a movement; without movements one a gate and direction.
function columns(report) {
  const gates = new Map(report.gates.map((gate) => [gate.id, gate]));
  const nameOf = (id) => { const gate = gates.get(id); return gate ? (gate.approach ? approachName(gate.approach) : gate.name || gate.id) : "?"; };
  if (report.movements.length) {
    const found = report.movements.map((movement) => ({ group: nameOf(movement.from), order: TURNS.indexOf(movement.turn), label: movement.turn ? t(`common.turn_${movement.turn}`) : `→ ${nameOf(movement.to)}`, about: `${nameOf(movement.from)} → ${nameOf(movement.to)}`, pick: (row) => row.movements[movement.id] }));
    return [...new Set(found.map((each) => each.group))].flatMap((group) => found.filter((each) => each.group === group).sort((a, b) => a.order - b.order));
  }
  return report.gates.flatMap((gate) => ["in", "out"].map((direction) => ({ group: nameOf(gate.id), label: t(`reports.gate_${direction}`), about: `${nameOf(gate.id)} · ${t(`reports.gate_${direction}`)}`, pick: (row) => row.gates[gate.id][direction] })));
}

// Rows one by one; a run of intervals that nobody observed becomes one row.
function stretches(intervals) {
  const found = [];
  for (const row of intervals) {
    const unseen = total(row.volume) === null;
    if (unseen && found.at(-1)?.unseen) found.at(-1).rows.push(row);
    else found.push({ rows: [row], unseen });
  }
  return found;
}

function showTmc() {
  const report = state.report, kind = $("#class").value || "total";
  const found = columns(report);
  const groups = found.reduce((all_, each) => { if (all_.at(-1)?.name === each.group) all_.at(-1).span += 1; else all_.push({ name: each.group, span: 1 }); return all_; }, []);
  const peak = report.peak_hour;
  const days = new Set(report.intervals.map((each) => day(each.start))).size;
  const during = (row) => peak && row.start >= peak.start && row.end <= peak.end;
  const label = (first, last) => `${days > 1 ? `${day(first.start).slice(0, 5)} ` : ""}${clock(first.start)} – ${days > 1 && day(last.end) !== day(first.start) ? `${day(last.end).slice(0, 5)} ` : ""}${clock(last.end)}`;
  const sums = found.map((column) => sumOf(report.intervals, (row) => total(column.pick(row), kind)));
  fill($("#tmc"), report.movements.length ? null : h("p", { class: "muted" }, t("reports.no_movements")),
    h("div", { class: "sticky", tabindex: "0", role: "group", "aria-label": t("reports.tmc") }, h("table", { class: "tmc" }, h("caption", { class: "visually-hidden" }, t("reports.tmc")),
      h("thead", {}, h("tr", {}, h("th", { scope: "col", rowspan: "2" }, t("common.time")), groups.map((group) => h("th", { scope: "colgroup", colspan: String(group.span) }, group.name)), h("th", { scope: "col", rowspan: "2", class: "number" }, t(`reports.volume_${report.volume_is}`))),
        h("tr", {}, found.map((column) => h("th", { scope: "col", class: "number", title: column.about }, column.label)))),
      h("tbody", {}, stretches(report.intervals).map(({ rows, unseen }) => {
        const [row] = rows;
        if (unseen) return h("tr", { class: "unseen" }, h("th", { scope: "row" }, label(row, rows.at(-1))), h("td", { colspan: String(found.length + 1) }, t("common.not_observed"), rows.length > 1 ? ` · ${t("reports.intervals", { count: number(rows.length) })}` : ""));
        const status = during(row) ? "peak" : row.status === "complete" ? null : "partial";
        return h("tr", { class: status }, h("th", { scope: "row" }, label(row, row)), found.map((column) => h("td", {}, number(total(column.pick(row), kind)))), h("td", { class: "total" }, number(total(row.volume, kind))));
      })),
      h("tfoot", {}, h("tr", {}, h("th", { scope: "row" }, t("common.total")), sums.map((sum) => h("td", {}, number(sum))), h("td", {}, number(sumOf(report.intervals, (row) => total(row.volume, kind)))))))));
}

function showProfile(report, seen) {
  if (!report.hours.some((each) => total(each.volume) !== null)) return fill($("#profile"), empty(t("common.not_observed")));
  return timeChart($("#profile"), { title: t("reports.profile"), unit: t("reports.per_hour"), dates: new Set(report.hours.map((each) => day(each.start))).size > 1, series: seen.map((name) => ({
    name: t(`common.class_${name}`), colour: classColour(name), kind: "bar", stack: "classes", data: report.hours.map((each) => [each.start, total(each.volume, name)]),
  })) });
}

function showDiagram(report) {
  const gates = new Map(report.gates.map((gate) => [gate.id, gate.approach || gate.id]));
  const movements = report.movements.filter((each) => each.from && each.turn).map((each) => ({ from: gates.get(each.from), to: gates.get(each.to), turn: each.turn, total: sumOf(report.intervals, (row) => total(row.movements[each.id])) }));
  if (!movements.length) return fill($("#diagram"), empty(t("reports.no_diagram")));
  const arms = [...new Set(movements.flatMap((each) => [each.from, each.to]))].map((id) => ({ id, name: approachName(id), bearing: state.approaches.find((each) => each.id === id)?.bearing ?? null }));
  return fill($("#diagram"), turningDiagram(arms, movements), h("div", { class: "turn-key" }, TURNS.map((turn) => h("span", {}, h("i", { class: turn }), t(`common.turn_${turn}`)))));
}

function showOd(report) {
  const matrix = report.origin_destination;
  if (!matrix || !report.movements.length) return fill($("#od"), empty(t("reports.no_od")));
  const gates = report.gates.filter((gate) => report.movements.some((each) => each.from === gate.id || each.to === gate.id));
  const name = (gate) => (gate.approach ? approachName(gate.approach) : gate.name || gate.id);
  const of = (from, to) => total(matrix[from.id]?.[to.id]);
  return fill($("#od"), h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": t("reports.od") }, h("table", { class: "tmc" }, h("caption", { class: "visually-hidden" }, t("reports.od")),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("reports.from_to")), gates.map((gate) => h("th", { scope: "col", class: "number" }, name(gate))), h("th", { scope: "col", class: "number" }, t("common.total")))),
    h("tbody", {}, gates.map((from) => h("tr", {}, h("th", { scope: "row" }, name(from)), gates.map((to) => h("td", {}, number(of(from, to)))), h("td", { class: "total" }, number(sumOf(gates, (to) => of(from, to))))))),
    h("tfoot", {}, h("tr", {}, h("th", { scope: "row" }, t("common.total")), gates.map((to) => h("td", {}, number(sumOf(gates, (from) => of(from, to))))), h("td", {}, number(sumOf(gates, (from) => sumOf(gates, (to) => of(from, to))))))))));
}

function showClasses(report) {
  const whole = sumOf(report.intervals, (row) => total(row.volume));
  if (whole === null) return fill($("#classes"), empty(t("common.not_observed")));
  return fill($("#classes"), h("table", {}, h("caption", { class: "visually-hidden" }, t("reports.classes")),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("common.class")), h("th", { scope: "col", class: "number" }, t("reports.count")), h("th", { scope: "col", class: "number" }, t("reports.share")))),
    h("tbody", {}, CLASSES.map((name) => [name, sumOf(report.intervals, (row) => total(row.volume, name))]).filter(([name, count]) => count || name !== "unknown").map(([name, count]) => h("tr", {}, h("td", {}, h("span", { class: "class-row" }, h("i", { class: `dot ${name}` }), t(`common.class_${name}`))), h("td", { class: "number" }, number(count)), h("td", { class: "number" }, percent(whole ? count / whole : null, 1))))),
    h("tfoot", {}, h("tr", {}, h("th", { scope: "row" }, t("common.total")), h("td", { class: "number" }, h("strong", {}, number(whole))), h("td", {})))));
}

function showPeaks(report) {
  const rows = [[t("common.junction"), report.peak_hour], ...Object.entries(report.approach_peak_hours).map(([id, peak]) => [approachName(id), peak])];
  fill($("#peaks"), h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": t("reports.peaks") }, h("table", {}, h("caption", { class: "visually-hidden" }, t("reports.peaks")),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("common.approach")), h("th", { scope: "col" }, t("reports.peak_hour")), h("th", { scope: "col", class: "number" }, t("reports.volume")), h("th", { scope: "col", class: "number" }, t("reports.quarters")), h("th", { scope: "col", class: "number" }, "PHF"))),
    h("tbody", {}, rows.map(([name, peak]) => h("tr", {}, h("th", { scope: "row" }, name), peak ? [h("td", {}, `${day(peak.start)} ${clock(peak.start)} – ${clock(peak.end)}`), h("td", { class: "number" }, number(peak.volume)), h("td", { class: "number" }, peak.quarters.map((each) => number(each)).join(" + ")), h("td", { class: "number" }, number(peak.phf, 2))] : h("td", { colspan: "4", class: "muted" }, t("reports.no_peak"))))))));
}

// --- excluded periods

async function showExcluded() {
  const site = state.asked?.site ?? $("#site").value;
  $("#exclude").hidden = !may("operator") || !site;
  if (!site) return;
  const rows = (await freshest("excluded", all(`/v1/exclusions?site=${encodeURIComponent(site)}&withdrawn=true`)))?.reverse();
  if (!rows) return;
  fill($("#excluded"), rows.length ? h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": t("reports.excluded") }, h("table", {}, h("caption", { class: "visually-hidden" }, t("reports.excluded")),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("common.from")), h("th", { scope: "col" }, t("common.to")), h("th", { scope: "col" }, t("common.approach")), h("th", { scope: "col" }, t("reports.reason")), h("th", { scope: "col" }, t("reports.by_whom")))),
    h("tbody", {}, rows.map((row) => { const gone = row.withdrawn_at ? "withdrawn" : null; return h("tr", {}, h("td", { class: gone }, dateTime(row.start)), h("td", { class: gone }, dateTime(row.end)), h("td", { class: gone }, row.approach ? approachName(row.approach) : t("reports.all_approaches")), h("td", { class: gone }, row.reason),
      h("td", {}, row.author, row.withdrawn_at ? h("div", { class: "muted small" }, t("reports.withdrawn_by", { who: row.withdrawn_by, time: dateTime(row.withdrawn_at) })) : may("operator") ? h("div", {}, h("button", { type: "button", class: "plain", "aria-label": `${t("reports.withdraw")}: ${row.reason}`, onclick: () => withdraw(row) }, t("reports.withdraw"))) : null)); })))) : empty(t("reports.no_excluded")));
}

function withdraw(row) {
  const box = dialog(t("reports.withdraw"), h("p", {}, row.reason), h("p", {}, t("reports.withdraw_sure")), h("div", { class: "buttons" }, h("button", { type: "button", onclick: () => box.close() }, t("common.cancel")),
    h("button", { type: "button", class: "primary", onclick: () => post(`/v1/exclusions/${row.id}/withdraw`).then(() => { box.close(); toast(t("reports.withdrawn_done")); make(); }, (error) => { box.close(); toast(error.message); }) }, t("reports.withdraw"))));
}

function exclude() {
  const [start, end] = state.asked?.period ?? [dayStart(today()), new Date()];
  const form = h("form", { onsubmit: async (event) => {
    event.preventDefault();
    const from = localMoment(form.elements.start.value), to = localMoment(form.elements.end.value);
    try {
      await post("/v1/exclusions", { site: state.asked.site, approach: form.elements.approach.value || null, start: from?.toISOString() ?? "", end: to?.toISOString() ?? "", reason: form.elements.reason.value });
      box.close();
      toast(t("reports.excluded_done"));
      make();
    } catch (error) { formFault(form, error); }
  } }, field("ex-start", t("common.from"), h("input", { id: "ex-start", name: "start", type: "datetime-local", required: true, value: localText(start) })),
  field("ex-end", t("common.to"), h("input", { id: "ex-end", name: "end", type: "datetime-local", required: true, value: localText(end) })),
  field("ex-approach", t("common.approach"), h("select", { id: "ex-approach", name: "approach" }, option("", t("reports.all_approaches")), state.approaches.map((each) => option(each.id, each.name || each.id)))),
  field("ex-reason", t("reports.reason"), h("input", { id: "ex-reason", name: "reason", required: true, maxlength: "500" }), t("reports.reason_hint")),
  h("div", { class: "buttons" }, h("button", { type: "button", onclick: () => box.close() }, t("common.cancel")), h("button", { type: "submit", class: "primary" }, t("common.save"))));
  const box = dialog(t("reports.exclude_title"), form);
}

// --- a manual count beside it

async function compareManual(event) {
  event.preventDefault();
  const form = $("#compare"), file = $("#manual").files[0];
  formFault(form, null);
  if (!file || !state.asked) return;
  fill($("#compared"), h("p", { class: "muted" }, t("reports.comparing")));
  try {
    const told = await post(`/v1/reports/${encodeURIComponent(state.asked.site)}/compare?${query({ interval: $("#manual-interval").value, language })}`, new Blob([await file.arrayBuffer()], { type: "text/csv" }), { headers: { "Content-Type": "text/csv" } });
    showComparison(told);
  } catch (error) { fill($("#compared"), h("p", { class: "notice bad", role: "alert" }, error.message)); }
}

function showComparison(told) {
  const events = told.lines.some((line) => line.events);
  const name = (line) => (line.kind === "all" ? t("reports.everything") : line.kind === "class" ? t(`common.class_${line.id}`) : [line.id, line.direction ? t(`reports.gate_${line.direction}`) : null].filter(Boolean).join(" · "));
  const ratio = (told) => (told ? `${number(told.value, 2)} (${number(told.low, 2)}–${number(told.high, 2)})` : number(null));
  const signed = (share) => (share === null ? number(null) : `${share > 0 ? "+" : ""}${percent(share, 1)}`);
  fill($("#compared"), h("p", {}, t("reports.compared_time", { start: dateTime(told.start), end: dateTime(told.end), minutes: number(told.compared_seconds / 60) })),
    told.geh_below_5_share === null ? null : h("p", {}, h("strong", {}, t("reports.geh_share", { share: percent(told.geh_below_5_share) }))),
    h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": t("reports.compare") }, h("table", {}, h("caption", { class: "visually-hidden" }, t("reports.compare")),
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("reports.compared_what")), ["manual", "ours", "bias", "wape", "geh", "ratio", ...(events ? ["f1", "chance"] : [])].map((each) => h("th", { scope: "col", class: "number" }, t(`reports.${each}`))))),
      h("tbody", {}, told.lines.map((line) => h("tr", {}, h("th", { scope: "row" }, name(line)), h("td", { class: "number" }, number(line.manual)), h("td", { class: "number" }, number(line.ours)), h("td", { class: "number" }, signed(line.bias)), h("td", { class: "number" }, percent(line.wape, 1)), h("td", { class: "number" }, number(line.geh ? Math.max(...line.geh) : null, 1)), h("td", { class: "number" }, ratio(line.true_per_counted)),
        events ? [h("td", { class: "number" }, number(line.events?.["0.5"]?.f1 ?? null, 2)), h("td", { class: "number" }, number(line.events?.["0.5"]?.chance ?? null, 2))] : null))))),
    told.notes.length ? h("ul", { class: "notes small" }, told.notes.map((note) => h("li", {}, note))) : null);
}

// --- the page

async function start() {
  state.sites = (await all("/v1/sites")).filter((site) => site.kind === "junction").sort((a, b) => (a.name || a.id).localeCompare(b.name || b.id, language));
  if (!state.sites.length) {
    fill($("#main"), h("h1", {}, t("reports.title")), h("div", { class: "card" }, empty(t("reports.no_junctions"), [h("p", {}, t("reports.no_junctions_step")), toSetup()])));
    return;
  }
  const asked = new URLSearchParams(location.search);
  // The city's own order begins with what was registered first; a watched junction says more than an empty one.
  const live = asked.get("site") ? null : await get("/v1/live").catch(() => null);
  const first = asked.get("site") ?? live?.cameras.find((camera) => camera.state === "live" && camera.site)?.site ?? state.sites[0].id;
  fill($("#site"), state.sites.map((site) => option(site.id, site.name || site.id, site.id === first)));
  for (const [id, name] of [["period", "period"], ["interval", "interval"], ["from", "from"], ["to", "to"]]) if (asked.get(name)) $(`#${id}`).value = asked.get(name);
  if (!$("#period").value) $("#period").value = "today";
  if (!$("#interval").value) $("#interval").value = "15min";
  if (!$("#from").value) { $("#from").value = `${today()}T06:00`; $("#to").value = `${today()}T09:00`; }
  const own = () => document.querySelectorAll(".own").forEach((node) => { node.hidden = $("#period").value !== "own"; });
  own();
  $("#period").addEventListener("change", own);
  for (const id of ["site", "period", "interval"]) $(`#${id}`).addEventListener("change", () => { if ($("#period").value !== "own") make(); });
  $("#choice").addEventListener("submit", (event) => { event.preventDefault(); make(); });
  $("#class").addEventListener("change", showTmc);
  $("#print").addEventListener("click", () => print());
  $("#exclude").addEventListener("click", exclude);
  $("#compare").addEventListener("submit", compareManual);
  await make();
}

start().catch((error) => fill($("#fault"), failed(error, () => location.reload())));
