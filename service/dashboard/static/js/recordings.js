// Recordings: hand files in, follow their counting, see and fetch the result.
import { all, freshest, get, getResponse, remove } from "./api.js";
import { empty, setText, toast } from "./dom.js";
import { $, failed, fill, h, localMoment, option, section } from "./pieces.js";
import { CLASSES } from "./palette.js";
import { clockSeconds, dateTime, day, language, number, percent, t, tz } from "./words.js";

const CHIP = { queued: "unknown", running: "warn", done: "good", failed: "bad", cancelled: "unknown" };
const state = { jobs: [], next: null, limit: 20, shown: null, cameras: [] };
const csrf = () => document.querySelector('meta[name="csrf"]')?.content ?? "";

// --- handing in

function options() {
  const form = $("#options").elements;
  const start = form.start.value ? localMoment(form.start.value) : null;
  return {
    camera: form.camera.value || null, record: Boolean(form.camera.value && form.record.checked), tz, annotate: form.annotate.checked,
    start: start ? start.toISOString() : null, fps: form.fps.value ? Number(form.fps.value) : null,
  };
}

// One file after the other; XMLHttpRequest because fetch does not tell how much has been sent.
let sending = Promise.resolve();

function hand(file) {
  const bar = h("progress", { max: "100", value: "0", "aria-label": file.name });
  const told = h("span", { class: "small", role: "status" }, t("recordings.uploading", { share: percent(0) }));
  const stop = h("button", { type: "button", class: "plain" }, t("recordings.stop"));
  const row = h("li", { "data-file": file.name }, h("div", { class: "row" }, h("strong", {}, file.name), stop), bar, told);
  $("#uploads").append(row);
  const asked = options();
  const request = new XMLHttpRequest();
  let stopped = false;
  stop.addEventListener("click", () => { stopped = true; request.abort(); end(t("recordings.stopped"), "muted"); });
  function end(text, kind) {
    bar.remove();
    stop.remove();
    told.className = `small ${kind}`;
    setText(told, text);
  }
  sending = sending.then(() => new Promise((done) => {
    if (stopped) { done(); return; }
    const form = new FormData();
    form.append("options", JSON.stringify(asked));
    form.append("file", file, file.name);
    request.open("POST", "/v1/jobs");
    request.setRequestHeader("X-CSRF-Token", csrf());
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("Accept-Language", language);
    request.upload.addEventListener("progress", (event) => {
      if (!event.lengthComputable) return;
      bar.value = (100 * event.loaded) / event.total;
      setText(told, event.loaded === event.total ? t("recordings.checking") : t("recordings.uploading", { share: percent(event.loaded / event.total) }));
    });
    request.addEventListener("loadend", () => {
      if (!stopped) {
        let answer = null;
        try { answer = JSON.parse(request.responseText); } catch { answer = null; }
        if (request.status === 201 || request.status === 200) end(t(request.status === 201 ? "recordings.uploaded" : "recordings.known"), "muted");
        else end(answer?.detail ?? answer?.title ?? t("recordings.broken"), "fault");
        if (request.status === 401) location.assign(`/login?next=${encodeURIComponent(location.pathname)}`);
        showJobs().catch(() => null);
      }
      done();
    });
    request.send(form);
  }));
}

function takes(files) {
  for (const file of files) hand(file);
  $("#files").value = "";
}

function listenForFiles() {
  const drop = $("#drop");
  const over = (is) => (event) => { event.preventDefault(); drop.classList.toggle("over", is); };
  for (const name of ["dragenter", "dragover"]) drop.addEventListener(name, over(true));
  drop.addEventListener("dragleave", over(false));
  drop.addEventListener("drop", (event) => { over(false)(event); takes(event.dataTransfer.files); });
  // A file dropped beside the frame must not take the page away.
  for (const name of ["dragover", "drop"]) document.addEventListener(name, (event) => event.preventDefault());
  $("#files").addEventListener("change", (event) => takes(event.target.files));
  $("#camera").addEventListener("change", () => {
    $("#record").disabled = !$("#camera").value;
    if (!$("#camera").value) $("#record").checked = false;
  });
}

// --- the queue

async function showJobs() {
  const page = await freshest("jobs", get(`/v1/jobs?limit=${state.limit}`));
  if (!page) return true;
  state.jobs = page.items;
  $("#more").hidden = !page.next;
  fill($("#jobs"), page.items.length ? page.items.map(jobRow) : empty(t("recordings.none"), t("recordings.none_step")));
  const before = state.shown;
  const now = before && page.items.find((job) => job.id === before.id);
  if (now && now.state !== before.state) showResult(now).catch(() => null);
  return page.items.some((job) => job.state === "queued" || job.state === "running");
}

function jobRow(job) {
  const active = job.state === "queued" || job.state === "running";
  return h("article", { class: "job", "data-job": job.id, "data-state": job.state },
    h("div", { class: "head" }, h("strong", {}, job.name), h("span", { class: `chip ${CHIP[job.state]}` }, t(`recordings.state_${job.state}`)),
      h("div", { class: "row" }, active ? h("button", { type: "button", "aria-label": `${t("recordings.cancel")}: ${job.name}`, onclick: () => cancel(job) }, t("recordings.cancel")) : null,
        job.state === "done" ? h("button", { type: "button", class: "primary", "aria-label": `${t("recordings.show")}: ${job.name}`, onclick: () => showResult(job, true) }, t("recordings.show")) : null)),
    h("p", { class: "muted small" }, [t("recordings.by_at", { who: job.created_by, time: dateTime(job.created_at) }), job.options.camera].filter(Boolean).join(" · ")),
    job.state === "running" ? [h("progress", { max: "100", value: String(100 * job.progress), "aria-label": job.name }), h("p", { class: "small" }, t("recordings.progress", { share: percent(job.progress) }))] : null,
    job.state === "failed" ? h("p", { class: "notice bad" }, job.message) : null);
}

async function cancel(job) {
  await remove(`/v1/jobs/${job.id}`).then(() => toast(t("recordings.cancelled")), (error) => toast(error.message));
  await showJobs().catch(() => null);
}

// --- the result

const FILE = (name) => t(`recordings.file_${name.split(".")[0]}`);

function table(caption, heads, rows, seen) {
  return h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": caption }, h("table", {}, h("caption", { class: "visually-hidden" }, caption),
    h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, head)), seen.map((name) => h("th", { scope: "col", class: "number" }, t(`common.class_${name}`))), h("th", { scope: "col", class: "number" }, t("common.total")))),
    h("tbody", {}, rows.map(({ names, counts }) => h("tr", {}, names.map((name, index) => (index ? h("td", {}, name) : h("th", { scope: "row" }, name))), seen.map((name) => h("td", { class: "number" }, number(counts[name] ?? 0))), h("td", { class: "number" }, h("strong", {}, number(Object.values(counts).reduce((a, b) => a + b, 0)))))))));
}

// What gates and movements are called in the camera's present drawing; what is not in it keeps its id.
async function namesOf(camera) {
  const known = state.cameras.some((each) => each.id === camera && each.view_version !== null);
  const view = known ? (await get(`/v1/cameras/${encodeURIComponent(camera)}/view`).catch(() => null))?.view : null;
  const gates = new Map((view?.gates ?? []).map((gate) => [gate.id, gate.name || gate.id]));
  const movements = new Map((view?.movements ?? []).map((each) => [each.id, `${gates.get(each.from)} → ${gates.get(each.to)}`]));
  return { gate: (id) => gates.get(id) ?? id, movement: (id) => movements.get(id) ?? id.replaceAll("-", " → ") };
}

// The rows of movements in counts.csv, added up; columns by their names.
function movementsOf(csv, nameOf) {
  const [head, ...rows] = csv.trim().split("\n").map((line) => line.trim().split(","));
  const at = Object.fromEntries(head.map((name, index) => [name, index]));
  const found = new Map();
  for (const row of rows) {
    if (row[at.kind] !== "movement" || !Number(row[at.count])) continue;
    const counts = found.get(row[at.id]) ?? {};
    counts[row[at.class]] = (counts[row[at.class]] ?? 0) + Number(row[at.count]);
    found.set(row[at.id], counts);
  }
  return [...found].sort(([a], [b]) => a.localeCompare(b)).map(([id, counts]) => ({ names: [nameOf(id)], counts }));
}

async function showResult(job, focus = false) {
  state.shown = job;
  const names = await namesOf(job.options.camera);
  if (state.shown !== job) return;
  const node = $("#result");
  node.hidden = false;
  const path = (name) => `/v1/jobs/${job.id}/files/${name}`;
  const counts = job.counts ?? {}, summary = job.summary ?? {};
  const rows = Object.entries(counts).sort(([a], [b]) => a.localeCompare(b)).flatMap(([gate, ways]) => Object.entries(ways).sort(([a], [b]) => a.localeCompare(b)).map(([direction, byClass]) => ({ names: [names.gate(gate), t(`recordings.${direction}`)], counts: byClass })));
  const classes = (list) => CLASSES.filter((name) => list.some((row) => row.counts[name]));
  const whole = rows.reduce((sum, row) => sum + Object.values(row.counts).reduce((a, b) => a + b, 0), 0);
  const movements = h("div", {}, h("p", { class: "muted" }, t("common.loading")));
  const facts = [[t("recordings.crossings"), number(whole)]];
  if (summary.start && summary.end) facts.push([t("recordings.covered"), `${day(summary.start)} ${clockSeconds(summary.start)} – ${clockSeconds(summary.end)}`]);
  const lasted = (new Date(summary.end) - new Date(summary.start)) / 1000;
  if (lasted > 0 && summary.elapsed_s) facts.push([t("recordings.speed"), t("recordings.times_real", { times: number(lasted / summary.elapsed_s, 1) })]);
  const video = job.files.includes("annotated.mp4") ? h("video", { controls: true, preload: "metadata", src: path("annotated.mp4"), "aria-label": t("recordings.video") }) : null;
  video?.addEventListener("error", () => video.replaceWith(h("p", { class: "notice warn" }, t("recordings.video_failed"))));
  fill(node, h("h2", { id: "result-title" }, h("span", {}, t("recordings.result_of", { name: job.name })), h("button", { type: "button", class: "plain", onclick: () => { node.hidden = true; state.shown = null; } }, t("common.close"))),
    job.options.record ? h("p", { class: "muted" }, t("recordings.recorded", { camera: job.options.camera })) : null, job.notes.length ? h("ul", { class: "notice warn" }, job.notes.map((note) => h("li", {}, note))) : null,
    h("div", { class: "grid" },
      video ? h("div", { class: "span-7" }, h("h3", {}, t("recordings.video")), video, h("p", { class: "muted small" }, t("recordings.video_note"))) : null,
      h("div", { class: video ? "span-5" : "span-12" }, h("dl", { class: "facts" }, facts.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])),
        job.files.length ? [h("h3", { class: "visually-hidden" }, t("recordings.files")), h("ul", { class: "files" }, job.files.map((name) => h("li", {}, h("a", { class: "button", href: path(name), download: name }, `${FILE(name)} (${name.split(".").pop()})`))))] : null),
      h("div", { class: "span-6" }, h("h3", {}, t("recordings.by_gate")), rows.length ? table(t("recordings.by_gate"), [t("recordings.gate"), t("recordings.direction")], rows, classes(rows)) : empty(t("recordings.no_crossings"))),
      h("div", { class: "span-6" }, h("h3", {}, t("recordings.by_movement")), movements)));
  if (focus) { node.focus({ preventScroll: true }); node.scrollIntoView({ block: "start" }); }
  if (!job.files.includes("counts.csv")) { fill(movements, empty(t("recordings.no_movements"))); return; }
  try {
    const found = movementsOf(await (await getResponse(path("counts.csv"), { headers: { Accept: "text/csv" } })).text(), names.movement);
    fill(movements, found.length ? table(t("recordings.by_movement"), [t("recordings.movement")], found, classes(found)) : empty(t("recordings.no_movements")));
  } catch (error) {
    fill(movements, h("p", { class: "notice bad" }, t("recordings.movements_failed", { reason: error.message })));
  }
}

// --- the page

async function start() {
  const cameras = state.cameras = await all("/v1/cameras");
  fill($("#camera"), option("", t("recordings.no_camera")), cameras.map((camera) => option(camera.id, camera.view_version ? camera.id : t("recordings.no_view", { camera: camera.id }))));
  listenForFiles();
  $("#more").addEventListener("click", () => { state.limit += 50; showJobs().catch((error) => toast(error.message)); });
  await section($("#jobs"), showJobs);
  const again = () => showJobs().catch(() => false).then((active) => setTimeout(again, active ? 1500 : 8000));
  setTimeout(again, 1500);
}

start().catch((error) => fill($("#jobs"), failed(error, () => location.reload())));
