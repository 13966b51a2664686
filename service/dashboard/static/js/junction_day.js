// The day of one junction beside the usual day: entering vehicles, density and queue by approach.
import { all, get } from "./api.js";
import { timeChart } from "./charts.js";
import { $, empty, fill } from "./dom.js";
import { classColour, colour } from "./palette.js";
import { number, t, tz } from "./words.js";

const DAY = 86_400_000;

// Midnight of the site's clock as a moment, and the day's name.
function midnight(now = new Date()) {
  const parts = Object.fromEntries(new Intl.DateTimeFormat("en-CA", { timeZone: tz, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" })
    .formatToParts(now).map((part) => [part.type, part.value]));
  const passed = Number(parts.hour) * 3600 + Number(parts.minute) * 60 + Number(parts.second);
  return { start: new Date(Math.floor(now.getTime() / 1000) * 1000 - passed * 1000), day: `${parts.year}-${parts.month}-${parts.day}` };
}

// Sums by moment; a moment at which one of them was not observed has no sum.
function added(rows, value) {
  const found = new Map();
  for (const row of rows) {
    const before = found.has(row.start) ? found.get(row.start) : 0;
    found.set(row.start, before === null || row[value] === null ? null : before + row[value]);
  }
  return [...found].sort((a, b) => a[0].localeCompare(b[0]));
}

export async function showDay(site, nameOf) {
  const { start, day } = midnight();
  const end = new Date();
  const range = [start, new Date(start.getTime() + DAY)];
  const period = `start=${encodeURIComponent(start.toISOString())}&end=${encodeURIComponent(end.toISOString())}&site=${encodeURIComponent(site)}`;
  const [approaches, usual] = await Promise.all([all(`/v1/intervals/approaches?${period}`), get(`/v1/counts/usual/${encodeURIComponent(site)}/${day}`)]);
  const known = (rows) => rows.some(([, value]) => value !== null);
  const nothing = (node) => fill(node, empty(t("junction.nothing_today"), t("junction.nothing_today_step")));
  const accent = colour("--accent");
  const today = added(approaches, "count"), expected = added(usual.items, "entering");
  const series = [{ name: t("common.today"), colour: accent, kind: "bar", data: today }];
  const days = Math.max(0, ...usual.items.map((each) => each.days));
  if (known(expected)) series.push({ name: t("junction.usual", { days: number(days) }), colour: classColour("bus"), dashed: true, data: expected });
  if (series.some((each) => known(each.data))) timeChart($("#day-flow"), { title: t("junction.day_flow"), unit: t("junction.per_quarter"), series, range });
  else nothing($("#day-flow"));
  $("#no-usual").hidden = known(expected);
  const colours = [accent, classColour("bus"), classColour("bicycle"), classColour("truck"), classColour("motorcycle"), classColour("car")];
  const names = [...new Set(approaches.map((each) => each.approach))];
  const by = (figure) => names.map((name, index) => ({ name: nameOf(name), colour: colours[index % colours.length], data: approaches.filter((each) => each.approach === name).map((each) => [each.start, each[figure]]) }));
  for (const [id, figure, unit] of [["day-density", "density_per_km", t("common.per_km")], ["day-queue", "queue_max_m", t("common.metres")]]) {
    const lines = by(figure);
    const node = $(`#${id}`);
    if (lines.some((each) => known(each.data))) timeChart(node, { title: t(`junction.${id.replace("-", "_")}`), unit, series: lines, range });
    else if (names.length) fill(node, empty(t("common.not_observed"), t("junction.needs_calibration")));
    else nothing(node);
  }
}
