// A map without tile servers: junctions by their positions, streets of a GeoJSON file, or guessed from bearings.
/* global L */
import { get } from "./api.js";
import { h, rem, setText } from "./dom.js";
import { schematic } from "./streets.js";

const GAP = 3; // px between labels
const MATTERS = 9; // rank from which on a junction has news: an alarm, or figures

// over: elements that lie over the map, under which no label shall stand.
export async function makeMap(node, over = []) {
  const map = L.map(node, { zoomControl: false, attributionControl: false, zoomSnap: 0.25, renderer: L.svg(), minZoom: 3, fadeAnimation: false });
  map.createPane("streets").style.zIndex = 350;
  const setting = await get("/v1/map").catch(() => ({ streets: null, tiles: null }));
  if (setting.tiles) L.tileLayer(setting.tiles, { maxZoom: 19 }).addTo(map);
  const streets = L.layerGroup().addTo(map);
  const style = { pane: "streets", interactive: false, className: "street" };
  if (setting.streets) L.geoJSON(setting.streets, style).addTo(streets);
  const layer = h("div", { class: "junctions" });
  node.append(layer);
  const marks = new Map();
  let fitted = false;
  let drawn = "";

  // Streets as the approaches' bearings suggest, where no file has them. approaches: rows of /v1/approaches.
  function suggest(places, approaches) {
    const key = JSON.stringify([places.map((each) => [each.id, each.lat, each.lon]), approaches]);
    if (setting.streets || setting.tiles || key === drawn) return;
    drawn = key;
    streets.clearLayers();
    for (const line of schematic(places, approaches)) L.polyline(line, style).addTo(streets);
  }

  // places: {id, lat, lon, level, label, href, key, lost}, and if wanted words (what is read out), alarm, and rank:
  // the higher it is the sooner the label is shown.
  function show(places) {
    for (const place of places) {
      let mark = marks.get(place.id);
      if (!mark) {
        mark = { link: h("a", {}, h("span", { class: "disc", "aria-hidden": "true" }), h("span", { class: "label", "aria-hidden": "true" })) };
        layer.append(mark.link);
        marks.set(place.id, mark);
      }
      mark.place = place;
      const kind = `junction ${place.key ? "key" : ""} ${place.lost ? "lost" : place.level ?? "unknown"} ${place.alarm ? "alarm" : ""}`;
      if (mark.kind !== kind) { mark.kind = kind; mark.link.className = kind; }
      const words = place.words ?? place.label;
      if (mark.words !== words) { mark.words = words; mark.link.setAttribute("aria-label", words); }
      mark.link.href = place.href;
      const label = mark.link.lastChild;
      if (label.textContent !== place.label) { setText(label, place.label); mark.size = null; }
    }
    for (const [id, mark] of marks) if (!places.some((place) => place.id === id)) { mark.link.remove(); marks.delete(id); }
    if (!fitted && places.length) {
      fit();
      fitted = true;
    }
    arrange();
  }

  function fit() {
    const places = [...marks.values()].map((mark) => mark.place);
    if (!places.length) return;
    const edge = Math.min(5.6 * rem(), node.clientWidth / 8);
    map.fitBounds(L.latLngBounds(places.map((place) => [place.lat, place.lon])), { animate: false, maxZoom: 16, paddingTopLeft: [edge, edge], paddingBottomRight: [edge, edge] });
  }

  // Puts each junction in its place, and a label where it covers neither another nor a disc.
  function arrange() {
    const all = [...marks.values()].map((mark) => {
      const at = map.latLngToContainerPoint([mark.place.lat, mark.place.lon]);
      mark.link.style.transform = `translate(${at.x}px, ${at.y}px)`;
      mark.size ??= [mark.link.lastChild.offsetWidth, mark.link.lastChild.offsetHeight];
      const radius = mark.link.firstChild.offsetWidth / 2;
      return { mark, at, radius };
    });
    const taken = all.map(({ at, radius, mark }) => ({ box: [at.x - radius, at.y - radius, at.x + radius, at.y + radius], rank: mark.place.rank ?? 0 }));
    const { left, top } = node.getBoundingClientRect();
    for (const each of over) {
      const box = each.getBoundingClientRect();
      if (box.width) taken.push({ box: [box.left - left, box.top - top, box.right - left, box.bottom - top], rank: MATTERS });
    }
    // What matters may cover the disc of what does not.
    const free = ([l, t, r, b], own, rank) => l >= 0 && t >= 0 && r <= node.clientWidth && b <= node.clientHeight
      && taken.every(({ box: [x0, y0, x1, y1], rank: other }, number) => number === own || (rank >= MATTERS && other < MATTERS)
        || r + GAP <= x0 || x1 + GAP <= l || b + GAP <= y0 || y1 + GAP <= t);
    const order = all.map((each, number) => ({ ...each, number })).sort((a, b) => (b.mark.place.rank ?? 0) - (a.mark.place.rank ?? 0) || a.number - b.number);
    for (const { mark, at, radius, number } of order) {
      const [width, height] = mark.size;
      const { rank = 0, alarm } = mark.place;
      const reach = radius * (alarm ? 1.7 : 1) + 4;
      const found = [["below", -width / 2, reach], ["above", -width / 2, -reach - height], ["right", reach, -height / 2], ["left", -reach - width, -height / 2]]
        .find(([, x, y]) => free([at.x + x, at.y + y, at.x + x + width, at.y + y + height], number, rank));
      const [side, x, y] = found ?? ["below", -width / 2, reach];
      mark.link.dataset.label = found ? "shown" : "hidden";
      mark.link.dataset.side = side;
      mark.link.lastChild.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
      mark.link.style.zIndex = String(Math.round(rank));
      if (found) taken.push({ box: [at.x + x, at.y + y, at.x + x + width, at.y + y + height], rank: MATTERS });
    }
  }

  map.on("move zoom viewreset", arrange);
  new ResizeObserver(() => { map.invalidateSize({ animate: false }); for (const mark of marks.values()) mark.size = null; fit(); arrange(); }).observe(node);
  document.fonts?.ready.then(() => { for (const mark of marks.values()) mark.size = null; arrange(); });
  map.setView([21.28, 106.2], 13, { animate: false });
  return { show, suggest, map };
}
