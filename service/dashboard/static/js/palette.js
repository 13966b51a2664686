// One palette for classes and levels on every page, read from the style sheet.
const probe = document.createElement("i");
probe.hidden = true;
document.documentElement.append(probe);

// A colour of the style sheet as it is now, in light or dark, for what a style sheet does not reach.
export function colour(name) {
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
}

export const CLASSES = ["motorcycle", "car", "bus", "truck", "bicycle", "unknown"];
export const LEVELS = ["free", "busy", "slow", "jammed"];
export const classColour = (name) => colour(name === "unknown" ? "--unknown-class" : `--${name}`);
export const levelColour = (name) => colour(LEVELS.includes(name) ? `--${name}` : "--no-data");
export const ink = () => getComputedStyle(document.body).color;

// How a camera's state is to be taken: good, warn (a picture of no use) or bad (no picture).
export function stateKind(state) {
  if (state === "live" || state === "ok") return "good";
  if (["connecting", "dark", "blurred", "moved", "blinded"].includes(state)) return "warn";
  return ["stalled", "offline", "frozen", "blocked"].includes(state) ? "bad" : "unknown";
}
