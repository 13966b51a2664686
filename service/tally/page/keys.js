// What each key asks for.

import { addMark, editMark, undo } from "./change.js";
import { ACTIONS, chooseGate, chooseNext, chooseOrigin } from "./go.js";
import { $, state } from "./state.js";
import { CLASSES } from "./tables.js";

const KEYS = {
  " ": "play", ",": "previous", ".": "next", ArrowLeft: "previous", ArrowRight: "next",
  j: "back5", l: "forward5", PageUp: "back5", PageDown: "forward5", Home: "first", End: "last",
  "-": "slower", "+": "faster", "=": "faster", g: "lastMark", z: "enlarge",
  ArrowUp: "previousMark", ArrowDown: "nextMark", i: "in", o: "out", "[": "begin", "]": "end",
  Backspace: "undo", Delete: "remove", q: "sure", Enter: "edit", "?": "help",
};

export function onKey(event) {
  if ($("help").open || event.isComposing) return;
  if (event.key === "Escape") return leave(event);
  const presses = event.key === " " || event.key === "Enter";
  if (isForm(event.target) || (presses && event.target.closest("button"))) return;
  const work = workOf(event);
  if (!work) return;
  event.preventDefault();
  work();
}

/** What a key press asks for, or undefined. */
function workOf(event) {
  const { key, code, shiftKey: shift, repeat } = event;
  const letter = key.length === 1 ? key.toLowerCase() : key;
  if (event.altKey) return undefined;
  if (event.ctrlKey || event.metaKey) return letter === "z" && !shift ? undo : undefined;
  if (key === "Tab") return event.target === $("stage") ? () => chooseNext(shift ? -1 : 1) : undefined;
  // By its place: on a Vietnamese layout the row of digits types letters.
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(code)?.[1];
  if (digit === "0") return () => chooseOrigin("");
  if (digit && shift) return () => chooseOrigin(state.clip.gates[digit - 1]?.id);
  if (digit) return () => chooseGate(digit - 1);
  const kind = CLASSES.find((each) => each.key === letter);
  if (kind) return repeat ? () => {} : () => (shift ? editMark({ class: kind.name }) : addMark(kind.name));
  if (shift && key === "ArrowLeft") return ACTIONS.back1;
  if (shift && key === "ArrowRight") return ACTIONS.forward1;
  return ACTIONS[KEYS[letter]];
}

/** Whether an element takes keys for itself. */
function isForm(element) {
  return element.matches("input, select, textarea") && element.type !== "checkbox";
}

/** Escape goes from the picture to the list, and from anywhere else to the picture. */
function leave(event) {
  event.preventDefault();
  $(event.target === $("stage") ? "marks" : "stage").focus();
}
