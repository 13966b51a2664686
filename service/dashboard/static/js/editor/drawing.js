// What is being drawn: the view, what is selected, and every step back and forth.
import { turnOf } from "./geometry.js";

const MOST_STEPS = 200;
const copy = (value) => JSON.parse(JSON.stringify(value));

export const emptyView = () => ({ version: 1, name: "", proposed: false, approaches: [], gates: [], zones: [], movements: [], calibration: null });

export class Drawing extends EventTarget {
  #saved = JSON.stringify(emptyView());
  #past = [];
  #future = [];
  #joined = null;

  constructor() {
    super();
    this.view = emptyView();
    this.selected = null; // { kind: "gate" | "zone" | "ground", index, point: number | null }
  }

  // Begin with a view that is saved already; nothing can be undone any more.
  load(view) {
    this.view = copy(view);
    this.#saved = JSON.stringify(this.view);
    this.#past = [];
    this.#future = [];
    this.selected = null;
    this.#tell();
  }

  // Change the view; steps that are joined by the same key (one drag, one run of key presses) are undone as one.
  edit(change, key = null) {
    const before = JSON.stringify(this.view);
    change(this.view);
    if (JSON.stringify(this.view) === before) return;
    if (key === null || key !== this.#joined) {
      this.#past.push(before);
      if (this.#past.length > MOST_STEPS) this.#past.shift();
    }
    this.#joined = key;
    this.#future = [];
    this.#tell();
  }

  // The next step stands alone, whatever its key.
  part() { this.#joined = null; }

  select(selected) {
    if (JSON.stringify(selected) === JSON.stringify(this.selected)) return;
    this.selected = selected;
    this.#joined = null;
    this.dispatchEvent(new Event("select"));
  }

  undo() { this.#go(this.#past, this.#future); }
  redo() { this.#go(this.#future, this.#past); }
  get canUndo() { return this.#past.length > 0; }
  get canRedo() { return this.#future.length > 0; }
  get dirty() { return JSON.stringify(this.view) !== this.#saved; }
  get savedView() { return JSON.parse(this.#saved); }

  // The points of what is selected: fractions of the picture, changed in place.
  points(view = this.view, selected = this.selected) {
    if (!selected) return [];
    if (selected.kind === "gate") return view.gates[selected.index]?.line ?? [];
    if (selected.kind === "zone") return view.zones[selected.index]?.polygon ?? [];
    const ground = view.calibration;
    return ground?.rectangle ? ground.rectangle.corners : (ground?.points ?? []).map((point) => point.image);
  }

  removeSelected() {
    const { selected } = this;
    if (!selected) return;
    this.part();
    this.edit((view) => {
      if (selected.kind === "gate") removeGate(view, selected.index);
      else if (selected.kind === "zone") {
        const zone = view.zones[selected.index];
        if (selected.point !== null && zone.polygon.length > 3) zone.polygon.splice(selected.point, 1);
        else view.zones.splice(selected.index, 1);
      } else if (view.calibration?.rectangle) view.calibration = null;
      else view.calibration?.points.splice(selected.point ?? selected.index, 1);
    });
    this.select(null);
  }

  #go(from, to) {
    if (!from.length) return;
    to.push(JSON.stringify(this.view));
    this.view = JSON.parse(from.pop());
    this.selected = null;
    this.#joined = null;
    this.#tell();
  }

  #tell() { this.dispatchEvent(new Event("change")); }
}

export function freeId(taken, base) {
  for (let number = 1; ; number += 1) if (!taken.includes(`${base}-${number}`)) return `${base}-${number}`;
}

export function addGate(view, line) {
  view.gates.push({ id: freeId(view.gates.map((gate) => gate.id), "gate"), name: "", line, approach: null, one_way: null });
  return view.gates.length - 1;
}

export function addZone(view, polygon) {
  view.zones.push({ id: freeId(view.zones.map((zone) => zone.id), "zone"), kind: "approach", polygon, approach: null, stop_line: null });
  return view.zones.length - 1;
}

// A gate goes with the movements and stop lines that name it.
export function removeGate(view, index) {
  const [gone] = view.gates.splice(index, 1);
  if (view.gates.some((gate) => gate.id === gone.id)) return;
  view.movements = view.movements.filter((each) => each.from !== gone.id && each.to !== gone.id);
  for (const zone of view.zones) if (zone.stop_line === gone.id) zone.stop_line = null;
}

export function renameGate(view, index, id) {
  const before = view.gates[index].id;
  view.gates[index].id = id;
  if (view.gates.some((gate) => gate.id === before)) return;
  for (const movement of view.movements) {
    if (movement.from === before) movement.from = id;
    if (movement.to === before) movement.to = id;
  }
  for (const zone of view.zones) if (zone.stop_line === before) zone.stop_line = id;
}

// All pairs of gates by which vehicles may come and go; those that are there keep their names and turns.
export function fillMovements(view, size) {
  const pixels = (gate) => gate.line.map((point) => [point[0] * size[0], point[1] * size[1]]);
  for (const from of view.gates) {
    for (const to of view.gates) {
      if (from.one_way === "out" || to.one_way === "in") continue;
      if (view.movements.some((each) => each.from === from.id && each.to === to.id)) continue;
      const base = `${from.id}-${to.id}`.slice(0, 60);
      const id = view.movements.some((each) => each.id === base) ? freeId(view.movements.map((each) => each.id), base) : base;
      view.movements.push({ id, from: from.id, to: to.id, turn: from === to ? "u_turn" : turnOf(pixels(from), pixels(to)) });
    }
  }
}

// A proposal takes the place of gates and movements; what else is drawn stays. It cannot know the junction's arms.
export function takeProposal(view, proposal, approaches) {
  const known = new Set(approaches.map((each) => each.id));
  view.gates = proposal.gates.map((gate) => ({ ...gate, approach: known.has(gate.approach) ? gate.approach : null }));
  view.movements = proposal.movements;
  const ids = new Set(view.gates.map((gate) => gate.id));
  for (const zone of view.zones) if (zone.stop_line !== null && !ids.has(zone.stop_line)) zone.stop_line = null;
}

// As it is sent: somebody has looked at it, and the arms that it names are among those it lists.
export function asSaved(view, approaches) {
  const sent = copy(view);
  sent.proposed = false;
  if (sent.approaches.length) {
    const listed = new Set(sent.approaches.map((each) => each.id));
    for (const name of [...sent.gates, ...sent.zones].map((each) => each.approach)) {
      const arm = approaches.find((each) => each.id === name);
      if (!arm || listed.has(name)) continue;
      listed.add(name);
      sent.approaches.push({ id: arm.id, name: arm.name, lanes: arm.lanes, width_m: arm.width_m, bearing_deg: arm.bearing });
    }
  }
  return sent;
}
