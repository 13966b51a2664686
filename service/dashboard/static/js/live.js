// Live state by Server-Sent Events: the newest state of every camera, and the truth about how old it is.
import { connected } from "./frame.js";
import { language } from "./words.js";

const SILENT_AFTER = 8000; // ms without a word from the service after which what is shown is called old

// Calls back with the list of all cameras, and those that changed, whenever something came; returns a function
// that ends it. `also` names other events, such as alarms, and what to do with each. A page that nobody sees,
// behind another tab, holds no line.
export function follow(onCameras, also = {}, path = "/v1/live/events") {
  const cameras = new Map();
  let source = null;
  let heard = Date.now();
  let ended = false;

  function hear() {
    heard = Date.now();
    connected(true);
  }

  function take(event, whole) {
    hear();
    const state = JSON.parse(event.data);
    if (whole) cameras.clear();
    for (const camera of state.cameras) cameras.set(camera.camera, camera);
    onCameras([...cameras.values()], state.cameras);
  }

  function open() {
    source?.close();
    if (ended || document.hidden) return;
    source = new EventSource(path);
    source.addEventListener("snapshot", (event) => take(event, true));
    source.addEventListener("cameras", (event) => take(event, false));
    source.addEventListener("beat", hear);
    for (const [name, act] of Object.entries(also)) {
      source.addEventListener(name, (event) => { hear(); act(JSON.parse(event.data)); });
    }
    const mine = source;
    source.onerror = () => { if (mine === source && mine.readyState === EventSource.CLOSED) setTimeout(open, 2000); };
  }

  function seen() {
    if (document.hidden) source?.close();
    else { heard = Date.now(); open(); }
  }

  const watch = setInterval(() => {
    if (document.hidden) return;
    if (Date.now() - heard > SILENT_AFTER) connected(false);
    if (Date.now() - heard > 3 * SILENT_AFTER) { heard = Date.now() - SILENT_AFTER; open(); }
  }, 1000);
  document.addEventListener("visibilitychange", seen);
  open();
  return () => { ended = true; clearInterval(watch); document.removeEventListener("visibilitychange", seen); source?.close(); };
}

export const isLive = (camera) => camera.state === "live" && !camera.stale;
// What to call a camera's state: one that says it is live but whose pictures are late has come to a stand.
export const shownState = (camera) => (camera.state === "live" && camera.stale ? "stalled" : camera.state);
// Why it is so, in the reader's language: one line tells readers of both.
export const why = (camera) => (language === "vi" ? camera.reason_vi : camera.reason);
export const sum = (byClass) => Object.values(byClass ?? {}).reduce((a, b) => a + b, 0);
