// Plane geometry of a drawing: points are [x, y] in pixels of the drawing, y downwards.
export const minus = (a, b) => [a[0] - b[0], a[1] - b[1]];
export const middle = (a, b) => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
export const length = (a) => Math.hypot(a[0], a[1]);

// Where vehicles go that pass a gate "in": to the right of its line, as seen from its first to its second end.
export function inward(a, b) {
  const along = minus(b, a);
  const size = length(along) || 1;
  return [-along[1] / size, along[0] / size];
}

// The turn between coming in over one line and going out over another.
export function turnOf(entry, leaving) {
  const a = inward(...entry);
  const b = inward(leaving[1], leaving[0]);
  const angle = (180 / Math.PI) * Math.atan2(a[0] * b[1] - a[1] * b[0], a[0] * b[0] + a[1] * b[1]);
  if (Math.abs(angle) < 50) return "through";
  if (Math.abs(angle) > 135) return "u_turn";
  return angle > 0 ? "right" : "left";
}

export function centre(points) {
  const sum = points.reduce((all, each) => [all[0] + each[0], all[1] + each[1]], [0, 0]);
  return [sum[0] / points.length, sum[1] / points.length];
}

// A share of the picture as it is kept.
export const share = (value) => Math.round(Math.min(1, Math.max(0, value)) * 1e5) / 1e5;
