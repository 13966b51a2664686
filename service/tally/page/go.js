// Where in the clip, and at which gate: choosing, going, and the actions of all buttons and keys.

import { editMark, removeMark, setStretch, undo } from "./change.js";
import { list, showEdit, showGate } from "./show.js";
import { $, state } from "./state.js";

const SPEEDS = [0.25, 0.5, 1, 2, 4];

export function chooseGate(index) {
  const gate = state.clip.gates[index];
  if (!gate) return;
  if (gate.id !== state.chosen.gate) state.chosen.gate = gate.id;
  else if (!state.chosen.origin) state.chosen.direction = state.chosen.direction === "in" ? "out" : "in";
  showGate();
}

export function chooseNext(step) {
  const { gates } = state.clip;
  const index = gates.findIndex((gate) => gate.id === state.chosen.gate);
  state.chosen.gate = gates[(index + step + gates.length) % gates.length].id;
  showGate();
}

export function chooseRow(gate, direction) {
  Object.assign(state.chosen, { gate, direction });
  if (direction === "in") state.chosen.origin = ""; // a movement ends where the vehicle leaves
  showGate();
}

export function chooseOrigin(id) {
  state.chosen.origin = id ?? "";
  if (state.chosen.origin) state.chosen.direction = "out";
  showGate();
}

/** Go to a mark and select it. */
export function select(mark) {
  if (!mark) return;
  state.selected = mark.id;
  showEdit();
  list.reveal(mark.id);
  state.player.goTo(mark.frame);
  list.point(state.selected, state.times[state.player.shown]);
}

/** The next or previous mark: from the selected one if its frame is shown, else from the frame shown. */
function selectNeighbour(step) {
  const { marks, player, selected, times } = state;
  const at = marks.findIndex((each) => each.id === selected && each.frame === player.shown);
  if (at >= 0) return select(marks[at + step]);
  const now = times[player.shown];
  return select(step > 0 ? marks.find((each) => each.time > now) : marks.findLast((each) => each.time < now));
}

function setSpeed(step) {
  const index = SPEEDS.indexOf(state.player.speed) + step;
  if (SPEEDS[index]) state.player.setSpeed(SPEEDS[index]);
}

function toggleSure() {
  const mark = state.marks.find((each) => each.id === state.selected);
  if (mark) editMark({ sure: !mark.sure });
}

/** What buttons and keys can ask for. */
export const ACTIONS = {
  play: () => (state.player.playing ? state.player.pause() : state.player.play()),
  previous: () => state.player.step(-1),
  next: () => state.player.step(1),
  back1: () => state.player.jump(-1),
  forward1: () => state.player.jump(1),
  back5: () => state.player.jump(-5),
  forward5: () => state.player.jump(5),
  first: () => state.player.goTo(0),
  last: () => state.player.goTo(state.times.length - 1),
  slower: () => setSpeed(-1),
  faster: () => setSpeed(1),
  lastMark: () => select(state.marks.at(-1)),
  enlarge: () => {
    state.enlarged = !state.enlarged;
    showGate();
  },
  previousMark: () => selectNeighbour(-1),
  nextMark: () => selectNeighbour(1),
  undo,
  remove: removeMark,
  moveHere: () => editMark({ frame: state.player.shown }),
  sure: toggleSure,
  in: () => chooseRow(state.chosen.gate, "in"),
  out: () => chooseRow(state.chosen.gate, "out"),
  begin: () => setStretch("begin"),
  end: () => setStretch("end"),
  edit: () => !$("edit").hidden && $("edit-class").focus(),
  help: () => $("help").showModal(),
};
