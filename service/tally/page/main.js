// The page of a hand count: opens the clip, and leads keys, buttons and the player to what they ask for.

import { getJson, getNumbers } from "./api.js";
import { addMark, attempt, editMark, refresh, saveStretch, watched } from "./change.js";
import { ACTIONS, chooseOrigin, chooseRow, select } from "./go.js";
import { onKey } from "./keys.js";
import { Player } from "./player.js";
import { failed, list, say, sayCount, showAll, showFrame, showPlayer, warn } from "./show.js";
import { $, state } from "./state.js";
import { chooseLanguage, translate } from "./texts.js";

const SAVE_EVERY = 5000; // ms between notes of the counted stretch while playing

function onClick(event) {
  const button = event.target.closest("button");
  const row = event.target.closest(".mark");
  if (row) select(state.marks.find((each) => each.id === Number(row.dataset.id)));
  else if (button?.dataset.do) ACTIONS[button.dataset.do]();
  else if (button?.dataset.mark) addMark(button.dataset.mark);
  else if (button?.dataset.language) {
    chooseLanguage(button.dataset.language);
    showAll();
    sayCount();
  } else if (button?.dataset.gate) {
    chooseRow(button.dataset.gate, button.dataset.direction);
  }
}

function listen() {
  document.addEventListener("keydown", onKey);
  document.addEventListener("click", onClick);
  // The mouse leaves the keys where they are: with the picture.
  document.addEventListener("mousedown", (event) => {
    if (event.target.closest("button, .mark") && !$("help").open) event.preventDefault();
  });
  $("help-open").addEventListener("click", ACTIONS.help);
  $("help").addEventListener("close", () => $("stage").focus());
  $("seek").addEventListener("input", () => state.player.goTo(Number($("seek").value)));
  $("origin").addEventListener("change", () => chooseOrigin($("origin").value));
  $("edit").addEventListener("submit", (event) => {
    event.preventDefault();
    $("stage").focus();
  });
  $("edit-class").addEventListener("change", () => editMark({ class: $("edit-class").value }));
  $("edit-unsure").addEventListener("change", ACTIONS.sure);
  $("edit-note").addEventListener("change", () => editMark({ note: $("edit-note").value }));
  document.addEventListener("visibilitychange", () => (document.hidden ? state.player.pause() : attempt(refresh)));
  addEventListener("pagehide", () => saveStretch(true).catch(() => {}));
  setInterval(() => state.player.playing && attempt(saveStretch), SAVE_EVERY);
}

async function begin() {
  translate();
  say("loading");
  const [clip, times, kept] = await Promise.all([getJson("clip"), getNumbers("times"), getJson("tally")]);
  Object.assign(state, { clip, times, ...kept });
  state.chosen.gate = state.clip.gates[0].id;
  $("clip").textContent = $("clip").title = state.clip.name;
  $("enlarge").hidden = !state.clip.gates[0].line;
  document.title = `${state.clip.name} · ngatu tally`;
  $("seek").max = state.times.length - 1;
  const [width, height] = state.clip.size;
  $("room").style.setProperty("--ratio", width / height);
  state.player = new Player(state.times, $("picture"), {
    shown: (number, previous) => {
      watched(number, previous);
      showFrame();
    },
    state: () => {
      showPlayer();
      if (!state.player.playing) attempt(saveStretch);
    },
    seeking: (now) => ($("stage").ariaBusy = String(now)),
    failed: (error) => ([0, 401].includes(error.status) ? failed(error) : warn("noPicture", { why: error.message })),
  });
  showAll();
  listen();
  $("stage").focus();
  await state.player.goTo(state.player.frameAt(state.counted[1]));
  list.reveal(state.marks.at(-1)?.id);
  sayCount();
}

begin().catch(failed);
