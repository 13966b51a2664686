// What changes the count: each goes to the server first, and is shown when that has kept it.

import { change, getJson } from "./api.js";
import { flash } from "./overlay.js";
import { described, list, failed, say, showMarks, showStretch, warn } from "./show.js";
import { $, state } from "./state.js";
import { clock, text } from "./texts.js";

const WATCHED = 1.05; // seconds: who goes on by no more has seen what lies between
const ROUNDED = 0.01; // seconds: the file keeps the stretch to hundredths

let working = 0;
let savedStretch = "";

/** Do what may fail: the person is told, and the list is busy meanwhile. */
export async function attempt(work) {
  working += 1;
  $("marks").ariaBusy = "true";
  try {
    await work();
  } catch (error) {
    failed(error);
  } finally {
    working -= 1;
    $("marks").ariaBusy = String(working > 0);
  }
}

export function addMark(kind) {
  if (state.player.shown < 0) return;
  const { gate, direction, origin } = state.chosen;
  const body = { frame: state.player.shown, gate, direction, class: kind, origin: origin || null };
  attempt(async () => {
    const mark = await change("POST", "marks", body);
    state.marks.push(mark);
    state.selected = mark.id;
    showMarks();
    list.reveal(mark.id);
    say("marked", { class: text(kind), gate, direction: text(direction), time: clock(mark.time) });
    flash($("overlay"), state.clip, gate, `+1 ${text(kind)}`);
    const inside = mark.time >= state.counted[0] - ROUNDED && mark.time <= state.counted[1] + ROUNDED;
    warn(inside ? null : "outside");
    await saveStretch();
  });
}

/** Take the server's marks; those that are as before stay the same objects, and so keep their rows. */
function adopt(kept) {
  const known = new Map(state.marks.map((mark) => [JSON.stringify(mark), mark]));
  state.marks = kept.map((mark) => known.get(JSON.stringify(mark)) ?? mark);
}

export function editMark(changes) {
  const id = state.selected;
  if (id === null) return;
  attempt(async () => {
    const mark = await change("PATCH", `marks/${id}`, changes);
    state.marks = state.marks.map((each) => (each.id === id ? mark : each));
    showMarks();
    list.reveal(id);
    say("changed", { what: described(mark) });
    warn(null);
  });
}

export function removeMark() {
  const index = state.marks.findIndex((each) => each.id === state.selected);
  if (index < 0) return;
  const mark = state.marks[index];
  attempt(async () => {
    await change("DELETE", `marks/${mark.id}`);
    state.marks = state.marks.filter((each) => each.id !== mark.id);
    state.selected = state.marks[Math.min(index, state.marks.length - 1)]?.id ?? null;
    showMarks();
    say("removed", { what: described(mark) });
    warn(null);
  });
}

export function undo() {
  attempt(async () => {
    const answer = await change("POST", "undo");
    adopt(answer.marks);
    if (!state.marks.some((each) => each.id === state.selected)) state.selected = null;
    showMarks();
    say(answer.undone ? "undone" : "nothingToUndo");
    warn(null);
  });
}

export function saveStretch(keepalive = false) {
  const [begin, end] = state.counted;
  const now = `${begin} ${end}`;
  if (now === savedStretch) return Promise.resolve();
  savedStretch = now;
  return change("PUT", "counted", { begin, end }, keepalive).catch((error) => {
    savedStretch = "";
    throw error;
  });
}

/** What was played or stepped through without a gap is counted; the first stretch begins where that did. */
export function watched(number, previous) {
  if (previous < 0) return;
  const [from, to] = [state.times[previous], state.times[number]];
  if (to <= from || to - from > WATCHED) return;
  const empty = state.counted[0] === state.counted[1] && !state.marks.length;
  if (empty) state.counted = [from, to];
  else if (from >= state.counted[0] && from <= state.counted[1] + ROUNDED && to > state.counted[1]) {
    state.counted = [state.counted[0], to];
  } else return;
  showStretch();
}

export function setStretch(side) {
  const now = state.times[state.player.shown];
  const [begin, end] = state.counted;
  state.counted = side === "begin" ? [now, Math.max(now, end)] : [Math.min(now, begin), now];
  showStretch();
  warn(null);
  attempt(saveStretch);
}

/** What another window may have marked meanwhile. */
export async function refresh() {
  const kept = await getJson("tally");
  state.counted = kept.counted;
  adopt(kept.marks);
  showMarks();
}
