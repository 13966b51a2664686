// Logging in, and setting a password by the one-time link, whose secret stands after # and so in no server's log.
import { post } from "./api.js";
import { $, setText } from "./dom.js";
import { language, t } from "./words.js";

const invitation = location.pathname === "/invitation" ? location.hash.slice(1) : "";

function fault(text) {
  $("#fault").hidden = !text;
  setText($("#fault"), text ?? "");
}

function next() {
  const asked = new URLSearchParams(location.search).get("next") ?? "/";
  return /^\/(?![/\\])/.test(asked) ? asked : "/"; // only our own pages
}

if (invitation) {
  $("#login-form").hidden = true;
  $("#invitation-form").hidden = false;
  post("/v1/invitations/look", { token: invitation })
    .then((found) => setText($("#invited"), t("login.invited", { login: found.login })))
    .catch((error) => { $("#invitation-form").hidden = true; fault(error.message); });
}

$("#invitation-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  if ($("#new-password").value !== $("#again").value) return fault(t("login.differ"));
  try {
    await post("/v1/invitations/accept", { token: invitation, password: $("#new-password").value, language });
    location.assign("/");
  } catch (error) {
    fault(error.message);
  }
});

$("#login-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    await post("/v1/login", { login: $("#login").value, password: $("#password").value });
    location.assign(next());
  } catch (error) {
    fault(error.message);
    $("#password").select();
  }
});
