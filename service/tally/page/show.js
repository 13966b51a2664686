// Puts on the page what the state says.

import { ApiError } from "./api.js";
import { drawCounted, drawGates, drawTicks, enlarge } from "./overlay.js";
import { $, state } from "./state.js";
import { CLASSES, MarkList, drawHelp, drawMatrix } from "./tables.js";
import { clock, text, translate } from "./texts.js";

export const list = new MarkList($("marks"));

export function say(key, values) {
  $("status").textContent = text(key, values);
}

export function sayCount() {
  say("saved", { count: state.marks.length, file: state.clip.file });
}

export function warn(key, values) {
  $("alert").textContent = key ? text(key, values) : "";
  $("alert").hidden = !key;
}

export function failed(error) {
  state.player?.pause();
  if (!(error instanceof ApiError)) throw error;
  if (error.status === 0) warn("noAnswer");
  else if (error.status === 401) warn("refused");
  else warn("notSaved", { why: error.message });
}

export function showFrame() {
  const number = state.player.shown;
  const time = state.times[number];
  $("stage").dataset.frame = number;
  $("seek").value = number;
  $("seek").ariaValueText = clock(time);
  $("moment").textContent = `${clock(time)} · ${text("frame", { number, last: state.times.length - 1 })}`;
  $("clock").textContent = localClock(time);
  list.point(state.selected, time);
}

function localClock(time) {
  const options = { dateStyle: "short", timeStyle: "medium", timeZone: state.clip.tz };
  return new Intl.DateTimeFormat(document.documentElement.lang, options).format((state.clip.start + time) * 1000);
}

export function showStretch() {
  $("stretch").textContent = text("stretch", { begin: clock(state.counted[0], 1), end: clock(state.counted[1], 1) });
  drawCounted($("counted"), state.times.at(-1), state.counted);
}

export function showPlayer() {
  const { playing, speed, reached } = state.player;
  $("play-words").textContent = playing ? `❚❚ ${text("pause")}` : `▶ ${text("play")}`;
  $("speed").textContent = `×${speed}` + (reached ? ` (${text("slow", { real: `×${reached.toFixed(2)}` })})` : "");
}

export function showGate() {
  const { clip, marks, chosen, enlarged } = state;
  drawMatrix($("matrix"), clip, marks, chosen);
  drawGates($("overlay"), clip, chosen);
  enlarge($("enlarged"), enlarged && clip.gates.find((gate) => gate.id === chosen.gate).line);
  $("enlarge").ariaPressed = String(enlarged);
  $("origin").value = chosen.origin;
  const known = clip.movements.find((each) => each.from === chosen.origin && each.to === chosen.gate);
  const turn = known ? ` (${text(known.turn)})` : "";
  $("movement").textContent = chosen.origin ? `→ ${chosen.gate}${turn}` : text("movementHint");
}

export function showMarks(anew = false) {
  state.marks.sort((a, b) => a.time - b.time || a.id - b.id);
  list.draw(state.marks, anew);
  list.point(state.selected, state.times[state.player.shown]);
  drawMatrix($("matrix"), state.clip, state.marks, state.chosen);
  drawTicks($("mark-ticks"), state.times.at(-1), state.marks);
  showStretch();
  showEdit();
  $("none").hidden = state.marks.length > 0;
}

export function showEdit() {
  const mark = state.marks.find((each) => each.id === state.selected);
  $("edit").hidden = !mark;
  if (!mark) return;
  $("edit-class").value = mark.class;
  $("edit-unsure").checked = !mark.sure;
  if (document.activeElement !== $("edit-note")) $("edit-note").value = mark.note;
}

export function showAll() {
  translate();
  const fill = (select, options) =>
    select.replaceChildren(...options.map(([value, words]) => new Option(words, value)));
  fill($("edit-class"), CLASSES.map(({ name }) => [name, text(name)]));
  fill($("origin"), [["", text("notMarked")], ...state.clip.gates.map((gate) => [gate.id, gate.id])]);
  showGate();
  showMarks(true);
  showPlayer();
  drawHelp($("help-keys"));
  if (state.player.shown >= 0) showFrame();
}

export const described = (mark) =>
  text("marked", { class: text(mark.class), gate: mark.gate, direction: text(mark.direction), time: clock(mark.time) });
