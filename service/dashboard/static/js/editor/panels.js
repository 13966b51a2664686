// The lists beside the picture: gates, zones, movements and metres, each field with its fault.
import { fill, h } from "../dom.js";
import { number, t } from "../words.js";
import { renameGate } from "./drawing.js";

const TURNS = ["left", "through", "right", "u_turn"];

export class Panels {
  constructor(drawing, canvas) {
    this.drawing = drawing;
    this.canvas = canvas;
    canvas.nameOf = (approach) => this.nameOf(approach);
    this.approaches = []; // of the junction, from the registry
    this.faults = []; // of the last check
    this.check = null; // of the calibration
    this.waiting = false;
    this.showing = false; // while fields are drawn anew
    for (const name of ["change", "select"]) drawing.addEventListener(name, () => this.later());
  }

  // Once for all that happens now, and after the focus has gone where it goes.
  later() {
    if (this.waiting) return;
    this.waiting = true;
    setTimeout(() => { this.waiting = false; this.show(); });
  }

  // What somebody is typing meanwhile stays as it is, whatever is drawn anew.
  show() {
    const before = document.activeElement;
    const field = before?.dataset?.field;
    const { selectionStart, selectionEnd } = before ?? {};
    this.showing = true;
    this.showGates(document.querySelector("#gates"));
    this.showZones(document.querySelector("#zones"));
    this.showMovements(document.querySelector("#movements"));
    this.showMetres(document.querySelector("#ground"));
    this.showing = false;
    const after = field && document.querySelector(`[data-field="${CSS.escape(field)}"]`);
    if (!after || after === document.activeElement) return;
    if (before.matches("input") && before.value !== before.defaultValue) after.value = before.value;
    after.focus({ preventScroll: true });
    if (typeof selectionStart === "number") after.setSelectionRange(selectionStart, selectionEnd);
  }

  // A field by its path in the view, with what is wrong with it below.
  field(label, path, input, hint = null) {
    const wrong = this.faults.filter((each) => each.field === path);
    const id = `f-${path.replaceAll(".", "-")}`;
    input.id = id;
    input.dataset.field = path;
    if (wrong.length) { input.setAttribute("aria-invalid", "true"); input.setAttribute("aria-describedby", `${id}-fault`); }
    return h("div", { class: "field" }, h("label", { for: id }, label), input, hint ? h("p", { class: "hint" }, hint) : null,
      wrong.length ? h("p", { class: "fault", id: `${id}-fault` }, wrong.map((each) => each.problem).join(" ")) : null);
  }

  input(value, change, attributes = {}) {
    const node = h("input", { type: "text", autocomplete: "off", ...attributes });
    node.defaultValue = value ?? "";
    const take = () => {
      if (this.showing || node.value === node.defaultValue) return;
      node.defaultValue = node.value;
      this.drawing.part();
      change(node.value.trim());
    };
    // Text that was taken over when the field was drawn anew is no change to the browser when it is left.
    for (const left of ["change", "blur"]) node.addEventListener(left, take);
    return node;
  }

  choice(value, options, change) {
    const known = options.some(([key]) => key === value) ? options : [...options, [value, value]];
    const node = h("select", {}, known.map(([key, label]) => h("option", { value: key ?? "", selected: key === value }, label)));
    node.addEventListener("change", () => { this.drawing.part(); change(node.value || null); });
    return node;
  }

  approach(value, change) {
    const known = this.approaches.map((each) => [each.id, each.name ? `${each.name} (${each.id})` : each.id]);
    return this.choice(value ?? null, [[null, t("setup_camera.no_approach")], ...known], change);
  }

  // What is wrong with a part as a whole, or with a field that is drawn rather than typed.
  wrong(...paths) {
    return this.faults.filter((each) => paths.includes(each.field)).map((each) => h("p", { class: "fault" }, each.problem));
  }

  item(kind, index, title, content, actions) {
    const { selected } = this.drawing;
    const open = selected?.kind === kind && selected.index === index;
    const bad = this.faults.some((each) => each.field.startsWith(`${kind}s.${index}.`) || each.field === `${kind}s.${index}`);
    const choose = () => { this.drawing.select(open ? null : { kind, index, point: null }); };
    return h("li", { class: `part${open ? " open" : ""}` },
      h("button", { type: "button", class: "part-head", "aria-expanded": String(open), "data-field": `${kind}-head-${index}`, onclick: choose }, title, bad ? h("span", { class: "chip bad" }, t("setup_camera.wrong")) : null),
      open || bad ? h("div", { class: "part-body" }, content(), h("div", { class: "row" }, actions())) : null);
  }

  remove(kind, index) {
    return h("button", { type: "button", class: "danger", onclick: () => { this.drawing.selected = { kind, index, point: null }; this.drawing.removeSelected(); } }, t("common.delete"));
  }

  showGates(node) {
    const { drawing } = this;
    const set = (index, name) => (value) => drawing.edit((view) => { view.gates[index][name] = value; });
    const without = drawing.view.gates.filter((gate) => gate.approach === null).length;
    fill(node, drawing.view.gates.length ? h("ul", { class: "parts" }, drawing.view.gates.map((gate, index) => this.item("gate", index,
      [h("strong", {}, gate.name || gate.id), h("span", { class: "muted small" }, this.nameOf(gate.approach))],
      () => [this.wrong(`gates.${index}`, `gates.${index}.line`),
        this.field(t("setup_camera.approach"), `gates.${index}.approach`, this.approach(gate.approach, set(index, "approach"))),
        this.field(t("setup_camera.name"), `gates.${index}.name`, this.input(gate.name, set(index, "name"))),
        this.field(t("setup_camera.id"), `gates.${index}.id`, this.input(gate.id, (value) => drawing.edit((view) => renameGate(view, index, value)))),
        this.field(t("setup_camera.one_way"), `gates.${index}.one_way`, this.choice(gate.one_way ?? null, [[null, t("setup_camera.both_ways")], ["in", t("setup_camera.only_in")], ["out", t("setup_camera.only_out")]], set(index, "one_way")))],
      () => [h("button", { type: "button", "data-field": `reverse-${index}`, onclick: () => { drawing.part(); drawing.edit((view) => view.gates[index].line.reverse()); } }, t("setup_camera.reverse")), this.remove("gate", index)]))) : h("p", { class: "muted" }, t("setup_camera.no_gates")),
    this.wrong("gates"), without && this.approaches.length ? h("p", { class: "small hint-line" }, t("setup_camera.without_approach", { count: number(without) })) : null);
  }

  showZones(node) {
    const { drawing } = this;
    const set = (index, name) => (value) => drawing.edit((view) => { view.zones[index][name] = value; });
    const kinds = ["approach", "roi", "no_stop"].map((kind) => [kind, t(`setup_camera.zone_${kind}`)]);
    const kind = (index) => (value) => drawing.edit((view) => { view.zones[index].kind = value; if (value !== "approach") view.zones[index].stop_line = null; });
    fill(node, drawing.view.zones.length ? h("ul", { class: "parts" }, drawing.view.zones.map((zone, index) => this.item("zone", index,
      [h("strong", {}, zone.approach ? this.nameOf(zone.approach) : t(`setup_camera.zone_${zone.kind}`)), h("span", { class: "muted small" }, `${zone.approach ? `${t(`setup_camera.zone_${zone.kind}`)} · ` : ""}${zone.id}`)],
      () => [this.wrong(`zones.${index}`, `zones.${index}.polygon`),
        this.field(t("setup_camera.kind"), `zones.${index}.kind`, this.choice(zone.kind, kinds, kind(index)), t(`setup_camera.about_${zone.kind}`)),
        this.field(t("setup_camera.approach"), `zones.${index}.approach`, this.approach(zone.approach, set(index, "approach"))),
        zone.kind === "approach" ? this.field(t("setup_camera.stop_line"), `zones.${index}.stop_line`, this.choice(zone.stop_line ?? null, [[null, t("setup_camera.stop_line_own")], ...drawing.view.gates.map((gate) => [gate.id, gate.name || gate.id])], set(index, "stop_line"))) : null,
        this.field(t("setup_camera.id"), `zones.${index}.id`, this.input(zone.id, set(index, "id")))],
      () => [this.remove("zone", index)]))) : h("p", { class: "muted" }, t("setup_camera.no_zones")), this.wrong("zones"));
  }

  showMovements(node) {
    const { drawing } = this;
    const gates = drawing.view.gates.map((gate) => [gate.id, gate.name || gate.id]);
    const cell = (index, name, input, label) => {
      input.setAttribute("aria-label", label);
      input.dataset.field = `movements.${index}.${name}`;
      return h("td", {}, input, this.wrong(`movements.${index}.${name}`));
    };
    const set = (index, name) => (value) => drawing.edit((view) => { view.movements[index][name] = value; });
    fill(node, drawing.view.movements.length ? h("div", { class: "scroll" }, h("table", { class: "movements" },
      h("thead", {}, h("tr", {}, ["from_gate", "to_gate", "turn", "id"].map((name) => h("th", { scope: "col" }, t(`setup_camera.${name}`))), h("th", { scope: "col" }, h("span", { class: "visually-hidden" }, t("common.delete"))))),
      h("tbody", {}, drawing.view.movements.map((each, index) => h("tr", {},
        cell(index, "from", this.choice(each.from, gates, set(index, "from")), t("setup_camera.from_gate")),
        cell(index, "to", this.choice(each.to, gates, set(index, "to")), t("setup_camera.to_gate")),
        cell(index, "turn", this.choice(each.turn, TURNS.map((turn) => [turn, t(`common.turn_${turn}`)]), set(index, "turn")), t("setup_camera.turn")),
        cell(index, "id", this.input(each.id, set(index, "id")), t("setup_camera.id")),
        h("td", {}, h("button", { type: "button", class: "plain", "aria-label": t("setup_camera.delete_movement", { id: each.id }), onclick: () => { drawing.part(); drawing.edit((view) => view.movements.splice(index, 1)); } }, "✕"), this.wrong(`movements.${index}`))))))) : h("p", { class: "muted" }, t("setup_camera.no_movements")), this.wrong("movements"));
  }

  showMetres(node) {
    const { drawing } = this;
    const ground = drawing.view.calibration;
    const side = (name) => this.field(t(`setup_camera.${name}`), `calibration.rectangle.${name}`,
      this.input(ground.rectangle[name], (value) => drawing.edit((view) => { view.calibration.rectangle[name] = Number(value); }), { type: "number", min: "0.1", step: "any", inputmode: "decimal" }));
    fill(node, !ground ? h("p", { class: "muted" }, t("setup_camera.no_metres")) : [
      ground.rectangle ? [h("p", { class: "small" }, t("setup_camera.rectangle_how")), h("div", { class: "two" }, side("length_m"), side("width_m")), this.wrong("calibration.rectangle", "calibration.rectangle.corners")] : this.#points(ground),
      this.#error(), this.wrong("calibration", "calibration.points", "calibration.valid"),
      h("button", { type: "button", class: "danger", onclick: () => { drawing.part(); drawing.edit((view) => { view.calibration = null; }); this.canvas.use(null); } }, t("setup_camera.remove_metres"))]);
  }

  #points(ground) {
    const key = ground.points[0]?.lonlat ? "lonlat" : "ground";
    const names = key === "lonlat" ? ["longitude", "latitude"] : ["east", "north"];
    const worst = Math.max(...(this.check?.residuals_m ?? []));
    const cell = (point, index, axis) => {
      const node = this.input(point[key][axis], (value) => this.drawing.edit((view) => { view.calibration.points[index][key][axis] = Number(value); }), { type: "number", step: "any", inputmode: "decimal", "aria-label": `${t(`setup_camera.${names[axis]}`)} ${index + 1}` });
      node.dataset.field = `calibration.points.${index}.${key}.${axis}`;
      return h("td", {}, node, this.wrong(`calibration.points.${index}.${key}.${axis}`));
    };
    const residual = (index) => {
      const off = this.check?.residuals_m[index];
      return h("td", { class: `number${off !== undefined && off === worst && off > 0.2 ? " worst" : ""}` }, off === undefined ? "—" : number(off, 2));
    };
    return [h("p", { class: "small" }, t("setup_camera.points_how")), h("div", { class: "scroll" }, h("table", { class: "points" }, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "#"), names.map((name) => h("th", { scope: "col" }, t(`setup_camera.${name}`))), h("th", { scope: "col", class: "number" }, t("setup_camera.off")), h("th", { scope: "col" }, h("span", { class: "visually-hidden" }, t("common.delete"))))),
      h("tbody", {}, ground.points.map((point, index) => h("tr", {}, h("th", { scope: "row" }, String(index + 1)), cell(point, index, 0), cell(point, index, 1), residual(index),
        h("td", {}, h("button", { type: "button", class: "plain", "aria-label": t("setup_camera.delete_point", { number: index + 1 }), onclick: () => { this.drawing.selected = { kind: "ground", index: 0, point: index }; this.drawing.removeSelected(); } }, "✕"), this.wrong(`calibration.points.${index}`)))))))];
  }

  // How good it is, in words somebody can act on.
  #error() {
    const { check } = this;
    if (!check) return null;
    if (!check.usable) return h("p", { class: "notice bad", role: "status" }, check.problem);
    if (check.error_m === null) return h("p", { class: "notice", role: "status" }, t("setup_camera.fits_always", { grid: number(check.grid_m) }));
    const part = check.error_m / check.extent_m;
    return h("p", { class: `notice ${part < 0.02 ? "good" : "warn"}`, role: "status" }, t(part < 0.02 ? "setup_camera.error_good" : "setup_camera.error_fair", { error: number(check.error_m, 2), extent: number(check.extent_m, 0), grid: number(check.grid_m) }));
  }

  nameOf(id) {
    if (!id) return t("setup_camera.no_approach");
    return this.approaches.find((each) => each.id === id)?.name || id;
  }
}
