// Vehicles that entered junctions: over the gates whose camera speaks for the approach, so that none counts twice.
import { isLive, sum } from "./live.js";

const MINUTE = 60_000;

export class Entering {
  // gates: rows of /v1/gates.
  constructor(gates) {
    this.cameras = new Map();
    this.know(gates);
  }

  know(gates) {
    this.speaking = new Map();
    for (const each of gates) {
      if (!each.speaks) continue;
      if (!this.speaking.has(each.camera)) this.speaking.set(each.camera, new Map());
      this.speaking.get(each.camera).set(each.gate, each.approach);
    }
  }

  // Takes the newest states; what entered in the last minute is the difference to what was counted a minute ago.
  take(cameras, now = Date.now()) {
    for (const camera of cameras) {
      const byClass = this.of(camera);
      if (byClass === null || !isLive(camera)) { this.cameras.delete(camera.camera); continue; }
      let seen = this.cameras.get(camera.camera);
      if (!seen || seen.since !== camera.counts_since) seen = { since: camera.counts_since, samples: [] };
      const { samples } = seen;
      if (!samples.length || now - samples.at(-1).time >= 1000) samples.push({ time: now, byClass });
      while (samples.length > 1 && samples[1].time <= now - MINUTE) samples.shift();
      this.cameras.set(camera.camera, { ...seen, byClass });
    }
  }

  // Entering vehicles of a camera by class since counts_since; null where no gate of it speaks or it never counted.
  of(camera) {
    const gates = this.speaking.get(camera.camera);
    if (!gates || !camera.counts || !camera.counts_since) return null;
    const found = {};
    for (const gate of gates.keys()) for (const [name, count] of Object.entries(camera.counts[gate]?.in ?? {})) found[name] = (found[name] ?? 0) + count;
    return found;
  }

  // {byClass, total, seconds} of these cameras in the last minute; null where none of them is seen. Seconds are
  // fewer than 60 just after the page was opened.
  minute(names, now = Date.now()) {
    const byClass = {};
    let seconds = null;
    for (const name of names) {
      const seen = this.cameras.get(name);
      if (!seen) continue;
      seconds = Math.max(seconds ?? 0, Math.min(60, Math.round((now - seen.samples[0].time) / 1000)));
      for (const [kind, count] of Object.entries(seen.byClass)) byClass[kind] = (byClass[kind] ?? 0) + Math.max(0, count - (seen.samples[0].byClass[kind] ?? 0));
    }
    return seconds === null ? null : { byClass, total: sum(byClass), seconds };
  }
}
