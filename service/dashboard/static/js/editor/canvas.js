// The picture and what is drawn over it: by mouse, finger, pen or keyboard.
import { classColour } from "../palette.js";
import { fill, svg } from "../dom.js";
import { t } from "../words.js";
import { addGate, addZone } from "./drawing.js";
import { centre, inward, length, middle, minus, share } from "./geometry.js";

const WIDTH = 1600;
const NEAR = 26; // of the drawing: clicks closer together are the same point
const REACH = 34; // of the drawing: a finger that comes so close to a point means it
const STEP = 0.0015; // of the picture's width, an arrow key

export class Canvas {
  constructor(node, drawing) {
    this.node = node;
    this.drawing = drawing;
    this.size = [WIDTH, 900];
    this.tool = null;
    this.pending = [];
    this.paths = [];
    this.ground = null; // what the check says of the calibration
    this.showGround = false;
    this.onTool = () => {};
    this.nameOf = (approach) => approach;
    this.pointer = null;
    this.redrawing = false;
    node.addEventListener("pointerdown", (event) => this.#down(event));
    node.addEventListener("pointermove", (event) => this.#move(event));
    node.addEventListener("pointerup", (event) => this.#up(event));
    node.addEventListener("pointercancel", () => { this.pointer = null; });
    node.addEventListener("keydown", (event) => this.#key(event));
    node.addEventListener("focusin", (event) => { const key = event.target.dataset?.key; if (key && !this.pointer && !this.redrawing) drawing.select(JSON.parse(key)); });
    drawing.addEventListener("change", () => this.draw());
    drawing.addEventListener("select", () => this.draw());
    this.resize(16, 9);
  }

  resize(width, height) {
    this.size = [WIDTH, Math.round((WIDTH * height) / width)];
    this.node.setAttribute("viewBox", `0 0 ${this.size[0]} ${this.size[1]}`);
    this.node.parentNode.style.aspectRatio = `${width} / ${height}`;
    this.node.parentNode.style.maxWidth = `${Math.round((78 * width) / height)}vh`;
    this.draw();
  }

  // Draw something new: "gate", "zone", "rectangle" or "point"; null moves what is there.
  use(tool) {
    this.tool = tool;
    this.pending = [];
    if (tool) this.drawing.select(null);
    this.node.classList.toggle("drawing", Boolean(tool));
    this.onTool(tool);
    this.draw();
  }

  // With the keyboard alone: something in the middle of the picture, to be moved by arrow keys.
  addInMiddle(tool) {
    const square = [[0.4, 0.4], [0.6, 0.4], [0.6, 0.6], [0.4, 0.6]];
    this.#finish(tool, tool === "gate" ? [[0.4, 0.5], [0.6, 0.5]] : tool === "point" ? [[0.5, 0.5]] : square);
  }

  closeZone() { if (this.tool === "zone" && this.pending.length >= 3) this.#finish("zone", this.pending); }

  at(point) { return [point[0] * this.size[0], point[1] * this.size[1]]; }

  #place(event) {
    const box = this.node.getBoundingClientRect();
    return [share((event.clientX - box.left) / box.width), share((event.clientY - box.top) / box.height)];
  }

  #finish(tool, points) {
    const { drawing } = this;
    let selected = null;
    drawing.part();
    drawing.edit((view) => {
      if (tool === "gate") selected = { kind: "gate", index: addGate(view, points), point: null };
      else if (tool === "zone") selected = { kind: "zone", index: addZone(view, points), point: null };
      else if (tool === "rectangle") {
        view.calibration = { points: null, rectangle: { corners: points, length_m: 10, width_m: 3.5 }, distortion: view.calibration?.distortion ?? null, valid: null };
        selected = { kind: "ground", index: 0, point: 0 };
      } else {
        const known = view.calibration?.points ?? [];
        const lonlat = known.length > 0 && known[0].lonlat !== null;
        view.calibration = { points: [...known, { image: points[0], ground: lonlat ? null : [0, 0], lonlat: lonlat ? [...known.at(-1).lonlat] : null }], rectangle: null, distortion: view.calibration?.distortion ?? null, valid: view.calibration?.valid ?? null };
        selected = { kind: "ground", index: 0, point: known.length };
      }
    });
    this.use(tool === "point" ? "point" : null);
    drawing.select(selected);
    this.focusSelected();
  }

  focusSelected() {
    const wanted = this.drawing.selected;
    if (!wanted) return;
    const exact = JSON.stringify({ ...wanted, point: wanted.point ?? 0 });
    for (const each of this.node.querySelectorAll("[data-key]")) if (each.dataset.key === exact) each.focus({ preventScroll: true });
  }

  #down(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    const place = this.#place(event);
    this.node.setPointerCapture(event.pointerId);
    if (this.tool) {
      this.pointer = { from: place, drawing: true };
      if (this.tool === "zone" && this.pending.length >= 3 && this.#near(this.pending[0], place)) { this.closeZone(); this.pointer = null; return; }
      this.pending = [...this.pending, place];
      if (this.tool === "point") this.#finish("point", [place]);
      else if (this.tool === "rectangle" && this.pending.length === 4) this.#finish("rectangle", this.pending);
      else if (this.tool === "gate" && this.pending.length === 2) this.#finish("gate", this.pending);
      this.draw();
      return;
    }
    const near = this.#handleAt(place);
    const target = near ? null : event.target.closest("[data-part], [data-between]");
    if (!near && !target) { this.drawing.select(null); return; }
    let selected = near ?? JSON.parse(target.dataset.part ?? target.dataset.between);
    this.pointer = { from: place, last: place };
    if (target?.dataset.between) {
      // A corner is made between two others and dragged on at once.
      this.drawing.part();
      this.drawing.edit((view) => view.zones[selected.index].polygon.splice(selected.point + 1, 0, place), "drag");
      selected = { ...selected, point: selected.point + 1 };
      this.drawing.selected = selected;
    } else this.drawing.part();
    this.drawing.select(selected);
    this.draw();
    this.focusSelected();
  }

  #move(event) {
    if (!this.pointer) return;
    const place = this.#place(event);
    if (this.pointer.drawing) { this.pointer.at = place; this.draw(); return; }
    const by = minus(place, this.pointer.last);
    if (!by[0] && !by[1]) return;
    this.pointer.last = place;
    const { selected } = this.drawing;
    this.drawing.edit((view) => {
      const points = this.drawing.points(view, selected);
      if (selected.point !== null && points[selected.point]) points[selected.point].splice(0, 2, ...place);
      else shift(points, by);
    }, "drag");
  }

  #up(event) {
    const { pointer } = this;
    this.pointer = null;
    if (!pointer) return;
    if (pointer.drawing && this.tool === "gate" && this.pending.length === 1) {
      const place = this.#place(event);
      if (!this.#near(pointer.from, place)) this.#finish("gate", [pointer.from, place]);
    }
    this.drawing.part();
    this.draw();
    this.focusSelected();
  }

  // The nearest point within reach, wherever others lie above it; what is chosen already goes first.
  #handleAt(place) {
    const { selected } = this.drawing;
    let best = null;
    for (const each of this.node.querySelectorAll(".handle")) {
      const key = JSON.parse(each.dataset.key);
      const at = this.drawing.points(this.drawing.view, key)[key.point];
      const own = selected?.kind === key.kind && selected.index === key.index ? 8 : 0;
      const away = length(minus(this.at(at), this.at(place))) - own;
      if (away < REACH && (best === null || away < best.away)) best = { key, away };
    }
    return best?.key ?? null;
  }

  #near(a, b) { return length(minus(this.at(a), this.at(b))) < NEAR; }

  #key(event) {
    const { drawing } = this;
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.key === "Escape") {
      if (this.tool) this.use(null);
      else drawing.select(null);
      this.node.focus();
    } else if (event.key === "Enter" && this.tool === "zone") this.closeZone();
    else if ((event.key === "Delete" || event.key === "Backspace") && drawing.selected) {
      drawing.removeSelected();
      this.node.focus();
    } else if (moves[event.key] && drawing.selected) {
      const size = STEP * (event.shiftKey ? 10 : 1);
      const by = [moves[event.key][0] * size, (moves[event.key][1] * size * this.size[0]) / this.size[1]];
      const { selected } = drawing;
      drawing.edit((view) => {
        const points = drawing.points(view, selected);
        shift(selected.point !== null && points[selected.point] ? [points[selected.point]] : points, by);
      }, `key ${JSON.stringify(selected)}`);
    } else return;
    event.preventDefault();
  }

  draw() {
    const { view, selected } = this.drawing;
    const focused = this.node.contains(document.activeElement) ? document.activeElement.dataset?.key : null;
    const is = (kind, index) => selected?.kind === kind && selected.index === index;
    fill(this.node, svg("defs", {}, marker("arrow-in", "gate-arrow"), marker("arrow-chosen", "gate-arrow chosen")), this.#paths(), this.showGround ? this.#grid() : null,
      view.zones.map((zone, index) => this.#zone(zone, index, is("zone", index))),
      view.gates.map((gate, index) => this.#gate(gate, index, is("gate", index))),
      this.showGround ? this.#measured(view.calibration, selected) : null, this.#unfinished());
    this.redrawing = true; // the focus stays where it is: nobody has chosen anything by it
    if (focused) for (const each of this.node.querySelectorAll("[data-key]")) if (each.dataset.key === focused) each.focus({ preventScroll: true });
    this.redrawing = false;
  }

  #line(points, attributes) { return svg("polyline", { points: points.map((point) => this.at(point).map((value) => value.toFixed(1)).join()).join(" "), ...attributes }); }

  #paths() { return svg("g", { class: "paths", "aria-hidden": "true" }, this.paths.map((path) => this.#line(path.points, { stroke: classColour(path.class) }))); }

  #grid() {
    if (!this.ground) return null;
    return svg("g", { class: "ground", "aria-hidden": "true" }, this.ground.grid.map((line) => this.#line(line, {})), this.ground.region.length ? this.#line([...this.ground.region, this.ground.region[0]], { class: "region" }) : null);
  }

  #handle(place, key, label, chosen) {
    const [x, y] = this.at(place);
    const on = chosen && key.point === this.drawing.selected?.point;
    return svg("g", { class: `handle${on ? " on" : ""}`, "data-key": JSON.stringify(key), tabindex: "0", role: "button", "aria-label": label, "aria-pressed": String(Boolean(on)) },
      svg("circle", { class: "reach", cx: x, cy: y, r: REACH }), svg("circle", { class: "knob", cx: x, cy: y, r: 10 }));
  }

  #gate(gate, index, chosen) {
    const [a, b] = gate.line.map((point) => this.at(point));
    const m = middle(a, b);
    const n = inward(a, b);
    const tip = [m[0] + n[0] * 62, m[1] + n[1] * 62];
    const part = JSON.stringify({ kind: "gate", index, point: null });
    return svg("g", { class: `gate${chosen ? " chosen" : ""}` },
      svg("line", { class: "reach", x1: a[0], y1: a[1], x2: b[0], y2: b[1], "data-part": part }),
      svg("line", { class: "halo", x1: a[0], y1: a[1], x2: b[0], y2: b[1] }), svg("line", { class: "stroke", x1: a[0], y1: a[1], x2: b[0], y2: b[1] }),
      svg("line", { class: "arrow", x1: m[0], y1: m[1], x2: tip[0], y2: tip[1], "marker-end": `url(#${chosen ? "arrow-chosen" : "arrow-in"})` }),
      chosen ? text([m[0] + n[0] * 98, m[1] + n[1] * 98 + 9], t("setup_camera.in"), "way", this.size) : null, text([m[0] - n[0] * 30, m[1] - n[1] * 30 + 10], gate.name || gate.id, "name", this.size),
      gate.line.map((point, end) => this.#handle(point, { kind: "gate", index, point: end }, t(end ? "setup_camera.second_end" : "setup_camera.first_end", { gate: gate.id }), chosen)));
  }

  #zone(zone, index, chosen) {
    const points = zone.polygon.map((point) => this.at(point));
    const part = JSON.stringify({ kind: "zone", index, point: null });
    const between = chosen ? zone.polygon.map((_, corner) => {
      const [x, y] = middle(points[corner], points[(corner + 1) % points.length]);
      return svg("g", { class: "between", "data-between": JSON.stringify({ kind: "zone", index, point: corner }), "aria-hidden": "true" }, svg("circle", { class: "reach", cx: x, cy: y, r: 24 }), svg("circle", { class: "knob", cx: x, cy: y, r: 6 }));
    }) : [];
    return svg("g", { class: `zone ${zone.kind}${chosen ? " chosen" : ""}` }, svg("polygon", { points: points.map((point) => point.join()).join(" "), "data-part": part }),
      text(centre(points), zone.approach ? this.nameOf(zone.approach) : t(`setup_camera.zone_${zone.kind}`), "name", this.size), between,
      chosen ? zone.polygon.map((point, corner) => this.#handle(point, { kind: "zone", index, point: corner }, t("setup_camera.corner_of", { number: corner + 1, zone: zone.id }), true))
        : this.#handle(zone.polygon[0], { kind: "zone", index, point: 0 }, t("setup_camera.corner_of", { number: 1, zone: zone.id }), false));
  }

  #measured(calibration, selected) {
    if (!calibration) return null;
    const places = calibration.rectangle ? calibration.rectangle.corners : calibration.points.map((point) => point.image);
    const points = places.map((place) => this.at(place));
    const sides = calibration.rectangle ? [svg("polygon", { class: "measured", points: points.map((point) => point.join()).join(" ") }),
      text(middle(points[0], points[1]), `${calibration.rectangle.length_m} m`, "metres", this.size), text(middle(points[1], points[2]), `${calibration.rectangle.width_m} m`, "metres", this.size)] : [];
    return svg("g", { class: "measures" }, sides, places.map((place, number) => [this.#handle(place, { kind: "ground", index: 0, point: number }, t("setup_camera.ground_point", { number: number + 1 }), selected?.kind === "ground"),
      text([points[number][0] + 22, points[number][1] - 14], String(number + 1), "number-of", this.size)]));
  }

  #unfinished() {
    if (!this.pending.length) return null;
    const shown = this.pointer?.at ? [...this.pending.slice(0, this.tool === "gate" ? 1 : undefined), this.pointer.at] : this.pending;
    return svg("g", { class: "unfinished", "aria-hidden": "true" }, this.#line(shown, {}), this.pending.map((point) => { const [cx, cy] = this.at(point); return svg("circle", { class: "knob", cx, cy, r: 9 }); }));
  }
}

// Moves points together, never over the picture's edge.
function shift(points, by) {
  const inside = [0, 1].map((axis) => {
    const values = points.map((point) => point[axis]);
    return Math.min(Math.max(by[axis], -Math.min(...values)), 1 - Math.max(...values));
  });
  for (const point of points) point.splice(0, 2, share(point[0] + inside[0]), share(point[1] + inside[1]));
}

const marker = (id, name) => svg("marker", { id, markerWidth: 4, markerHeight: 4, refX: 1.5, refY: 2, orient: "auto" }, svg("path", { class: name, d: "M0,0 L4,2 L0,4 z" }));

const text = ([x, y], content, name, size) => svg("text", { class: name, x: Math.min(size[0] - 40, Math.max(40, x)), y: Math.min(size[1] - 12, Math.max(28, y)), "text-anchor": "middle", "aria-hidden": "true" }, content);
