// What the left button does on the picture: look, set the scale, draw crack, erase.

import { Picture } from "./picture.js";

export const PRIMARY = "#d55e00", SECONDARY = "#56b4e9", TIP = "#ffe14d", SKETCH = "#39ff14";
const CLICK = 5; // [screen px] a press that moves no farther is a click
const DOUBLE = 400; // [ms] within which two presses are a double click
const NEAR = 16; // [screen px] from a mark or an outline that a click may be

const apart = ([row, column], [otherRow, otherColumn]) => Math.hypot(row - otherRow, column - otherColumn);

// host: the picture's element. on.stroke(stroke), on.scale([one, other]), on.primary(point), on.otherEnd(), on.key(event),
// on.position(point).
export class Tools {
  constructor(host, on) {
    this.on = on;
    this.picture = new Picture(host, {
      pointer: (happened) => this._pointer(happened),
      key: (event) => this._key(event),
    });
    this.tool = "look";
    this.width = 4;
    this.follow = "dark";
    this.shows = { outlines: true, tip: true };
    this.details = null;
    this._sketch = [];
    this._cursor = null;
  }

  hold(tool) {
    this.tool = tool;
    this.picture.host.className = tool;
    this.drop();
  }

  // Forget an open line.
  drop() {
    this._sketch = [];
    this.draw();
  }

  show(details) {
    this.details = details;
    this.draw();
  }

  draw() {
    const { outlines = [], findings } = this.details ?? {};
    const primary = new Set(findings?.primary ?? []);
    const shapes = [];
    if (this.shows.outlines) {
      outlines.forEach((points, index) => {
        const color = !findings || primary.has(index) ? PRIMARY : SECONDARY;
        shapes.push({ points, closed: true, color, width: 1.6 });
      });
      if (findings?.line.length) shapes.push({ points: findings.line, color: TIP, width: 1, dash: [2, 5] });
    }
    if (this.shows.tip && findings) {
      for (const at of findings.tips) shapes.push({ at, radius: 14, color: TIP, width: 3.5 });
      const other = findings.other_end;
      if (other && !findings.tips.some((tip) => apart(tip, other) < 1)) {
        shapes.push({ at: other, radius: 9, color: "#fff", width: 2.5 });
      }
    }
    const width = this.width * this.picture.view.scale;
    if (this._sketch.length) {
      const points = this._cursor && this.tool !== "erase" ? [...this._sketch, this._cursor] : this._sketch;
      if (this.tool === "scale") shapes.push({ points, color: SKETCH, width: 2 });
      else shapes.push({ points, color: this.tool === "erase" ? "#ff5a4d99" : `${SKETCH}99`, width: Math.max(width, 1) });
      if (this.tool !== "erase") for (const at of this._sketch) shapes.push({ at, radius: 4, color: SKETCH, width: 2 });
    }
    if (this._cursor && ["erase", "line"].includes(this.tool)) {
      shapes.push({ at: this._cursor, radius: this.width / 2, inPicture: true, color: "#fff", width: 1.2 });
    }
    this.picture.setShapes(shapes);
  }

  _pointer({ phase, point, event }) {
    this._cursor = point;
    this.on.position(point);
    this[`_${this.tool}`](phase, point, event);
    if (this.tool !== "look") this.draw();
  }

  _look(phase, point, event) {
    if (phase === "start") this._pressed = { x: event.clientX, y: event.clientY, moved: false };
    if (phase === "move") {
      const [right, down] = [event.clientX - this._pressed.x, event.clientY - this._pressed.y];
      if (!this._pressed.moved && Math.hypot(right, down) < CLICK) return;
      this.picture.panBy(right, down);
      this._pressed = { x: event.clientX, y: event.clientY, moved: true };
    }
    if (phase === "end" && !this._pressed.moved) this._pick(point);
  }

  // A click at the other end makes it the tip; one at an outline makes that crack the primary one.
  _pick(point) {
    const { outlines = [], findings } = this.details ?? {};
    if (!findings) return;
    const near = NEAR / this.picture.view.scale;
    if (findings.other_end && apart(findings.other_end, point) < near) return this.on.otherEnd();
    let [least, chosen] = [near, null];
    outlines.forEach((points, index) => {
      for (const at of points) if (apart(at, point) < least) [least, chosen] = [apart(at, point), index];
    });
    if (chosen !== null && !findings.primary.includes(chosen)) this.on.primary(point);
  }

  _scale(phase, point) {
    if (phase !== "end") return;
    this._sketch.push(point);
    if (this._sketch.length < 2) return;
    this.on.scale(this._sketch);
    this._cursor = null;
  }

  _line(phase, point, event) {
    if (phase !== "start") return;
    const again = this._sketch.length && event.timeStamp - this._pressedAt < DOUBLE &&
      apart(this._sketch.at(-1), point) * this.picture.view.scale < CLICK;
    this._pressedAt = event.timeStamp;
    if (again) this._finish();
    else this._sketch.push(point);
  }

  _erase(phase, point) {
    if (phase === "start") this._sketch = [point];
    const last = this._sketch.at(-1);
    if (phase === "move" && last && apart(last, point) > Math.max(1, this.width / 4)) this._sketch.push(point);
    if (phase === "end") this._finish();
  }

  _finish() {
    const points = this._sketch;
    this._sketch = [];
    if (!points.length) return;
    const erases = this.tool === "erase";
    const how = erases ? { mode: "subtract", follow: "straight" } : { mode: "add", follow: this.follow };
    this.on.stroke({ ...how, width: this.width, points });
    this.draw();
  }

  _key(event) {
    if (event.key === "Enter" && this.tool === "line") this._finish();
    else if (event.key === "Escape") this.drop();
    else if (event.key === "Backspace") {
      this._sketch.pop();
      this.draw();
    } else this.on.key(event);
  }
}
