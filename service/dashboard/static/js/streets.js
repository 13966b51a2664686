// Streets as the bearings of approaches suggest them: what lies along an arm, and has an arm that looks back, is
// joined; other arms are stubs. A drawing to find one's way by, not a map.
const ALONG = 28; // degrees that two bearings may differ
const STUB_M = 150;
const FARTHEST_M = 900;

const turned = (a, b) => Math.abs(((a - b + 540) % 360) - 180);
const street = (approach) => (approach.name ?? "").split(",")[0].trim();

export function schematic(places, approaches) {
  const metres = (a, b) => {
    const x = (b.lon - a.lon) * 111_320 * Math.cos((a.lat * Math.PI) / 180), y = (b.lat - a.lat) * 110_540;
    return { distance: Math.hypot(x, y), angle: (Math.atan2(x, y) * 180) / Math.PI };
  };
  const known = new Map(places.map((place) => [place.id, place]));
  // An arm lies where its entering traffic comes from.
  const arms = approaches.filter((each) => each.bearing !== null && known.has(each.site))
    .map((each) => ({ site: known.get(each.site), angle: (each.bearing + 180) % 360, street: street(each) }));
  const pairs = [];
  arms.forEach((arm, number) => {
    for (const back of arms.slice(number + 1)) {
      if (back.site === arm.site) continue;
      const { distance, angle } = metres(arm.site, back.site);
      const off = Math.max(turned(angle, arm.angle), turned(angle + 180, back.angle));
      if (distance > FARTHEST_M || off > ALONG) continue;
      pairs.push({ arm, back, cost: distance * (1 + off / ALONG) * (arm.street && arm.street === back.street ? 0.4 : 1) });
    }
  });
  // The nearest first; each arm leads to one junction only.
  const joined = new Set();
  const lines = [];
  const end = ({ lat, lon }) => [lat, lon];
  for (const { arm, back } of pairs.sort((a, b) => a.cost - b.cost)) {
    if (joined.has(arm) || joined.has(back)) continue;
    joined.add(arm).add(back);
    lines.push([end(arm.site), end(back.site)]);
  }
  for (const arm of arms) {
    if (joined.has(arm)) continue;
    const { lat, lon } = arm.site;
    const angle = (arm.angle * Math.PI) / 180;
    lines.push([[lat, lon], [lat + (STUB_M * Math.cos(angle)) / 110_540, lon + (STUB_M * Math.sin(angle)) / (111_320 * Math.cos((lat * Math.PI) / 180))]]);
  }
  return lines;
}
