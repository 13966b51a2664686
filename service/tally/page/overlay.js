// The view's gates over the picture: the chosen one stands out, its arrow shows the direction that is counted.

const SPACE = "http://www.w3.org/2000/svg";

function shape(name, attributes, words) {
  const element = document.createElementNS(SPACE, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (words !== undefined) element.textContent = words;
  return element;
}

/** Size of the drawing for a picture: the same area for every shape, so that words are as large. */
function drawingSize([width, height]) {
  const unit = 750 / Math.sqrt(width * height);
  return [width * unit, height * unit];
}

/** Draw all gates that have a line, the chosen one on top. */
export function drawGates(svg, clip, chosen) {
  const size = drawingSize(clip.size);
  svg.setAttribute("viewBox", `0 0 ${size.join(" ")}`);
  const shapes = clip.gates
    .map((gate, index) => ({ gate, label: `${index + 1} ${gate.id}`, active: gate.id === chosen.gate }))
    .filter(({ gate }) => gate.line)
    .sort((a, b) => a.active - b.active)
    .map(({ gate, label, active }) => gateShape(gate.line, label, active, active ? chosen.direction : "in", size));
  svg.replaceChildren(...shapes);
}

function gateShape(line, label, active, direction, [width, height]) {
  const [[x1, y1], [x2, y2]] = line.map(([x, y]) => [x * width, y * height]);
  const length = Math.hypot(x2 - x1, y2 - y1);
  // From the first end to the second, `in` leads to the right; y grows downwards.
  const sign = direction === "in" ? 1 : -1;
  const [ax, ay] = [(x2 - x1) / length, (y2 - y1) / length];
  const [nx, ny] = [-ay * sign, ax * sign];
  const [mx, my] = [(x1 + x2) / 2, (y1 + y2) / 2];
  const reach = active ? 34 : 14;
  const half = active ? 9 : 6;
  const base = [mx + nx * (reach - 15), my + ny * (reach - 15)];
  const corners = [
    [mx + nx * reach, my + ny * reach],
    [base[0] + ax * half, base[1] + ay * half],
    [base[0] - ax * half, base[1] - ay * half],
  ];
  // Beyond the first end, where it hides no vehicle that passes.
  const wide = label.length * 8.5 + 14;
  const beyond = 8 + Math.abs(ax) * (wide / 2) + Math.abs(ay) * 10;
  const lx = Math.min(Math.max(x1 - ax * beyond - wide / 2, 2), width - 2 - wide);
  const ly = Math.min(Math.max(y1 - ay * beyond - 10, 2), height - 23);
  const group = shape("g", { class: active ? "gate chosen" : "gate" });
  group.append(
    shape("line", { class: "edge", x1, y1, x2, y2 }),
    shape("line", { x1, y1, x2, y2 }),
    ...(active ? [shape("line", { x1: mx, y1: my, x2: base[0], y2: base[1] })] : []),
    shape("polygon", { points: corners.join(" ") }),
    shape("rect", { x: lx, y: ly, width: wide, height: 21, rx: 4 }),
    shape("text", { x: lx + wide / 2, y: ly + 15.5 }, label),
  );
  return group;
}

/** Fill the picture with the chosen gate, or show all of it. */
export function enlarge(element, line) {
  if (!line) {
    element.style.transform = "";
    return;
  }
  const [[x1, y1], [x2, y2]] = line;
  const scale = Math.min(Math.max(0.8 / Math.max(Math.abs(x2 - x1), Math.abs(y2 - y1)), 1.5), 3);
  // As far to the middle as the picture's own edges allow.
  const shift = (middle) => Math.min(Math.max(0.5 - middle * scale, 1 - scale), 0) * 100;
  element.style.transformOrigin = "0 0";
  element.style.transform = `translate(${shift((x1 + x2) / 2)}%, ${shift((y1 + y2) / 2)}%) scale(${scale})`;
}

/** A word that rises and fades at a gate when a vehicle was marked there. */
export function flash(svg, clip, gateId, words) {
  const gate = clip.gates.find((each) => each.id === gateId);
  const [[x1, y1], [x2, y2]] = gate.line ?? [[0.4, 0.5], [0.6, 0.5]];
  const [width, height] = drawingSize(clip.size);
  const [x, y] = [((x1 + x2) / 2) * width, ((y1 + y2) / 2) * height - 30];
  const word = shape("text", { class: "flash", x, y }, words);
  word.addEventListener("animationend", () => word.remove());
  svg.append(word);
}

/** Where along the clip the marks are. */
export function drawTicks(path, duration, marks) {
  path.setAttribute("d", marks.map((mark) => `M${place(mark.time, duration)} 1v8`).join(""));
}

/** Which stretch of the clip was counted. */
export function drawCounted(rectangle, duration, [begin, end]) {
  rectangle.setAttribute("x", place(begin, duration));
  rectangle.setAttribute("width", place(end - begin, duration));
}

const place = (time, duration) => (duration ? ((time / duration) * 1000).toFixed(2) : 0);
