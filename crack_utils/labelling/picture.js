// A picture that one zooms, pans and draws on: shared by the page of `crack-utils serve` and the labelling editor.
//
// Positions are [row, column] in pixels of the photograph, as everywhere in crack_utils: whole numbers are the middles of
// pixels. The bitmap may be smaller than the photograph; `size` says how large that is. Shapes have their positions in
// the photograph and their widths on the screen, so that they can be seen at any zoom.
//
// Wheel, or + and −: zoom. Right or middle button, the space bar with the left one, or the arrows: pan. 0: the whole.

const CLOSEST = 64; // screen pixels a pixel of the photograph has at most
const STEP = 1.25; // of a zoom by key or by a notch of the wheel
const HALO = "rgba(0, 0, 0, 0.6)"; // around lines, which may lie on a bright or a dark ground

export class Picture {
  // host: an element with a height of its own. on.pointer({phase, point, event}): the left button, phases "start",
  // "move", "end", and "hover" without it; on.key(event) gets what the picture does not use; on.view() any new view.
  constructor(host, on = {}) {
    this.host = host;
    this.on = on;
    this.canvas = document.createElement("canvas");
    this.canvas.style.cssText = "display: block; width: 100%; height: 100%; touch-action: none";
    host.append(this.canvas);
    this.context = this.canvas.getContext("2d");
    this.bitmap = this.overlay = null;
    this.opacity = 1;
    this.filter = "none"; // such as "brightness(1.3) contrast(1.2)", of the photograph alone
    this.shapes = [];
    this.pans = false; // whether the left button pans
    this.size = [1, 1];
    this.view = { scale: 1, left: 0, top: 0 }; // screen pixels a photograph's pixel; its corner on the screen
    this._drag = null;
    this._space = false;
    this._listen();
  }

  // Show another bitmap (null: nothing). The view stays only if it is told to.
  setImage(bitmap, { size, keepView = false } = {}) {
    this.bitmap = bitmap;
    this.overlay = null;
    this.size = size ?? (bitmap ? [bitmap.height, bitmap.width] : [1, 1]);
    if (keepView) this.draw();
    else this.fit();
  }

  // Lay another bitmap of the same picture over it.
  setOverlay(bitmap, opacity = 1) {
    this.overlay = bitmap;
    this.opacity = opacity;
    this.draw();
  }

  // Draw shapes: {points, color, width, closed, fill, dash}, or {at, radius, color, width}; radius in screen pixels, or
  // in the photograph's with `inPicture`.
  setShapes(shapes) {
    this.shapes = shapes;
    this.draw();
  }

  // Show all of the photograph.
  fit() {
    const { clientWidth: wide, clientHeight: high } = this.host;
    const [height, width] = this.size;
    const scale = Math.min(wide / width, high / height) || 1;
    this._see(scale, (wide - scale * width) / 2, (high - scale * height) / 2);
    this._whole = true;
  }

  // Show a position in the middle of the screen, with so many screen pixels a pixel.
  zoomTo(point, scale) {
    const { clientWidth: wide, clientHeight: high } = this.host;
    this._see(scale, wide / 2 - scale * (point[1] + 0.5), high / 2 - scale * (point[0] + 0.5));
  }

  // Zoom by a factor; the place at [x, y] on the screen, or in its middle, stays.
  zoomBy(factor, [x, y] = [this.host.clientWidth / 2, this.host.clientHeight / 2]) {
    const { scale, left, top } = this.view;
    const [least] = [Math.min(this.host.clientWidth / this.size[1], this.host.clientHeight / this.size[0]) / 2];
    const next = Math.min(Math.max(scale * factor, least), CLOSEST);
    this._see(next, x - ((x - left) * next) / scale, y - ((y - top) * next) / scale);
  }

  panBy(right, down) {
    this._see(this.view.scale, this.view.left + right, this.view.top + down);
  }

  // The position in the photograph of a mouse's event.
  toPicture(event) {
    const [x, y] = this._onScreen(event);
    const { scale, left, top } = this.view;
    return [(y - top) / scale - 0.5, (x - left) / scale - 0.5];
  }

  // The place on the screen [x, y] of a position in the photograph, from the picture's own corner.
  toScreen([row, column]) {
    const { scale, left, top } = this.view;
    return [left + scale * (column + 0.5), top + scale * (row + 0.5)];
  }

  draw() {
    this._frame ??= requestAnimationFrame(() => {
      this._frame = null;
      this._paint();
    });
  }

  remove() {
    this._resized.disconnect();
    cancelAnimationFrame(this._frame);
    this.canvas.remove();
  }

  _see(scale, left, top) {
    const { clientWidth: wide, clientHeight: high } = this.host;
    const [height, width] = this.size;
    const within = (start, length, room) => Math.min(Math.max(start, room / 2 - length), room / 2);
    this._whole = false;
    this.view = { scale, left: within(left, scale * width, wide), top: within(top, scale * height, high) };
    this.draw();
    this.on.view?.();
  }

  _paint() {
    const { clientWidth: wide, clientHeight: high } = this.host;
    const ratio = window.devicePixelRatio || 1;
    const [across, down] = [Math.round(wide * ratio), Math.round(high * ratio)];
    if (this.canvas.width !== across || this.canvas.height !== down) [this.canvas.width, this.canvas.height] = [across, down];
    const context = this.context;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, wide, high);
    if (!this.bitmap) return;
    const { scale, left, top } = this.view;
    const [height, width] = this.size;
    context.imageSmoothingEnabled = (scale * width) / this.bitmap.width < 2; // close up, one sees the pixels
    context.imageSmoothingQuality = "medium";
    context.filter = this.filter;
    context.drawImage(this.bitmap, left, top, scale * width, scale * height);
    context.filter = "none";
    if (this.overlay) {
      context.globalAlpha = this.opacity;
      context.drawImage(this.overlay, left, top, scale * width, scale * height);
      context.globalAlpha = 1;
    }
    for (const shape of this.shapes) this._paintShape(shape);
  }

  _paintShape({ points, at, radius, inPicture, closed, fill, color, width = 2, dash = [] }) {
    const context = this.context;
    context.beginPath();
    if (at) {
      const [x, y] = this.toScreen(at);
      context.arc(x, y, inPicture ? radius * this.view.scale : radius, 0, 2 * Math.PI);
    } else {
      for (const point of points) context.lineTo(...this.toScreen(point));
      if (closed) context.closePath();
    }
    context.lineCap = context.lineJoin = "round";
    context.setLineDash(dash);
    if (fill) {
      context.fillStyle = fill;
      context.fill();
    }
    for (const [style, extra] of [[HALO, 2], [color, 0]]) {
      context.strokeStyle = style;
      context.lineWidth = width + extra;
      context.stroke();
    }
  }

  _onScreen(event) {
    const corner = this.canvas.getBoundingClientRect();
    return [event.clientX - corner.left, event.clientY - corner.top];
  }

  _listen() {
    this._resized = new ResizeObserver(() => (this._whole ? this.fit() : this.draw()));
    this._resized.observe(this.host);
    const canvas = this.canvas;
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoomBy(STEP ** (-event.deltaY / (event.deltaMode ? 3 : 100)), this._onScreen(event));
    }, { passive: false });
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("pointerdown", (event) => this._press(event));
    canvas.addEventListener("pointermove", (event) => this._move(event));
    canvas.addEventListener("pointerup", (event) => this._release(event));
    canvas.addEventListener("pointercancel", (event) => this._release(event));
    this.host.tabIndex = 0;
    this.host.addEventListener("keydown", (event) => this._key(event));
    this.host.addEventListener("keyup", (event) => event.key === " " && (this._space = false));
    this.host.addEventListener("blur", () => (this._space = false));
  }

  _press(event) {
    event.preventDefault(); // else the browser selects text, or scrolls with the middle button
    this.host.focus({ preventScroll: true });
    this.canvas.setPointerCapture(event.pointerId);
    this._drag = event.button || this._space || this.pans ? "pan" : "tool";
    this._at = [event.clientX, event.clientY];
    if (this._drag === "tool") this._tell("start", event);
  }

  _move(event) {
    if (this._drag === "pan") {
      this.panBy(event.clientX - this._at[0], event.clientY - this._at[1]);
      this._at = [event.clientX, event.clientY];
    } else this._tell(this._drag ? "move" : "hover", event);
  }

  _release(event) {
    if (this._drag === "tool") this._tell("end", event);
    this._drag = null;
  }

  _tell(phase, event) {
    if (this.bitmap) this.on.pointer?.({ phase, point: this.toPicture(event), event });
  }

  _key(event) {
    const step = 80; // [screen px]
    const moves = { ArrowLeft: [step, 0], ArrowRight: [-step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
    if (event.ctrlKey || event.metaKey || event.altKey) return this.on.key?.(event);
    if (event.key === " ") this._space = true;
    else if (event.key === "+" || event.key === "=") this.zoomBy(STEP);
    else if (event.key === "-") this.zoomBy(1 / STEP);
    else if (event.key === "0") this.fit();
    else if (event.key in moves) this.panBy(...moves[event.key]);
    else return this.on.key?.(event);
    event.preventDefault();
  }
}
