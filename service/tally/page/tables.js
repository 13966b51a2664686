// The matrix of gates and classes, which chooses and counts at once, and the list of marks.

import { clock, text } from "./texts.js";

export const CLASSES = [
  { name: "motorcycle", key: "m" },
  { name: "car", key: "c" },
  { name: "bus", key: "b" },
  { name: "truck", key: "t" },
  { name: "bicycle", key: "y" },
  { name: "unknown", key: "u" },
];
const NEAR = 0.5; // seconds: marks about the frame shown stand out, so that none is made twice

function element(name, options = {}, ...children) {
  const { data = {}, ...properties } = options;
  const made = Object.assign(document.createElement(name), properties);
  Object.assign(made.dataset, data);
  made.append(...children);
  return made;
}

/** One row a gate and direction, one column a class; heads of columns mark, heads of rows choose. */
export function drawMatrix(table, clip, marks, chosen) {
  const sums = new Map();
  const add = (key) => sums.set(key, (sums.get(key) ?? 0) + 1);
  for (const { gate, direction, class: kind } of marks) {
    for (const row of [`${gate} ${direction}`, "all"]) for (const column of [kind, "sum"]) add(`${row} ${column}`);
  }
  const cells = (row) =>
    [...CLASSES.map(({ name }) => name), "sum"].map((column) => {
      const count = sums.get(`${row} ${column}`) ?? 0;
      return element("td", { className: count ? "number" : "number zero", textContent: count });
    });
  const head = element(
    "tr",
    {},
    element("th", { scope: "col", textContent: text("gate") }),
    ...CLASSES.map(({ name, key }) =>
      element(
        "th",
        { scope: "col" },
        element("button", { type: "button", data: { mark: name } }, element("kbd", { textContent: key.toUpperCase() }), text(name)),
      ),
    ),
    element("th", { scope: "col", className: "sum", textContent: text("total") }),
  );
  const rows = clip.gates.flatMap((gate, index) =>
    ["in", "out"].map((direction) => {
      const active = gate.id === chosen.gate && direction === chosen.direction;
      const arrow = direction === "in" ? "→" : "←";
      const button = element(
        "button",
        { type: "button", title: gate.name || gate.id, ariaPressed: String(active), data: { gate: gate.id, direction } },
        element("kbd", { textContent: index < 9 ? index + 1 : "", className: direction === "in" ? "" : "ghost" }),
        element("span", { className: "gate-id", textContent: gate.id }),
        element("span", { className: "direction", textContent: `${arrow} ${text(direction)}` }),
      );
      return element(
        "tr",
        { className: active ? "chosen" : "" },
        element("th", { scope: "row" }, button),
        ...cells(`${gate.id} ${direction}`),
      );
    }),
  );
  const total = element("tr", { className: "total" }, element("th", { scope: "row", textContent: text("all") }), ...cells("all"));
  table.replaceChildren(
    element("thead", {}, head),
    element("tbody", {}, ...rows),
    element("tfoot", {}, total),
  );
  table.querySelector("tr.chosen")?.scrollIntoView({ block: "nearest" });
}

/** The list of marks; only rows that differ are made anew, so that thousands do not slow a key press. */
export class MarkList {
  #rows = new Map();
  #pointed = [];

  constructor(list) {
    this.list = list;
  }

  draw(marks, anew = false) {
    const present = new Set(marks.map((mark) => mark.id));
    for (const [id, { row }] of this.#rows) {
      if (anew || !present.has(id)) {
        row.remove();
        this.#rows.delete(id);
      }
    }
    let before = null;
    for (const mark of marks.toReversed()) {
      const known = this.#rows.get(mark.id);
      const row = known?.mark === mark ? known.row : this.#make(mark);
      if (known && known.row !== row) known.row.remove();
      if (row.nextSibling !== before || row.parentNode !== this.list) this.list.insertBefore(row, before);
      this.#rows.set(mark.id, { mark, row });
      before = row;
    }
  }

  /** Show which mark is selected and which are near in time. */
  point(selected, now) {
    for (const row of this.#pointed) {
      row.ariaSelected = "false";
      row.classList.remove("near");
    }
    this.#pointed = [];
    for (const { mark, row } of this.#rows.values()) {
      const near = Math.abs(mark.time - now) <= NEAR;
      if (!near && mark.id !== selected) continue;
      row.classList.toggle("near", near);
      row.ariaSelected = String(mark.id === selected);
      this.#pointed.push(row);
    }
    this.list.setAttribute("aria-activedescendant", this.#rows.get(selected)?.row.id ?? "");
  }

  reveal(id) {
    this.#rows.get(id)?.row.scrollIntoView({ block: "nearest" });
  }

  #make(mark) {
    return element(
      "div",
      { className: "mark", id: `mark-${mark.id}`, role: "option", ariaSelected: "false", data: { id: mark.id } },
      element("span", { className: "number", textContent: clock(mark.time) }),
      element("span", { textContent: `${mark.gate} ${mark.direction === "in" ? "→" : "←"} ${text(mark.direction)}` }),
      element("strong", { textContent: text(mark.class) + (mark.sure ? "" : " ?") }),
      element("span", { className: "quiet rest", textContent: [mark.movement, mark.note].filter(Boolean).join(" · ") }),
    );
  }
}

/** All keys, by what they are for. */
export function drawHelp(place) {
  const groups = {
    helpMark: [
      ...CLASSES.map(({ name, key }) => [[key.toUpperCase()], name]),
      [["1 … 9"], "helpGate"], [["I", "O"], "helpDirection"], [["Tab", "⇧ Tab"], "helpTab"], [["⇧ 1 … 9", "0"], "helpOrigin"],
    ],
    helpMove: [
      [["Space"], "helpPlay"], [["←", "→", ",", "."], "helpFrame"], [["⇧ ←", "⇧ →"], "helpSecond"],
      [["J", "L", "PgUp", "PgDn"], "helpFive"], [["−", "+"], "helpSpeed"], [["Home", "End"], "helpEnds"],
      [["G"], "helpLast"], [["↑", "↓"], "helpNeighbour"], [["Z"], "helpEnlarge"], [["[", "]"], "helpStretch"],
    ],
    helpCorrect: [
      [["⌫", "Ctrl Z"], "helpUndo"], [["⇧ M … U"], "helpReclass"], [["Q"], "helpSure"], [["Del"], "helpDelete"],
      [["Enter"], "helpEdit"], [["Esc"], "helpEscape"], [["?"], "helpHelp"],
    ],
  };
  const line = ([keys, what]) => [
    element("dt", {}, ...keys.flatMap((key) => [element("kbd", { textContent: key }), " "])),
    element("dd", { textContent: text(what) }),
  ];
  const group = ([heading, lines]) =>
    element("section", {}, element("h3", { textContent: text(heading) }), element("dl", {}, ...lines.flatMap(line)));
  place.replaceChildren(...Object.entries(groups).map(group));
  place.firstChild.firstChild.after(element("p", { textContent: text("helpClass") }));
}
