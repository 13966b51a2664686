// What the page knows: filled by main.js when the clip is open, shown by show.js, changed by change.js and go.js.

export const $ = (id) => document.getElementById(id);

export const state = {
  clip: null,
  /** Seconds from the first frame, for each frame. */
  times: null,
  player: null,
  /** In order of time, each as the server told it. */
  marks: [],
  /** Begin and end of the counted stretch, in seconds. */
  counted: [0, 0],
  /** Id of the mark that is edited; null for none. */
  selected: null,
  chosen: { gate: "", direction: "in", origin: "" },
  enlarged: false,
};
