// Charts of one look, each with its figures as a table for whoever cannot see it.
/* global echarts */
import { h, rem } from "./dom.js";
import { classColour, colour, ink, levelColour } from "./palette.js";
import { clock, day, language, number, t, tz } from "./words.js";

const muted = () => colour("--muted");
const line = () => colour("--line");

const drawn = new WeakMap(); // what stands in a node, to be ended before another takes its place
const redraws = new Set();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => redraws.forEach((draw) => draw()));

// series: [{name, colour, data: [[time, value|null], …], kind: "line"|"bar", stack, dashed}]; times as Date or ISO
// text. `dates`: days along the axis instead of hours; `range`: [start, end] of the axis.
export function timeChart(node, { title, unit, series, percent = false, dates = false, range = null }) {
  const open = node.querySelector("details")?.open ?? false;
  drawn.get(node)?.();
  const box = h("div", { class: "chart", role: "img", "aria-label": title });
  const write = (time) => (dates ? day : clock)(new Date(time));
  node.replaceChildren(box, figures(title, unit, series, write, open));
  const chart = echarts.init(box, null, { renderer: "canvas" });
  let em = rem(); // all sizes are in it, so that the chart grows with the page
  const options = () => ({
    animation: false, textStyle: { fontFamily: "Inter, sans-serif", color: ink() },
    aria: { enabled: true, label: { enabled: false }, decal: { show: series.length > 1 && series.every((each) => each.kind === "bar") } },
    grid: { left: .5 * em, right: em, top: 4.5 * em, bottom: .5 * em, containLabel: true },
    legend: { top: 0, left: 0, textStyle: { color: ink(), fontSize: .875 * em }, inactiveColor: muted(), icon: "roundRect", itemWidth: .875 * em, itemHeight: .625 * em, itemGap: .75 * em },
    tooltip: { trigger: "axis", renderMode: "richText", textStyle: { fontSize: .875 * em }, axisPointer: { label: { formatter: ({ value }) => write(value) } }, valueFormatter: (value) => `${number(value, percent || value >= 10 ? 0 : 1)} ${unit}` },
    xAxis: { type: "time", min: range ? +range[0] : null, max: range ? +range[1] : null, axisLabel: { color: muted(), fontSize: .8125 * em, margin: .5 * em, formatter: (value) => (dates ? write(value).slice(0, 5) : write(value)), hideOverlap: true }, axisLine: { lineStyle: { color: line() } }, splitNumber: 6 },
    yAxis: { type: "value", name: unit, min: 0, max: percent ? 100 : null, nameTextStyle: { color: muted(), fontSize: .8125 * em, align: "left" }, nameGap: em, axisLabel: { color: muted(), fontSize: .8125 * em, margin: .5 * em, formatter: (value) => number(value, Number.isInteger(value) ? 0 : 1) }, splitLine: { lineStyle: { color: line() } } },
    series: series.map((each) => ({
      name: each.name, type: each.kind ?? "line", stack: each.stack, showSymbol: lonely(each.data), symbolSize: .45 * em, connectNulls: false, barMaxWidth: 1.75 * em, barMinWidth: 2,
      data: beside(each).map(([time, value]) => [time instanceof Date ? time : new Date(time), value]),
      itemStyle: { color: each.colour }, lineStyle: { color: each.colour, width: .16 * em, type: each.dashed ? "dashed" : "solid" }, areaStyle: each.area ? { opacity: 0.15 } : undefined,
    })),
  });
  const draw = () => { em = rem(); chart.setOption(options(), true); };
  draw();
  redraws.add(draw);
  const watch = new ResizeObserver(() => { chart.resize(); if (rem() !== em) draw(); });
  watch.observe(box);
  drawn.set(node, () => { watch.disconnect(); redraws.delete(draw); chart.dispose(); });
  return chart;
}

// A lone bar has nothing to take its width from, and would be as wide as the axis: an empty quarter follows it.
const beside = ({ kind, data }) => (kind === "bar" && data.length === 1 ? [...data, [new Date(+new Date(data[0][0]) + 900_000), null]] : data);

// Whether a line would be invisible: no two known values stand side by side.
const lonely = (data) => data.every(([, value], index) => value === null || index === 0 || data[index - 1][1] === null);

function figures(title, unit, series, write, open) {
  const times = [...new Set(series.flatMap((each) => each.data.map(([time]) => +new Date(time))))].sort((a, b) => a - b);
  const values = series.map((each) => new Map(each.data.map(([time, value]) => [+new Date(time), value])));
  return h("details", { class: "small no-print", open }, h("summary", {}, t("common.show_table")),
    h("div", { class: "scroll figures", tabindex: 0, role: "region", "aria-label": title }, h("table", {}, h("caption", { class: "visually-hidden" }, `${title} (${unit})`),
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("common.time")), series.map((each) => h("th", { scope: "col", class: "number" }, each.name)))),
      h("tbody", {}, times.map((time) => h("tr", {}, h("td", {}, write(time)), values.map((found) => h("td", { class: "number" }, number(found.get(time) ?? null, 0)))))))));
}

export { turningDiagram } from "./turning.js";
export { classColour, levelColour, tz };
