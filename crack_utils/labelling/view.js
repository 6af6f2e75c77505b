// The editor's picture in JupyterLab: shows what crack_utils.labelling.view tells, and tells what a person does.
// Joined with picture.js into one module.

const SKETCH = "#39ff14"; // of an open line: no photograph contains this green
const TIP = "#ffe14d";
const CLICKED = ["polyline", "polygon", "flood_fill", "tip", "tip2", "scale"];
const DRAGGED = ["rectangle", "disk", "freehand", "brush", "eraser"];
const NEAR = 9; // [screen px] from a vertex, to take hold of it
const REST = 150; // [ms] that the mouse rests before a fill is previewed
const TYPED = "input:not([type=checkbox]):not([type=range]), textarea, select, [contenteditable=true]";

function decoded(bytes) {
  return bytes?.byteLength ? createImageBitmap(new Blob([bytes])) : Promise.resolve(null);
}

// What is drawn over the photograph, in the photograph's own coordinates.
class Sketch {
  constructor(model, picture) {
    Object.assign(this, { model, picture, path: [], cursor: null, held: null });
  }

  draw() {
    const get = (name) => this.model.get(name);
    const [tool, vertices, line, scale] = [get("tool"), get("vertices"), get("line"), this.picture.view.scale];
    const shapes = [];
    if (line.length > 1) shapes.push({ points: line, color: SKETCH, width: 1.5 });
    if (get("continues") && line.length && this.cursor && !this.path.length)
      shapes.push({ points: [line.at(-1), this.cursor], color: SKETCH, width: 1, dash: [5, 4] });
    vertices.forEach((point, index) => {
      const at = index === this.held?.index ? this.held.point : point;
      shapes.push({ at, radius: index === get("active") ? 6 : 4, color: SKETCH, width: index === get("active") ? 2.5 : 1.5 });
    });
    if (this.path.length) shapes.push(...this.dragged(tool, get("width") * scale));
    if (["brush", "eraser"].includes(tool) && this.cursor)
      shapes.push({ at: this.cursor, radius: get("width") / 2, inPicture: true, color: tool === "brush" ? SKETCH : "#ffffff", width: 1 });
    for (const at of get("marks")) {
      const arm = 9 / scale;
      for (const [down, right] of [[arm, 0], [0, arm]])
        shapes.push({ points: [[at[0] - down, at[1] - right], [at[0] + down, at[1] + right]], color: TIP, width: 2 });
    }
    this.picture.setShapes(shapes);
  }

  dragged(tool, width) {
    const [first, last] = [this.path[0], this.path.at(-1)];
    if (tool === "rectangle")
      return [{ points: [first, [first[0], last[1]], last, [last[0], first[1]]], closed: true, color: SKETCH, width: 1.5 }];
    if (tool === "disk") {
      const radius = Math.hypot(last[0] - first[0], last[1] - first[1]);
      return [{ at: first, radius, inPicture: true, color: SKETCH, width: 1.5 }];
    }
    const colour = tool === "eraser" ? "rgba(255, 255, 255, 0.7)" : "rgba(57, 255, 20, 0.6)";
    return [{ points: this.path, color: tool === "freehand" ? SKETCH : colour, width: tool === "freehand" ? 1.5 : width }];
  }
}

function render({ model, el }) {
  const host = document.createElement("div");
  host.className = "crack-picture";
  host.style.cssText = "width: 100%; background: #2b2b2b; outline: none; cursor: crosshair; overflow: hidden";
  host.setAttribute("role", "application");
  host.setAttribute("aria-label", "Photograph with its mask; keys are listed under Shortcuts");
  el.style.width = "100%";
  el.append(host);

  const tell = (kind, more = {}) => model.send({ kind, ...more });
  const picture = new Picture(host, { pointer, key, view: () => sketch.draw() });
  const sketch = new Sketch(model, picture);
  let full = null, reduced = null, preview = null, last = null;
  let shown = 0, masks = 0, previews = 0, rest = null, asked = false;

  // --- what the kernel tells ---

  async function showPhotograph() {
    const number = model.get("number");
    if (number === shown) return;
    shown = number;
    picture.setImage(null); // the last photograph goes at once, whatever the next one takes to arrive
    full = reduced = preview = null;
    fitHeight();
    const bitmap = await decoded(model.get("photograph"));
    if (number !== shown) return;
    picture.setImage(bitmap, { size: model.get("size") });
    host.dataset.number = number;
    await showMask();
    focusHost();
  }

  async function showMask() {
    const turn = ++masks;
    const [number, bitmaps] = [shown, [decoded(model.get("mask")), decoded(model.get("reduced"))]];
    const [large, small] = await Promise.all(bitmaps);
    if (turn !== masks || number !== shown) return; // a newer one is on its way
    [full, reduced] = [large, small];
    look();
  }

  async function showPreview() {
    asked = false;
    const turn = ++previews;
    const bitmap = await decoded(model.get("preview"));
    if (turn !== previews) return;
    preview = bitmap;
    host.dataset.preview = bitmap ? "shown" : "";
    look();
  }

  function look() {
    const binary = model.get("binary");
    picture.filter = binary ? "brightness(0)" : `brightness(${model.get("brightness")}) contrast(${model.get("contrast")})`;
    const afar = reduced && picture.view.scale * (model.get("size")[1] / reduced.width) < 1.5;
    const mask = afar ? reduced : full;
    picture.setOverlay(preview && mask ? both(mask, preview) : preview || mask, binary ? 1 : model.get("opacity"));
    sketch.draw();
  }

  function both(mask, over) {
    const canvas = new OffscreenCanvas(over.width, over.height);
    const context = canvas.getContext("2d");
    context.imageSmoothingEnabled = false;
    context.drawImage(mask, 0, 0, over.width, over.height);
    context.drawImage(over, 0, 0);
    return canvas;
  }

  // --- the space that is there ---

  function fitHeight() {
    const [height, width] = model.get("size");
    const most = Math.max(320, 0.72 * window.innerHeight);
    const wanted = Math.min(Math.max((host.clientWidth * height) / width, 240), most);
    if (Math.abs(wanted - host.clientHeight) > 1) host.style.height = `${Math.round(wanted)}px`;
  }
  const widths = new ResizeObserver(fitHeight);
  widths.observe(el);
  window.addEventListener("resize", fitHeight);

  // --- what a person does ---

  function nearVertex(event) {
    const [x, y] = picture._onScreen(event);
    const far = model.get("vertices").map((point) => {
      const [across, down] = picture.toScreen(point);
      return Math.hypot(across - x, down - y);
    });
    const least = Math.min(...far);
    return least <= NEAR ? far.indexOf(least) : -1;
  }

  function pointer({ phase, point, event }) {
    const tool = model.get("tool");
    sketch.cursor = point;
    if (phase === "hover") askForPreview(tool, point);
    else clearTimeout(rest);
    if (phase === "start") {
      const index = DRAGGED.includes(tool) ? -1 : nearVertex(event);
      const continues = model.get("continues");
      const twice = isDouble(event); // its first click has made the last vertex
      if (continues && ((tool === "polygon" && index === 0 && model.get("vertices").length > 2) || twice)) tell("close");
      else if (index >= 0) sketch.held = { index, point, from: point };
      else if (CLICKED.includes(tool)) tell("click", { point });
      else sketch.path = [point];
    } else if (phase === "move") {
      if (sketch.held) sketch.held.point = point;
      else if (sketch.path.length && far(sketch.path.at(-1), point)) {
        const all = event.getCoalescedEvents?.() ?? [];
        sketch.path.push(...(all.length > 1 ? all.map((each) => picture.toPicture(each)) : [point]));
      }
    } else if (phase === "end") {
      if (sketch.held) {
        const { index, from } = sketch.held;
        const moved = Math.hypot(point[0] - from[0], point[1] - from[1]) * picture.view.scale > 2;
        tell("vertex", { index, point: moved ? point : null });
      } else if (sketch.path.length > 1 || (sketch.path.length && ["brush", "eraser"].includes(tool))) tell("draw", { points: sketch.path });
      sketch.held = null;
      sketch.path = [];
    }
    sketch.draw();
  }

  function isDouble(event) {
    const before = last;
    last = { time: event.timeStamp, x: event.clientX, y: event.clientY };
    if (!before || last.time - before.time > 350 || Math.hypot(last.x - before.x, last.y - before.y) > 6) return false;
    last = null;
    return true;
  }

  function far([row, column], [down, right]) {
    return Math.hypot(row - down, column - right) >= Math.min(0.5, 1 / picture.view.scale);
  }

  // A fill is previewed where the mouse rests; only one question is on its way at a time.
  function askForPreview(tool, point) {
    clearTimeout(rest);
    if (tool !== "flood_fill") return;
    rest = setTimeout(() => {
      if (asked) return askForPreview(tool, point);
      asked = true;
      setTimeout(() => (asked = false), 3000); // an answer that is lost must not end all previews
      tell("hover", { point });
    }, REST);
  }

  picture.canvas.addEventListener("pointerleave", () => {
    clearTimeout(rest);
    sketch.cursor = null;
    if (preview) tell("hover", { point: null });
    sketch.draw();
  });

  function key(event) {
    const name = (event.ctrlKey || event.metaKey ? "ctrl+" : "") + (event.key.length === 1 ? event.key : event.key.toLowerCase());
    if (name.startsWith("ctrl+") && !["ctrl+z", "ctrl+y"].includes(name)) return; // the browser's own
    if (event.altKey || event.key === "Tab" || event.key === "Shift") return;
    event.preventDefault();
    tell("key", { key: name });
  }

  // Keys work in the whole editor, without a click first; JupyterLab's own would cut or delete the cell.
  const focusHost = () => document.activeElement?.matches(TYPED) || host.focus({ preventScroll: true });
  const forward = (event) => {
    if (event.target !== host && !event.target.matches(TYPED) && !["Enter", " ", "Tab"].includes(event.key)) picture._key(event);
  };
  let editor = null;
  const settle = setTimeout(() => {
    editor = host.closest(".crack-editor") ?? el;
    editor.setAttribute("data-lm-suppress-shortcuts", "true");
    editor.addEventListener("keydown", forward);
    editor.addEventListener("pointerenter", focusHost);
    fitHeight();
    document.activeElement?.matches(".cm-content") || host.focus({ preventScroll: true });
  }, 100);

  const listeners = {
    "change:number": showPhotograph,
    "change:mask change:reduced": () => model.get("number") === shown && showMask(),
    "change:preview": showPreview,
    "change:opacity change:brightness change:contrast change:binary": look,
    "change:line change:vertices change:active change:continues change:marks change:tool change:width": () => sketch.draw(),
    "change:pans": () => (picture.pans = model.get("pans")),
    "msg:custom": ({ kind }) => kind === "whole" && picture.fit(),
  };
  for (const [names, listener] of Object.entries(listeners)) model.on(names, listener);
  picture.on.view = look;
  picture.pans = model.get("pans");
  Object.assign(host, { _picture: picture, _model: model }); // for tests, which look at where things are on the screen
  showPhotograph();

  return () => {
    clearTimeout(settle);
    clearTimeout(rest);
    for (const [names, listener] of Object.entries(listeners)) model.off(names, listener);
    editor?.removeEventListener("keydown", forward);
    editor?.removeEventListener("pointerenter", focusHost);
    window.removeEventListener("resize", fitHeight);
    widths.disconnect();
    picture.remove();
  };
}

export default { render };
