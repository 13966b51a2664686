// Shows frames by number: steps to exactly one, and plays at the times of the frames.

import { getBlob } from "./api.js";

const PARALLEL = 4;
const KEPT = 300;
const DECODED_AHEAD = 4;
const SMOOTH = 50; // pictures a second that a screen needs; faster play leaves frames out
const LATE = 100; // ms behind at which playing becomes slower, rather than leave frames out

/** Fetched JPEGs: those asked for at once, those expected soon in the background. */
class Frames {
  #kept = new Map();
  #wanted = [];
  #running = 0;

  async bitmap(number) {
    return createImageBitmap(await this.#fetch(number));
  }

  expect(numbers) {
    this.#wanted = numbers.filter((number) => !this.#kept.has(number));
    this.#pump();
  }

  #fetch(number) {
    const known = this.#kept.get(number);
    if (known) {
      this.#kept.delete(number); // to the end: the oldest goes first
      this.#kept.set(number, known);
      return known;
    }
    const blob = getBlob(`frames/${number}`);
    blob.catch(() => this.#kept.delete(number));
    this.#kept.set(number, blob);
    if (this.#kept.size > KEPT) this.#kept.delete(this.#kept.keys().next().value);
    return blob;
  }

  #pump() {
    while (this.#running < PARALLEL && this.#wanted.length) {
      const number = this.#wanted.shift();
      if (this.#kept.has(number)) continue;
      this.#running += 1;
      this.#fetch(number).catch(() => {}).finally(() => {
        this.#running -= 1;
        this.#pump();
      });
    }
  }
}

export class Player {
  /** Number of the frame that is seen now; -1 before the first. */
  shown = -1;
  speed = 1;
  /** What it really plays at, where that is less. */
  reached = null;

  #times;
  #canvas;
  #frames = new Frames();
  #target = 0;
  #seeking = false;
  #playing = null;

  /**
   * `listener` hears `shown(number, previous)`, `state()` when playing or speed changes, `seeking(now)`
   * when it begins and ends to look for a frame, `failed(error)`.
   */
  constructor(times, canvas, listener) {
    this.#times = times;
    this.#canvas = canvas;
    this.listener = listener;
  }

  get playing() {
    return this.#playing !== null;
  }

  /** Go to a frame; only the last of several quick calls need be shown. */
  async goTo(number) {
    this.pause();
    this.#target = Math.min(Math.max(number, 0), this.#times.length - 1);
    if (this.#seeking) return;
    this.#seeking = true;
    this.listener.seeking(true);
    try {
      while (this.#target !== this.shown && !this.playing) {
        const target = this.#target;
        this.#draw(target, await this.#frames.bitmap(target));
      }
      this.#expect(this.shown, 1, 12);
    } catch (error) {
      this.#target = this.shown;
      this.listener.failed(error);
    } finally {
      this.#seeking = false;
      this.listener.seeking(false);
    }
  }

  step(frames) {
    return this.goTo(this.#target + frames);
  }

  /** Go by so many seconds, to the frame nearest to there. */
  jump(seconds) {
    return this.goTo(this.frameAt(this.#times[this.#target] + seconds));
  }

  /** The frame nearest in time. */
  frameAt(time) {
    let low = 0;
    let high = this.#times.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#times[middle] < time) low = middle + 1;
      else high = middle;
    }
    return low > 0 && time - this.#times[low - 1] < this.#times[low] - time ? low - 1 : low;
  }

  setSpeed(speed) {
    this.speed = speed;
    this.reached = null;
    this.listener.state();
  }

  pause() {
    if (!this.playing) return;
    this.#playing = null;
    this.#target = this.shown;
    this.reached = null;
    this.listener.state();
  }

  async play() {
    if (this.playing || this.shown >= this.#times.length - 1) return;
    const run = (this.#playing = Symbol("run"));
    this.listener.state();
    try {
      await this.#run(run);
    } catch (error) {
      this.listener.failed(error);
    }
    if (this.#playing === run) this.pause();
  }

  async #run(run) {
    const ahead = [];
    let queued = this.shown;
    let due = performance.now();
    const pace = { wall: due, time: this.#times[this.shown] };
    while (this.#playing === run) {
      while (ahead.length < DECODED_AHEAD && queued < this.#times.length - 1) {
        queued = Math.min(queued + this.#stride(queued), this.#times.length - 1);
        const bitmap = this.#frames.bitmap(queued);
        bitmap.catch(() => {}); // told when its turn comes
        ahead.push({ number: queued, bitmap });
      }
      const next = ahead.shift();
      if (!next) return;
      const bitmap = await next.bitmap;
      due += ((this.#times[next.number] - this.#times[this.shown]) * 1000) / this.speed;
      const wait = due - performance.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      else if (wait < -LATE) due = performance.now();
      if (this.#playing !== run) return;
      this.#draw(next.number, bitmap);
      this.#expect(queued, this.#stride(queued), Math.min(90, Math.ceil(40 * Math.max(1, this.speed))));
      this.#measure(pace);
    }
  }

  #stride(number) {
    const step = this.#times[Math.min(number + 1, this.#times.length - 1)] - this.#times[number];
    return Math.max(1, Math.floor(this.speed / (Math.max(step, 1e-3) * SMOOTH)));
  }

  #expect(from, stride, count) {
    const numbers = [];
    for (let n = from + stride; n < this.#times.length && numbers.length < count; n += stride) numbers.push(n);
    this.#frames.expect(numbers);
  }

  #measure(pace) {
    const now = performance.now();
    if (now - pace.wall < 1000) return;
    const time = this.#times[this.shown];
    const real = ((time - pace.time) * 1000) / (now - pace.wall);
    this.reached = real < 0.9 * this.speed ? real : null;
    Object.assign(pace, { wall: now, time });
    this.listener.state();
  }

  #draw(number, bitmap) {
    const canvas = this.#canvas;
    if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) {
      canvas.width = bitmap.width;
      canvas.height = bitmap.height;
    }
    canvas.getContext("2d").drawImage(bitmap, 0, 0);
    bitmap.close();
    const previous = this.shown;
    this.shown = number;
    if (this.playing) this.#target = number;
    this.listener.shown(number, previous);
  }
}
