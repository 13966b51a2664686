// Turning-movement diagram: arms where they lie, a band a movement, as wide as its share of the traffic.
import { svg } from "./dom.js";
import { number, t } from "./words.js";

const ORDER = ["u_turn", "left", "through", "right"]; // lanes of an arm, from its axis outward
const WIDE = 560, TALL = 612; // the drawing's units
const PITCH = 19; // from lane to lane
const KERB = 4.6 * PITCH; // half the width of a road
const INNER = 105, OUTER = 196;
const COMPASS = ["north", "north_east", "east", "south_east", "south", "south_west", "west", "north_west"];

const middle = [WIDE / 2, TALL / 2];
// A point of an arm: so far out along it, so far beside its axis, on the side of its entering traffic.
const on = ({ u }, out, beside) => [middle[0] + u[0] * out + u[1] * beside, middle[1] + u[1] * out - u[0] * beside];
const text = (...points) => points.map((point) => point.map((value) => value.toFixed(1)).join(" ")).join(" ");
const street = (arm) => (arm.name || arm.id).replace(/,\s*(phía|hướng)\s.*$/i, "");
export const compass = (angle) => t(`common.to_${COMPASS[Math.round(angle / 45) % 8]}`);

// movements: [{from, to, turn, total}]; arms: [{id, name, bearing}], bearing where entering traffic heads, degrees
// from north. Traffic keeps right.
export function turningDiagram(arms, movements) {
  const known = new Map(arms.map((arm, index) => {
    const angle = arm.bearing === null || arm.bearing === undefined ? (index * 360) / arms.length : (arm.bearing + 180) % 360;
    const turned = (angle * Math.PI) / 180;
    return [arm.id, { ...arm, angle, u: [Math.sin(turned), -Math.cos(turned)], located: arm.bearing !== null && arm.bearing !== undefined, out: 0, in: 0, seen: false }];
  }));
  const shown = movements.filter((each) => known.has(each.from) && known.has(each.to));
  const most = Math.max(1, ...shown.map((each) => each.total ?? 0));
  for (const { from, to, total } of shown) {
    if (total === null || total === undefined) continue;
    Object.assign(known.get(from), { in: known.get(from).in + total, seen: true });
    known.get(to).out += total;
  }
  const road = [...known.values()].map((arm) => svg("polygon", { class: "road", points: text(on(arm, 40, -KERB), on(arm, 40, KERB), on(arm, OUTER, KERB), on(arm, OUTER, -KERB)) }));
  const axis = [...known.values()].map((arm) => svg("path", { class: "axis", d: `M${text(on(arm, INNER, 0))}L${text(on(arm, OUTER, 0))}` }));
  // The widest first, so that thin ones lie on top.
  const bands = [...shown].sort((a, b) => (b.total ?? 0) - (a.total ?? 0)).map((each) => band(each, known.get(each.from), known.get(each.to), most));
  const figures = shown.map((each) => figure(each, known.get(each.from)));
  const names = [...known.values()].map(name);
  const title = `${t("junction.diagram")}: ${shown.map((each) => said(each, known)).join("; ")}`;
  return svg("svg", { viewBox: `0 0 ${WIDE} ${TALL}`, class: "turning", role: "img", "aria-label": title },
    road, svg("circle", { class: "road", cx: middle[0], cy: middle[1], r: INNER }), axis, bands, figures, names);
}

export const said = (each, known) => `${street(known.get(each.from))} → ${street(known.get(each.to))}, ${t(`common.turn_${each.turn}`)}: ${number(each.total)}`;
const lane = (turn) => (Math.max(0, ORDER.indexOf(turn)) + 0.75) * PITCH;

function band(each, from, to, most) {
  const width = each.total ? 1.5 + 11.5 * (each.total / most) : 1;
  const a = on(from, OUTER - 2, lane(each.turn)), b = on(from, INNER, lane(each.turn));
  const d = on(to, INNER, -lane(each.turn)), e = on(to, OUTER - 14, -lane(each.turn));
  const pull = each.turn === "u_turn" ? 26 : each.turn === "right" ? 62 : 34;
  const c1 = on(from, pull, lane(each.turn)), c2 = on(to, pull, -lane(each.turn));
  const half = Math.max(5, width / 2 + 3);
  const head = [on(to, OUTER - 15, -lane(each.turn) - half), on(to, OUTER - 2, -lane(each.turn)), on(to, OUTER - 15, -lane(each.turn) + half)];
  return svg("g", { class: `turn turn-${each.turn} ${each.total ? "" : "none"}` },
    svg("path", { d: `M${text(a)}L${text(b)}C${text(c1, c2, d)}L${text(e)}`, "stroke-width": width.toFixed(1) }), svg("polygon", { points: text(...head) }));
}

// The number stands before its lane, along the arm, never upside down.
function figure(each, from) {
  const [x, y] = on(from, OUTER + 7, lane(each.turn));
  let turn = (from.angle + 270) % 360;
  const flipped = turn > 90 && turn <= 270;
  if (flipped) turn -= 180;
  return svg("text", { x: x.toFixed(1), y: y.toFixed(1), class: `turn-label label-${each.turn}`, transform: `rotate(${turn} ${x.toFixed(1)} ${y.toFixed(1)})`, "text-anchor": flipped ? "end" : "start", "dominant-baseline": "central" }, number(each.total));
}

function name(arm) {
  const across = Math.abs(arm.u[0]) > 0.5;
  const [x, y] = across ? [arm.u[0] > 0 ? WIDE - 4 : 4, middle[1] + arm.u[1] * OUTER - KERB - 30] : [middle[0] + arm.u[0] * (OUTER + 70), arm.u[1] < 0 ? 18 : TALL - 26];
  const anchor = across ? (arm.u[0] > 0 ? "end" : "start") : "middle";
  const where = [arm.located ? compass(arm.angle) : null, arm.seen ? t("junction.arm_in", { count: number(arm.in) }) : null].filter(Boolean).join(" · ");
  return svg("text", { class: "arm-label", "text-anchor": anchor }, svg("tspan", { x, y }, street(arm)), svg("tspan", { x, dy: 20, class: "arm-where" }, where));
}
