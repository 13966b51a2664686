// Coverage: four figures against the target, what is missing and the next step, how it goes, by area, on a map.
import { all, freshest, get } from "./api.js";
import { timeChart } from "./charts.js";
import { empty, setText } from "./dom.js";
import { makeMap } from "./map.js";
import { $, addDays, dayStart, failed, fill, h, keep, option, section, sortedTable, toSetup, today } from "./pieces.js";
import { classColour, colour } from "./palette.js";
import { dateTime, day, language, number, percent, t } from "./words.js";

const KINDS = ["junction", "public_area"];
const state = { gaps: [], all: 0, sites: [], map: null };
const kindName = (kind) => t(kind === "junction" ? "common.junction" : "common.public_area");

function tile(figures, name) {
  const share = figures[name];
  return h("div", { class: "card" }, h("h3", {}, t(`coverage.${name}`)), h("div", { class: "figure", "data-figure": `${figures.kind}-${name}` }, percent(share, 1)),
    name === "time_weighted" || share === null ? null : h("p", { class: "small" }, t("coverage.sites_of", { some: number(Math.round(share * figures.sites)), all: number(figures.sites) })),
    h("p", { class: "muted small" }, t(`coverage.about_${name}`)));
}

function kindCards(figures) {
  const { effective: share, target, kind } = figures;
  const points = share === null ? null : (target - share) * 100;
  return h("section", { class: "kind", "aria-labelledby": `kind-${kind}` },
    h("h2", { id: `kind-${kind}` }, t(kind === "junction" ? "coverage.key_junctions" : "coverage.key_public_areas", { count: number(figures.sites) })),
    h("div", { class: "card main" }, h("h3", {}, t("coverage.effective")), h("div", { class: "figure", "data-figure": `${kind}-effective` }, percent(share, 1)),
      h("div", { class: "target", "aria-hidden": "true" }, h("div", { class: `bar ${figures.reached ? "reached" : "missed"}` }, h("i", { style: { width: `${100 * (share ?? 0)}%` } })), h("b", { style: { left: `${100 * target}%` } })),
      share === null ? null : h("p", {}, h("span", { class: `chip ${figures.reached ? "good" : "warn"}` }, figures.reached ? t("coverage.reached", { target: percent(target) }) : t("coverage.missed", { points: number(points, 1), target: percent(target) })), " ",
        h("span", { class: "small" }, t("coverage.sites_of", { some: number(Math.round(share * figures.sites)), all: number(figures.sites) }))),
      h("p", { class: "muted small" }, t(`coverage.about_effective_${kind}`))),
    ["installed", "operational", "time_weighted"].map((name) => tile(figures, name)));
}

async function showNow() {
  const report = await get(`/v1/coverage?language=${language}`);
  setText($("#as-of"), t("common.as_of", { time: dateTime(report.at) }));
  const kinds = report.figures.filter((each) => each.sites > 0);
  fill($("#figures"), kinds.length ? KINDS.map((kind) => kinds.find((each) => each.kind === kind)).filter(Boolean).map(kindCards)
    : h("div", { class: "card" }, empty(t("coverage.no_sites"), [h("p", {}, t("coverage.no_sites_step")), toSetup()])));
  $("#rest").hidden = !kinds.length; // without a site there is nothing to trend, list or map
  state.gaps = report.gaps;
  state.all = kinds.reduce((sum, each) => sum + each.sites, 0);
  const chosen = $("#gap-ward").value;
  const wards = [...new Set(report.gaps.map((gap) => gap.ward).filter(Boolean))].sort((a, b) => a.localeCompare(b, language));
  fill($("#gap-ward"), option("", t("coverage.all_wards")), wards.map((ward) => option(ward, ward, ward === chosen)));
  showGaps();
  return report;
}

const siteLink = (id, kind, name) => (kind === "junction" ? h("a", { href: `/junctions/${encodeURIComponent(id)}` }, name || id) : name || id);

function showGaps() {
  const kind = $("#gap-kind").value, ward = $("#gap-ward").value, text = $("#gap-text").value.trim().toLocaleLowerCase(language);
  const rows = state.gaps.filter((gap) => (!kind || gap.kind === kind) && (!ward || gap.ward === ward) && (!text || `${gap.name} ${gap.site}`.toLocaleLowerCase(language).includes(text)));
  setText($("#gap-count"), state.all ? t("coverage.gap_count", { some: number(rows.length), all: number(state.all) }) : "");
  setText($("#gaps-more"), rows.length > 16 ? t("coverage.gaps_more", { count: number(rows.length - 16) }) : "");
  if (!rows.length) return fill($("#gaps"), empty(state.gaps.length ? t("coverage.no_match") : state.all ? t("coverage.no_gaps") : t("coverage.no_sites")));
  const reasons = (gap) => gap.reasons.map((reason) => reason.text).join("; ");
  return fill($("#gaps"), sortedTable(t("coverage.gaps"), [
    { key: "site", label: t("coverage.site"), value: (gap) => gap.name || gap.site, cell: (gap) => siteLink(gap.site, gap.kind, gap.name) },
    { key: "kind", label: t("coverage.kind"), value: (gap) => kindName(gap.kind), cell: (gap) => kindName(gap.kind) },
    { key: "ward", label: t("coverage.ward"), value: (gap) => gap.ward || null, cell: (gap) => gap.ward || h("span", { class: "muted" }, t("coverage.no_area")) },
    { key: "why", label: t("coverage.why"), value: reasons, cell: reasons },
    { key: "step", label: t("coverage.next_step"), value: (gap) => gap.next_step.text, cell: (gap) => h("strong", {}, gap.next_step.text) },
  ], rows, { tall: true }));
}

async function showTrend() {
  const kind = $("#trend-kind").value, span = Number($("#trend-span").value);
  const by = { 28: "day", 84: "week", 365: "month" }[span];
  const start = dayStart(addDays(today(), -span)), end = new Date();
  const report = await freshest("trend", get(`/v1/coverage?language=${language}&by=${by}&start=${encodeURIComponent(start.toISOString())}&end=${encodeURIComponent(end.toISOString())}`));
  if (!report) return null;
  const rows = report.history.filter((each) => each.kind === kind && each.effective !== null);
  const outlook = report.outlook[kind];
  const told = outlook && h("p", { id: "outlook" }, h("strong", {}, outlook.date ? t("coverage.outlook_date", { date: day(outlook.date) }) : t(outlook.reason === "reached" ? "coverage.outlook_reached" : "coverage.outlook_none")),
    outlook.reason === "reached" ? null : h("span", { class: "muted" }, ` · ${outlook.text}`));
  const chart = h("div", {});
  fill($("#trend"), told, chart);
  if (!rows.length) return fill(chart, empty(t("coverage.no_trend"), t("coverage.no_trend_step")));
  const line = (name, shade, more = {}) => ({ name: t(`coverage.${name}`), colour: shade, data: rows.map((each) => [each.start, each[name] === null ? null : 100 * each[name]]), ...more });
  return timeChart(chart, { title: t("coverage.trend"), unit: "%", percent: true, dates: true, series: [
    line("effective", colour("--accent"), { area: true }), line("operational", classColour("bicycle")), line("time_weighted", classColour("truck")),
    { name: t("coverage.target"), colour: classColour("bus"), dashed: true, data: rows.map((each) => [each.start, 100 * each.target]) },
  ] });
}

const bar = (share) => h("div", { class: "share-cell" }, h("div", { class: "bar", "aria-hidden": "true" }, h("i", { style: { width: `${100 * (share ?? 0)}%` } })), h("span", { class: "number" }, percent(share)));

async function showAreas() {
  const rows = await freshest("areas", all(`/v1/coverage/areas?level=${$("#area-level").value}`));
  if (!rows) return null;
  if (!rows.length) return fill($("#areas"), empty(t("coverage.no_sites")));
  return fill($("#areas"), sortedTable(t("coverage.areas"), [
    { key: "area", label: t("coverage.area"), value: (row) => row.area || null, cell: (row) => [row.area || h("span", { class: "muted" }, t("coverage.no_area")), h("div", { class: "muted small" }, kindName(row.kind))] },
    { key: "sites", label: t("coverage.count"), number: true, value: (row) => row.sites, cell: (row) => number(row.sites) },
    { key: "effective", label: t("coverage.effective"), value: (row) => row.effective, cell: (row) => bar(row.effective) },
  ], rows, { sort: { key: "effective" } }));
}

// The same discs as on the wall, here by what is watched.
const LEVEL = { effective: "free", operational: "busy", installed: "slow", none: "jammed" };
const reachedBy = (site) => (site.effective ? "effective" : site.operational ? "operational" : site.installed ? "installed" : "none");

async function showSites() {
  const [found, approaches] = await Promise.all([get(`/v1/coverage/sites?language=${language}`), all("/v1/approaches")]);
  state.sites = found.features.map((each) => ({ ...each.properties, point: each.geometry?.coordinates ?? null }));
  const placed = state.sites.filter((site) => site.point);
  state.map ??= await makeMap($("#map"));
  const places = placed.map((site) => ({ id: site.id, lat: site.point[1], lon: site.point[0], key: true, lost: false, level: LEVEL[reachedBy(site)], label: site.name || site.id, words: `${site.name || site.id}: ${t(`coverage.legend_${reachedBy(site)}`)}`, href: site.kind === "junction" ? `/junctions/${encodeURIComponent(site.id)}` : "#gaps-title" }));
  state.map.suggest(places, approaches);
  state.map.show(places);
  const without = state.sites.length - placed.length;
  $("#unplaced").hidden = !without;
  setText($("#unplaced"), t("coverage.unplaced", { count: number(without) }));
  const mark = (is) => h("span", { class: `mark ${is ? "yes" : "no"}` }, t(is ? "common.yes" : "common.no"));
  fill($("#list-view"), state.sites.length ? sortedTable(t("coverage.sites"), [
    { key: "site", label: t("coverage.site"), value: (site) => site.name || site.id, cell: (site) => siteLink(site.id, site.kind, site.name) },
    { key: "kind", label: t("coverage.kind"), value: (site) => kindName(site.kind), cell: (site) => kindName(site.kind) },
    { key: "ward", label: t("coverage.ward"), value: (site) => site.ward || null, cell: (site) => site.ward || h("span", { class: "muted" }, t("coverage.no_area")) },
    ...["installed", "operational", "effective"].map((name) => ({ key: name, label: t(`coverage.${name}`), value: (site) => Number(site[name]), cell: (site) => mark(site[name]) })),
    { key: "why", label: t("coverage.why"), value: (site) => site.why || null, cell: (site) => site.why },
  ], state.sites, { tall: true }) : empty(t("coverage.no_sites"), t("coverage.no_sites_step")));
}

function showAs(list) {
  $("#map-view").hidden = list;
  $("#list-view").hidden = !list;
  $("#as-map").setAttribute("aria-pressed", String(!list));
  $("#as-list").setAttribute("aria-pressed", String(list));
}

fill($("#legend"), Object.entries(LEVEL).map(([name, level]) => h("span", {}, h("i", { class: `dot ${level}` }), t(`coverage.legend_${name}`))));
$("#print").addEventListener("click", () => print());
for (const id of ["gap-kind", "gap-ward", "gap-text"]) $(`#${id}`).addEventListener("input", showGaps);
for (const id of ["trend-kind", "trend-span"]) $(`#${id}`).addEventListener("change", () => section($("#trend"), showTrend));
$("#area-level").addEventListener("change", () => section($("#areas"), showAreas));
$("#as-map").addEventListener("click", () => showAs(false));
$("#as-list").addEventListener("click", () => showAs(true));
section($("#figures"), showNow);
section($("#trend"), showTrend);
section($("#areas"), showAreas);
showSites().catch((error) => fill($("#list-view"), failed(error, () => location.reload())));
keep(showNow, 30);
keep(showSites, 60);
