// What a drawing would have counted, beside what the saved one did.
import { fill, h } from "../dom.js";
import { number, t } from "../words.js";

const total = (byClass) => Object.values(byClass ?? {}).reduce((a, b) => a + b, 0);

function rows(view, counted) {
  if (!view || !counted) return new Map();
  const found = new Map();
  for (const gate of view.gates) for (const way of ["in", "out"]) found.set(`${gate.id} ${way}`, { name: gate.name || gate.id, way: t(`setup_camera.${way}`), count: total(counted.gates[gate.id]?.[way]) });
  for (const each of view.movements) found.set(`movement ${each.id}`, { name: each.id, way: t(`common.turn_${each.turn}`), count: total(counted.movements[each.id]) });
  return found;
}

export function showTrial(node, view, counted, savedView, saved) {
  const now = rows(view, counted);
  const before = rows(savedView, saved);
  const keys = [...new Set([...now.keys(), ...before.keys()])].filter((key) => now.get(key)?.count || before.get(key)?.count || !key.startsWith("movement"));
  const difference = (key) => {
    if (!now.has(key) || !before.has(key)) return "—";
    const by = now.get(key).count - before.get(key).count;
    return by > 0 ? `+${number(by)}` : number(by);
  };
  const minutes = counted.observed_seconds / 60;
  fill(node, h("p", {}, t("setup_camera.watched", { minutes: number(minutes, minutes < 10 ? 1 : 0), crossings: number(counted.crossings) })),
    h("div", { class: "scroll" }, h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("setup_camera.gate_or_movement")), h("th", { scope: "col" }, t("setup_camera.way")), h("th", { scope: "col", class: "number" }, t("setup_camera.as_drawn")), saved ? [h("th", { scope: "col", class: "number" }, t("setup_camera.as_saved")), h("th", { scope: "col", class: "number" }, t("setup_camera.difference"))] : null)),
      h("tbody", {}, keys.map((key) => h("tr", {}, h("th", { scope: "row" }, (now.get(key) ?? before.get(key)).name), h("td", {}, (now.get(key) ?? before.get(key)).way), h("td", { class: "number" }, now.has(key) ? number(now.get(key).count) : "—"), saved ? [h("td", { class: "number" }, before.has(key) ? number(before.get(key).count) : "—"), h("td", { class: "number" }, difference(key))] : null))))));
}
