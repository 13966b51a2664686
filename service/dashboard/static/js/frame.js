// What every page does: logging out, and saying when the service cannot be reached.
import { post } from "./api.js";
import { $, setText } from "./dom.js";
import { clock, t } from "./words.js";

$("#log-out")?.addEventListener("click", async () => {
  await post("/v1/logout").catch(() => null);
  location.assign("/login");
});

$(".top nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" }); // the menu of a phone is wider than it

let lostAt = null;

export function connected(is) {
  const note = $("#connection");
  if (is) lostAt = null;
  else lostAt ??= new Date();
  note.hidden = is;
  if (!is) setText(note, t("common.reconnecting", { time: clock(lostAt) }));
  $("#main").classList.toggle("stale", !is);
}
