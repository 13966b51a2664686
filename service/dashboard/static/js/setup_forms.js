// The forms of sites, approaches and cameras; what is refused is shown at its field.
import { fill, h, setText } from "./dom.js";
import { number, t } from "./words.js";

// "Ngã tư Hoa Ban" → "nga-tu-hoa-ban"
export const slug = (text) => text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").replace(/[đĐ]/g, "d").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 48);

let serial = 0;

function field(name, label, input, hint = null) {
  const id = `field-${(serial += 1)}`;
  input.id = id;
  input.name = name;
  const about = [hint ? `${id}-hint` : "", `${id}-fault`].filter(Boolean).join(" ");
  input.setAttribute("aria-describedby", about);
  const check = input.type === "checkbox";
  return h("div", { class: "field", "data-name": name }, check ? h("label", { class: "check", for: id }, input, " ", label) : [h("label", { for: id }, label), input],
    hint ? h("p", { class: "hint", id: `${id}-hint` }, hint) : null, h("p", { class: "fault", id: `${id}-fault`, role: "alert" }));
}

function text(value, attributes = {}) {
  const node = h("input", { type: "text", autocomplete: "off", ...attributes });
  if (node.type === "checkbox") node.checked = Boolean(value);
  else node.value = value ?? "";
  return node;
}

const figure = (value, attributes = {}) => text(value, { type: "number", step: "any", inputmode: "decimal", ...attributes });
const numeric = (input) => (input.value === "" ? null : Number(input.value));

// What the form itself can tell, as the service would.
function wrong(fault) {
  if (fault) throw Object.assign(new Error(fault[1]), { field: fault[0] });
}

// Show a form; `send` saves what `gather` gives, and its refusal is shown where it belongs.
function open(dialog, title, fields, gather, send, check = null) {
  const fault = h("p", { class: "notice bad", role: "alert", hidden: true });
  const submit = h("button", { type: "submit", class: "primary" }, t("common.save"));
  const form = h("form", { novalidate: true }, h("h2", { id: "dialog-title" }, title), fault, fields,
    h("div", { class: "row dialog-actions" }, submit, h("button", { type: "button", onclick: () => dialog.close() }, t("common.cancel"))));
  const clear = () => { fault.hidden = true; for (const each of form.querySelectorAll(".fault")) setText(each, ""); };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (submit.disabled) return;
    submit.disabled = true;
    clear();
    try {
      const body = gather();
      wrong(check?.(body));
      await send(body);
      dialog.close();
    } catch (error) {
      const known = error.status === 412 ? t("setup.changed_meanwhile") : error.message.replace(/^(body\S*: )?(Value error, )?/, "");
      const name = error.field?.replace(/^body\./, "").split(".")[0];
      const at = [...form.querySelectorAll(".field")].find((each) => each.dataset.name === name);
      if (at) {
        setText(at.querySelector(".fault"), known);
        at.querySelector("input, select, textarea").focus();
      } else { fault.hidden = false; setText(fault, known); }
    } finally {
      submit.disabled = false;
    }
  });
  fill(dialog, form);
  dialog.showModal();
  form.querySelector("input:not([readonly]), select")?.focus();
}

// Ids follow the name until somebody types one.
function named(id, name, fresh, prefix = "") {
  if (!fresh) { id.readOnly = true; return; }
  let own = false;
  id.addEventListener("input", () => { own = true; });
  name.addEventListener("input", () => { if (!own) id.value = slug(prefix + name.value); });
}

export function siteForm(dialog, site, send) {
  const id = text(site?.id);
  const name = text(site?.name);
  named(id, name, !site);
  const kind = h("select", {}, ["junction", "public_area"].map((each) => h("option", { value: each, selected: site?.kind === each }, t(`common.${each}`))));
  const key = text(site?.is_key ?? true, { type: "checkbox" });
  const [lat, lon] = [figure(site?.lat), figure(site?.lon)];
  const [ward, province, note] = [text(site?.ward), text(site?.province), text(site?.note)];
  open(dialog, t(site ? "setup.edit_site" : "setup.add_site"), [field("name", t("setup.name"), name), field("id", t("setup.id"), id, t("setup.id_hint")), field("kind", t("setup.kind"), kind), field("is_key", t("setup.is_key"), key),
    h("div", { class: "two" }, field("lat", t("setup.lat"), lat), field("lon", t("setup.lon"), lon)), h("div", { class: "two" }, field("ward", t("setup.ward"), ward), field("province", t("setup.province"), province)), field("note", t("setup.note"), note)],
  () => ({ id: id.value.trim(), kind: kind.value, name: name.value.trim(), is_key: key.checked, lat: numeric(lat), lon: numeric(lon), ward: ward.value.trim(), district: site?.district ?? "", province: province.value.trim(), note: note.value.trim() }), send,
  (body) => ((body.lat === null) === (body.lon === null) ? null : [body.lat === null ? "lat" : "lon", t("setup.whole_position")]));
}

export function approachForm(dialog, site, approach, send) {
  const id = text(approach?.id);
  const name = text(approach?.name);
  named(id, name, !approach);
  const [bearing, lanes, width] = [figure(approach?.bearing, { min: 0, max: 359 }), figure(approach?.lanes, { min: 1, step: 1 }), figure(approach?.width_m, { min: 0 })];
  const required = text(approach?.required ?? true, { type: "checkbox" });
  open(dialog, t(approach ? "setup.edit_approach" : "setup.add_approach"), [field("name", t("setup.street"), name), field("id", t("setup.id"), id, t("setup.id_hint")), field("bearing", t("setup.bearing"), bearing, t("setup.bearing_hint")),
    h("div", { class: "two" }, field("lanes", t("setup.lanes"), lanes), field("width_m", t("setup.width"), width)), field("required", t("setup.required"), required)],
  () => ({ site: site.id, id: id.value.trim(), name: name.value.trim(), bearing: numeric(bearing), lanes: numeric(lanes), width_m: numeric(width), required: required.checked }), send);
}

// The address with user and password in it; null where what is kept stays.
export function whole(address, user, password, before) {
  if (!user && !password) return before && address === before ? null : address;
  const bare = address.replace(/^([a-z]+:\/\/)[^/@]*@/i, "$1");
  return bare.replace(/^([a-z]+:\/\/)/i, `$1${encodeURIComponent(user)}:${encodeURIComponent(password)}@`);
}

// Why a substream cannot stand in for the main stream, as a worker sees it (service/live/substream.py).
function misfit(main, sub) {
  if (!main.works) return null;
  const sizes = { main: `${main.width} × ${main.height}`, sub: `${sub.width} × ${sub.height}` };
  if (Math.abs((main.width * sub.height) / (main.height * sub.width) - 1) > 0.02) return t("setup.substream_shape", sizes);
  return sub.width * sub.height >= main.width * main.height ? t("setup.substream_large", sizes) : null;
}

export function cameraForm(dialog, site, camera, suggestion, test, send) {
  const id = text(camera?.id ?? suggestion);
  if (camera) id.readOnly = true;
  const [name, address, substream, note] = [text(camera?.name), text(camera?.address, { spellcheck: "false" }), text(camera?.substream, { spellcheck: "false" }), text(camera?.note)];
  const user = text("", { autocomplete: "off" });
  const password = text("", { type: "password", autocomplete: "new-password" });
  const given = () => whole(address.value.trim(), user.value, password.value, camera?.address);
  // The service gives a substream the user and password of the address.
  const givenSub = () => (camera && substream.value.trim() === camera.substream ? null : substream.value.trim());
  const [result, second] = [h("p", { hidden: true }), h("p", { hidden: true })];
  const button = h("button", { type: "button" }, t("setup.test"));
  const say = (node, kind, words) => { node.hidden = !words; node.className = `notice ${kind}`; setText(node, words); };
  const trial = async (node, shown, address, stream, fault = () => null) => {
    say(node, "", shown(t("setup.testing")));
    try {
      const found = await test(address, stream);
      const wrong = found.works ? fault(found) : t("setup.works_not", { problem: found.problem });
      say(node, wrong ? "bad" : "good", shown(wrong ?? t("setup.works", { seconds: number(found.seconds, 1), width: found.width, height: found.height, codec: (found.codec ?? "?").toUpperCase(), fps: number(found.fps) })));
      return found;
    } catch (error) {
      say(node, "bad", shown(error.message));
      return { works: false };
    }
  };
  button.addEventListener("click", async () => {
    button.disabled = true;
    say(second, "", "");
    const main = await trial(result, (words) => words, given(), "main");
    const sub = givenSub();
    if (substream.value.trim()) await trial(second, (said) => t("setup.of_substream", { said }), sub && !sub.includes("@") ? whole(sub, user.value, password.value) : sub, "sub", (found) => misfit(main, found));
    button.disabled = false;
  });
  open(dialog, t(camera ? "setup.edit_camera" : "setup.add_camera"), [field("name", t("setup.stands"), name), field("id", t("setup.id"), id, t("setup.id_hint")), field("address", t("setup.address"), address, t("setup.address_hint")),
    h("div", { class: "two" }, field("user", t("setup.user"), user), field("password", t("setup.password"), password, t("setup.password_hint"))), field("substream", t("setup.substream"), substream, t("setup.substream_hint")), h("div", { class: "row" }, button), h("div", { role: "status" }, result, second), field("note", t("setup.note"), note)],
  () => ({ id: id.value.trim(), site: site.id, name: name.value.trim(), address: given() || (camera ? null : ""), substream: givenSub(), note: note.value.trim() }), send);
}
