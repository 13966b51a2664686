// Elements without innerHTML: text is always text, so that no name of a street can become a script.
const SVG = "http://www.w3.org/2000/svg";

function put(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "style") Object.assign(node.style, value); // the policy forbids style attributes, not this
    else if (name in node && typeof value !== "string" && !(node instanceof SVGElement)) node[name] = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export const h = (tag, attributes, ...children) => put(document.createElement(tag), attributes, children);
export const svg = (tag, attributes, ...children) => put(document.createElementNS(SVG, tag), attributes, children);
export const $ = (selector, within = document) => within.querySelector(selector);

export function fill(node, ...children) {
  node.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

// Changes a text only where it differs: nothing flickers, and a screen reader hears changes only.
export function setText(node, text) {
  if (node.textContent !== String(text)) node.textContent = text;
}

// One rem as it is now, px, for what a style sheet does not reach.
export const rem = () => parseFloat(getComputedStyle(document.documentElement).fontSize);

export const empty = (title, step) => h("div", { class: "empty" }, h("strong", {}, title), step ?? null);

export function toast(text) {
  const node = h("div", { class: "toast", role: "status" }, text);
  document.body.append(node);
  setTimeout(() => node.remove(), 5000);
}
