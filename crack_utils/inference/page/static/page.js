// The page: the list of photographs, the one that is looked at, and what a person sets for it.

import { element, fillTable, inWords, panel } from "./results.js";
import { answered, ask, askJson, download } from "./server.js";
import { Tools } from "./tools.js";

const POLL = 400; // [ms] while something is being worked on
const BUSY = ["waiting", "looking", "measuring"];
const SETTLE = 100; // [ms] that the threshold's slider has to rest

const $ = (id) => document.getElementById(id);
const one = (key) => `photographs/${key}`;

let photographs = []; // as the server lists them
let about = null; // what the server says of itself
let current = null; // key of the photograph that is looked at
let details = null; // of that photograph, and of no other
let shownPicture = null; // key of the photograph whose picture is on the screen
let wanted = null; // settings that are to be sent
let sending = false;
let timer = null;
let settling = null; // until the threshold's slider rests
let drawn = ""; // what the list shows, as text
const thumbnails = new Map();
const closed = new Set(); // keys of photographs that a person has closed

const tools = new Tools($("picture"), {
  stroke: (stroke) => change({ strokes: [...settings().strokes, stroke] }),
  scale: askLength,
  primary: (point) => change({ primary: point, notch: null }),
  otherEnd: () => change({ notch: details.findings.tips[0] }),
  position: ([row, column]) => ($("position").textContent = `row ${Math.round(row)}, column ${Math.round(column)}`),
  key: (event) => shortcut(event),
});

// ---- what is told -------------------------------------------------------------------------------------------------

function say(text, kind) {
  const line = element("p", { className: kind }, element("span", {}, text));
  const close = element("button", { title: "Close" }, "×");
  close.addEventListener("click", () => line.remove());
  line.append(close);
  $("messages").append(line);
  while ($("messages").children.length > 4) $("messages").firstChild.remove();
  if (kind !== "bad") setTimeout(() => line.remove(), 8000);
}

// Run an action; what goes wrong is told.
async function attempt(action) {
  try {
    return await action();
  } catch (error) {
    say(error.message, "bad");
  }
}

// ---- the list -----------------------------------------------------------------------------------------------------

async function refresh() {
  clearTimeout(timer);
  const answer = await attempt(() => askJson("GET", "photographs"));
  timer = setTimeout(refresh, !answer || !answer.photographs.some(({ state }) => BUSY.includes(state)) ? 5 * POLL : POLL);
  if (!answer) return;
  about = answer.about;
  photographs = answer.photographs.filter(({ key }) => !closed.has(key));
  if (!photographs.some(({ key }) => key === current)) await select(photographs.at(-1)?.key ?? null);
  drawList();
  const listed = photographs.find(({ key }) => key === current);
  const stale = !details || details.revision !== listed?.revision || details.state !== listed?.state;
  if (listed && stale && !sending && !wanted) await load();
  $("model").textContent = `Model: ${about.model}. Photographs up to ${about.megabytes} MB: ${about.kinds.join(", ")}. ` +
    `Labels are saved in ${about.labels}.`;
}

// Draw the list and the table if anything has changed: whoever is in them with the keyboard stays there.
function drawList() {
  const now = JSON.stringify([photographs, current, [...thumbnails].map(([key, picture]) => [key, picture !== null])]);
  if (now === drawn) return;
  drawn = now;
  const focus = document.activeElement?.dataset.focus;
  $("list").replaceChildren(...photographs.map(drawEntry));
  if (focus) document.querySelector(`[data-focus="${focus}"]`)?.focus();
  fillTable($("table"), photographs, current, select);
  $("csv").disabled = !photographs.some(({ state, example }) => state === "done" && !example);
}

function drawEntry(photograph) {
  const { key, name, state, example } = photograph;
  const picture = thumbnails.get(key) ?? element("span", { className: "blank" });
  const busy = BUSY.includes(state) ? element("span", { className: "spinner" }) : null;
  const title = example ? "An example: a drawn specimen" : name;
  const open = element("button", {}, picture, title, element("small", {}, busy, ` ${inWords(photograph)}`));
  const close = element("button", { title: `Close ${name}` }, "×");
  [open.dataset.focus, close.dataset.focus] = [`open-${key}`, `close-${key}`];
  close.setAttribute("aria-label", `Close ${name}`);
  if (key === current) open.setAttribute("aria-current", "true");
  open.addEventListener("click", () => select(key));
  close.addEventListener("click", () => closePhotograph(key));
  if (!thumbnails.has(key) && photograph.shape.length) fetchThumbnail(key);
  return element("li", { className: `${state}${key === current ? " current" : ""}` }, open, close);
}

async function fetchThumbnail(key) {
  thumbnails.set(key, null);
  await attempt(async () => {
    const blob = await (await ask("GET", `${one(key)}/thumbnail.jpg`)).blob();
    thumbnails.set(key, element("img", { src: URL.createObjectURL(blob), alt: "" }));
    drawList();
  });
}

// A closed photograph leaves the list, and nothing more is asked about it. The server forgets it when all that was asked
// before has been answered: an answer that is still being made needs its files.
async function closePhotograph(key) {
  closed.add(key);
  photographs = photographs.filter((photograph) => photograph.key !== key);
  if (key === current) await select(photographs.at(-1)?.key ?? null);
  await attempt(async () => {
    await answered(one(key));
    await ask("DELETE", one(key)).catch((error) => {
      closed.delete(key);
      throw error;
    });
    thumbnails.delete(key);
  });
  await refresh();
}

async function add(files) {
  const example = photographs.find((photograph) => photograph.example);
  let first = true;
  for (const file of files) {
    if (about && file.size > about.megabytes * 1e6) {
      say(`${file.name}: ${(file.size / 1e6).toFixed(1)} MB; up to ${about.megabytes} MB can be taken.`, "bad");
      continue;
    }
    await attempt(async () => {
      const { key } = await askJson("POST", `photographs?name=${encodeURIComponent(file.name)}`, file);
      const shown = first && select(key);
      if (first && example) await closePhotograph(example.key);
      await shown;
      first = false;
    });
    await refresh();
  }
}

// ---- the photograph that is looked at -----------------------------------------------------------------------------

// Nothing of the photograph before stays on the screen.
async function select(key) {
  if (key === current) return;
  [current, details, wanted, shownPicture] = [key, null, null, null];
  clearTimeout(settling);
  $("scale").blur();
  tools.drop();
  $("length").hidden = true;
  tools.picture.setImage(null);
  draw();
  drawList();
  if (key) await load();
}

async function load() {
  const key = current;
  const answer = await attempt(() => askJson("GET", one(key)));
  if (!answer || key !== current || sending || wanted) return;
  details = answer;
  draw();
  if (details.shape.length && shownPicture !== key) {
    shownPicture = key;
    await attempt(async () => {
      const bitmap = await createImageBitmap(await (await ask("GET", `${one(key)}/picture.jpg`)).blob());
      if (key === current) tools.picture.setImage(bitmap, { size: details.shape });
    });
  }
}

// Show what is known of the current photograph with its current settings, and nothing else.
function draw() {
  const listed = photographs.find(({ key }) => key === current);
  const state = details?.state ?? listed?.state;
  const findings = details?.findings;
  tools.show(details);
  $("name").textContent = details ? (details.example ? "An example: a drawn specimen" : details.name) : (listed?.name ?? "–");
  document.title = details ? `${details.name}: where is the crack?` : "Where is the crack?";
  const size = details?.shape.length ? `${details.shape[0]}×${details.shape[1]} px` : "";
  const count = findings ? { 0: "no crack found", 1: "1 crack" }[details.count] ?? `${details.count} cracks` : "";
  $("about").textContent = [size, count].filter(Boolean).join(", ");
  $("controls").hidden = !details?.settings;
  $("downloads").hidden = !findings;
  $("undo").disabled = !details?.settings?.strokes.length;
  $("at-tip").disabled = !findings?.tips.length;
  if (details?.settings) {
    $("threshold-value").textContent = details.settings.threshold.toFixed(2);
    if (!$("threshold").matches(":active")) $("threshold").value = details.settings.threshold;
    if (document.activeElement !== $("scale")) $("scale").value = details.settings.mm_per_px ? +details.settings.mm_per_px.toPrecision(4) : "";
  }
  $("results").replaceChildren(...(findings ? panel(details) : []));
  if (state === "failed") $("results").replaceChildren(element("p", { className: "bad" }, details?.problem ?? ""));
  $("busy").hidden = !BUSY.includes(state);
  $("busy-text").textContent = { waiting: "Waiting for the photographs before …", looking: "Looking for cracks …",
    measuring: "Measuring …" }[state] ?? "";
}

const settings = () => wanted ?? details.settings;

// Change settings of the current photograph: what was found with the old ones goes at once.
function change(values) {
  if (!details?.settings) return;
  wanted = { ...settings(), ...values };
  const gone = { findings: null, state: "measuring", count: 0, primary: null };
  details = { ...details, ...gone, settings: wanted };
  photographs = photographs.map((listed) => (listed.key === current ? { ...listed, ...gone } : listed));
  draw();
  drawList();
  send();
}

// Send the newest settings; while an answer is awaited, only the newest ones wait.
async function send() {
  if (sending) return;
  sending = true;
  while (wanted) {
    const [key, values] = [current, wanted];
    wanted = null;
    const answer = await attempt(() => askJson("PUT", `${one(key)}/settings`, JSON.stringify(values)));
    if (key !== current || wanted) continue;
    if (!answer) details = null; // what the server holds is loaded anew
    else details = answer;
    draw();
  }
  sending = false;
  await refresh();
}

// ---- scale --------------------------------------------------------------------------------------------------------

function askLength([one, other]) {
  [$("length").hidden, $("scaling").hidden] = [false, true];
  $("length").distance = Math.hypot(one[0] - other[0], one[1] - other[1]);
  $("millimetres").value = "";
  $("millimetres").focus();
}

function endLength() {
  $("length").hidden = true;
  hold("look");
}

$("length").addEventListener("submit", (event) => {
  event.preventDefault();
  const [millimetres, distance] = [Number($("millimetres").value), $("length").distance];
  if (millimetres > 0 && distance > 0) change({ mm_per_px: millimetres / distance });
  endLength();
});
$("no-length").addEventListener("click", endLength);
$("scale").addEventListener("change", () => change({ mm_per_px: Number($("scale").value) > 0 ? Number($("scale").value) : null }));
$("scale-for-all").addEventListener("click", () => attempt(async () => {
  const scale = settings().mm_per_px;
  for (const { key, state } of photographs) {
    if (key === current || !["measuring", "done"].includes(state)) continue;
    const { settings: theirs } = await askJson("GET", one(key));
    await ask("PUT", `${one(key)}/settings`, JSON.stringify({ ...theirs, mm_per_px: scale }));
  }
  await refresh();
}));

// ---- controls -----------------------------------------------------------------------------------------------------

function hold(tool) {
  for (const button of $("tools").children) button.setAttribute("aria-pressed", String(button.dataset.tool === tool));
  $("drawing").hidden = !["line", "erase"].includes(tool);
  $("following").hidden = tool !== "line";
  $("scaling").hidden = tool !== "scale";
  tools.hold(tool);
}

const undo = () => details?.settings?.strokes.length && change({ strokes: settings().strokes.slice(0, -1) });
const toTip = () => details?.findings?.tips.length && tools.picture.zoomTo(details.findings.tips[0], 2);
const toPixels = () => tools.picture.zoomBy(1 / tools.picture.view.scale);

function shortcut(event) {
  if (event.ctrlKey || event.metaKey) {
    if (event.key === "z") undo();
    else return;
  } else if (event.key in { v: 0, s: 0, l: 0, e: 0 }) hold({ v: "look", s: "scale", l: "line", e: "erase" }[event.key]);
  else if (event.key === "t") toTip();
  else if (event.key === "1") toPixels();
  else return;
  event.preventDefault();
}

for (const button of $("tools").children) button.addEventListener("click", () => hold(button.dataset.tool));
for (const button of $("downloads").querySelectorAll("[data-file]")) {
  button.addEventListener("click", () => attempt(() =>
    download(`${one(current)}/${button.dataset.file}`, `${details.name}_${button.dataset.file}`)));
}
$("save-label").addEventListener("click", () => attempt(async () => {
  const { path } = await askJson("POST", `${one(current)}/label`);
  say(`Saved as ${path}.`, "good");
}));
$("csv").addEventListener("click", () => attempt(() => download("measures.csv", "measures.csv")));
$("undo").addEventListener("click", undo);
$("nearer").addEventListener("click", () => tools.picture.zoomBy(1.5));
$("farther").addEventListener("click", () => tools.picture.zoomBy(1 / 1.5));
$("whole").addEventListener("click", () => tools.picture.fit());
$("pixels").addEventListener("click", toPixels);
$("at-tip").addEventListener("click", toTip);
for (const [id, name] of [["show-outlines", "outlines"], ["show-tip", "tip"]]) {
  $(id).addEventListener("change", () => {
    tools.shows[name] = $(id).checked;
    tools.draw();
  });
}
$("width").addEventListener("input", () => (tools.width = Math.min(Math.max(Number($("width").value) || 1, 1), 500)));
$("follow").addEventListener("change", () => (tools.follow = $("follow").value));
$("threshold").addEventListener("input", () => {
  $("threshold-value").textContent = Number($("threshold").value).toFixed(2);
  clearTimeout(settling);
  const key = current;
  settling = setTimeout(() => key === current && change({ threshold: Number($("threshold").value) }), SETTLE);
});

$("files").addEventListener("change", () => {
  add([...$("files").files]);
  $("files").value = ""; // so that the same file can be given again
});
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("dropping");
});
document.addEventListener("dragleave", (event) => event.relatedTarget ?? document.body.classList.remove("dropping"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dropping");
  add([...event.dataTransfer.files]);
});

hold("look");
refresh();
