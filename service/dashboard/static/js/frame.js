// What every page does: logging out, and saying when the service cannot be reached.
import { post } from "./api.js";
import { $, setText } from "./dom.js";
import { clock, t } from "./words.js";

$("#log-out")?.addEventListener("click", async () => {
  await post("/v1/logout").catch(() => null);
  location.assign("/login");
});

// The menu of a phone is wider than it. Not by scrollIntoView: in newer browsers the keyboard then goes on from there.
const here = $(".top nav [aria-current]"), menu = here?.closest("nav");
if (here) {
  const middle = ({ left, width }) => left + width / 2;
  menu.scrollLeft += middle(here.getBoundingClientRect()) - middle(menu.getBoundingClientRect());
}

let lostAt = null;

export function connected(is) {
  const note = $("#connection");
  if (is) lostAt = null;
  else lostAt ??= new Date();
  note.hidden = is;
  if (!is) setText(note, t("common.reconnecting", { time: clock(lostAt) }));
  $("#main").classList.toggle("stale", !is);
}
