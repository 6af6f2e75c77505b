// The audit of published numbers, as crack_utils/study/audit.py: the tests hold both to the same answers.
"use strict";
const NO_CRACK = 1e-9;  // crack share of a mask without crack, which has no ratio of areas
const NUMBERS = ["mean_iou", "accuracy", "loss", "precision", "recall", "crack_share"];
const TEXTS = ["name", "set", "loss_name"];
const COSTS = { bce: Math.log(2), focal: Math.log(2) / 16 };
const READINGS = {
  "global": "one hard mask, global accuracy",
  "mean class": "one hard mask, mean class accuracy",
  "overlap": "one hard mask, precision and recall",
  "cast, global": "cast mean IoU, global accuracy at 0.5",
  "cast, mean class": "cast mean IoU, mean class accuracy at 0.5",
};
const KINDS = ["global", "mean class", "overlap"];
const OFF = 2, LEAST_SHARE = 1e-6, MOST_SHARE = 0.5, POINTS = 2001;

function cellsOf(line, separator) {
  const cells = [];
  let cell = "", quoted = false;
  for (const sign of line.replace(/\r$/, "")) {
    if (sign === '"') quoted = !quoted;
    else if (sign === separator && !quoted) { cells.push(cell.trim()); cell = ""; }
    else cell += sign;
  }
  return [...cells, cell.trim()];
}

function numberOf(text, where, mayBeLarge) {
  const unit = text.endsWith("%") ? 0.01 : 1;
  const digits = text.replace(/%$/, "").trim();
  const value = Number(digits) * unit;
  if (digits === "" || Number.isNaN(value)) throw new Error(`${where}: '${text}' is not a number`);
  if (!(value >= 0 && (value <= 1 || mayBeLarge)))
    throw new Error(`${where}: '${text}' must lie between 0 and 1, or be a percentage`);
  const [mantissa, power] = digits.toLowerCase().split("e");
  const decimals = (mantissa.split(".")[1] || "").length - Number(power || 0);
  return [value, 0.5 * 10 ** -decimals * unit];
}

function readTable(text) {
  const lines = text.trim().split("\n").filter((line) => line.trim());
  const separator = ["\t", ";"].find((sign) => lines[0].includes(sign)) || ",";
  const columns = cellsOf(lines[0], separator);
  const valid = [...TEXTS, ...NUMBERS];
  const unknown = columns.find((name) => !valid.includes(name));
  if (unknown !== undefined) throw new Error(`unknown column '${unknown}'; valid are ${valid.join(", ")}`);
  if (!columns.includes("mean_iou")) throw new Error(`no column mean_iou; valid are ${valid.join(", ")}`);
  const twice = columns.find((name, place) => columns.indexOf(name) !== place);
  if (twice !== undefined) throw new Error(`column ${twice} is there twice`);
  if (lines.length < 2) throw new Error("no row below the column names");
  return lines.slice(1).map((line, place) => {
    const cells = cellsOf(line, separator), row = {}, number = place + 2;
    if (cells.length > columns.length)
      throw new Error(`line ${number}: more cells than columns; decimals need a point, and a text with a comma needs quotes`);
    const cell = (name) => cells[columns.indexOf(name)] || "";
    for (const name of TEXTS) row[name] = cell(name);
    row.name = row.name || `line ${number}`;
    for (const name of NUMBERS)
      row[name] = ["", "-", "–"].includes(cell(name))
        ? null : numberOf(cell(name), `line ${number}, ${name}`, name === "loss");
    if (row.mean_iou === null) throw new Error(`line ${number}: no mean_iou`);
    if (row.loss_name && !(row.loss_name in COSTS))
      throw new Error(`line ${number}: unknown loss_name '${row.loss_name}'; valid are ${Object.keys(COSTS).join(", ")}`);
    return row;
  });
}

function curveOf(meanIou, accuracy, kind, points = POINTS) {
  const masks = [];  // [crack share, recall, predicted / true area]
  const add = (share, recall, specificity) => share > NO_CRACK &&
    masks.push([share, recall, recall + ((1 - share) * (1 - specificity)) / share]);
  if (kind === "global") {
    const wrong = 1 - accuracy, overlap = (wrong * (1 + wrong)) / (2 * (1 - meanIou));
    const root = (1 + wrong) ** 2 / 4 - overlap;
    if (root < 0 || overlap < wrong) return masks;
    const found = (1 - wrong) / 2 - Math.sqrt(root);
    for (let i = 0; i < points; i++) {
      const missed = (wrong * i) / (points - 1), share = found + missed;
      add(share, found / share, 1 - (wrong - missed) / (1 - share));
    }
    return masks;
  }
  const total = 2 * (1 - accuracy);
  for (let i = 0; i < points; i++) {
    const p = Math.min(total, 1) * (1 - (1 - i / points) ** 2), q = total - p;
    const square = p * (1 - p - 2 * meanIou), constant = q * (1 - q - 2 * meanIou);
    const linear = 2 - total - 2 * meanIou * (1 + p * q), inside = linear ** 2 - 4 * square * constant;
    if (!(linear > 0 && constant < 0 && inside >= 0)) continue;
    const odds = (-2 * constant) / (linear + Math.sqrt(inside));
    add(odds / (1 + odds), 1 - p, 1 - q);
  }
  return masks;
}

const limitsOf = (number, halves = 1) =>
  number === null ? [-Infinity, Infinity] : [number[0] - halves * number[1], number[0] + halves * number[1]];
const signsOf = (count) => Array.from({ length: count }, (_, i) => -1 + (2 * i) / (count - 1));
const both = (a, b) => [Math.max(a[0], b[0]), Math.min(a[1], b[1])];

function overlapMasks(row) {
  if (row.precision === null || row.recall === null || row.accuracy !== null) return [];
  const points = [], [low, high] = limitsOf(row.mean_iou);
  for (const first of [-1, 0, 1]) for (const second of [-1, 0, 1]) {
    const precision = row.precision[0] + first * row.precision[1], recall = row.recall[0] + second * row.recall[1];
    if (!(precision > 0 && precision <= 1 && recall > 0 && recall <= 1) || precision * recall === 1) continue;
    const crack = 1 / (1 / precision + 1 / recall - 1);
    const least = Math.max(2 * low - crack, 0), most = Math.min(2 * high - crack, 1);
    if (least > most) continue;
    for (const background of [least, most]) {
      const found = (1 - background) / (1 - background + (1 - crack) / crack);
      points.push([found / recall, recall, recall / precision]);
    }
  }
  if (!points.length) return [];
  const ends = (pick) => [0, 1, 2].map((column) => pick(...points.map((point) => point[column])));
  return [[ends(Math.min), ends(Math.max)]];
}

function curvesOf(row, kind) {
  if (kind === "overlap") return overlapMasks(row);
  const curves = [];
  if (row.accuracy === null) return curves;
  const cut = ["precision", "recall", "crack_share"].some((name) => row[name] !== null);
  const [firsts, seconds, points] = cut ? [signsOf(9), signsOf(41), 401] : [signsOf(3), signsOf(3), POINTS];
  for (const first of firsts) for (const second of seconds) {
    const meanIou = row.mean_iou[0] + first * row.mean_iou[1], accuracy = row.accuracy[0] + second * row.accuracy[1];
    if (!(meanIou > 0 && meanIou < 1 && accuracy > 0 && accuracy < 1)) continue;
    const masks = curveOf(meanIou, accuracy, kind, points);
    if (masks.length > 1) curves.push(masks);
  }
  return curves;
}

function oneMask(row, kind, share = [0, 1]) {
  const limits = [both(both(limitsOf(row.crack_share, 2), share), [0, MOST_SHARE]), limitsOf(row.recall, 2), limitsOf(row.precision, 2)];
  let shares = [Infinity, -Infinity], ratios = [Infinity, -Infinity];
  for (const masks of curvesOf(row, kind)) {
    const steps = [];
    const overlap = kind === "overlap";
    for (let i = 0; i + 1 < masks.length; i++) {
      const ends = [masks[i], masks[i + 1]];
      const values = ends.map(([f, recall, ratio]) => [f, recall, recall / ratio, ratio]);
      steps.push([0, 1, 2, 3].map((k) => [Math.min(values[0][k], values[1][k]), Math.max(values[0][k], values[1][k])]));
    }
    if (kind === "mean class") {
      let at = 0;
      steps.forEach((step, i) => { if (step[0][0] < steps[at][0][0]) at = i; });
      steps[at][0][0] = 0;
    }
    for (const step of steps) {
      if (!limits.every(([low, high], k) => step[k][1] >= low && step[k][0] <= high)) continue;
      shares = [Math.min(shares[0], step[0][0]), Math.max(shares[1], step[0][1])];
      ratios = [Math.min(ratios[0], step[3][0]), Math.max(ratios[1], step[3][1])];
    }
  }
  if (shares[0] > shares[1]) return null;
  return { crack_share: both(shares, limits[0]), area_ratio: ratios.map((value) => Math.max(value, 0)) };
}

function truncatedRecall(meanIou, share) {
  const rest = 1 - share, linear = rest + share * (2 * meanIou - 1), constant = 2 * share * rest * (1 - meanIou);
  const recall = 1 - (2 * constant) / (linear + Math.sqrt(linear ** 2 + 4 * constant)) / share;
  return recall >= 0 ? recall : 0;
}

function cast(row, kind) {
  if (row.accuracy === null) return false;
  let [low, high] = both(limitsOf(row.crack_share), [LEAST_SHARE, MOST_SHARE]);
  const meanIou = row.mean_iou[0] + row.mean_iou[1], wrong = Math.max(0, 1 - (row.accuracy[0] + row.accuracy[1]));
  low = Math.max(low, 1 - 2 * meanIou);
  if (row.loss !== null && row.loss_name in COSTS) {
    const most = (row.loss[0] + row.loss[1]) / COSTS[row.loss_name];
    if (kind === "cast, global") { if (wrong > most) return false; }
    else if (wrong > 0) high = Math.min(high, most / (2 * wrong));
  }
  if (low > high) return false;
  if (row.recall !== null && meanIou > 0.5 && meanIou < 1)
    return truncatedRecall(meanIou - 2 * row.mean_iou[1], low) <= row.recall[0] + row.recall[1];
  return true;
}

const rangeOf = (low, high) => [...new Set([low.toFixed(2), high.toFixed(2)])].join("–");  // "1.53" where both are

const offOf = (mask) => Math.max(Math.log(mask.area_ratio[0]), -Math.log(mask.area_ratio[1]), 0);

function audit(rows) {
  const common = {};
  for (const row of rows) for (const kind of KINDS) {
    const key = `${row.set}|${kind}`, found = oneMask(row, kind);
    common[key] = common[key] || null;
    if (found) common[key] = common[key] ? both(common[key], found.crack_share) : found.crack_share;
  }
  return rows.map((row) => {
    const fits = [], masks = [], notes = [];
    for (const kind of KINDS) {
      const alone = oneMask(row, kind), share = common[`${row.set}|${kind}`] || [0, 1];
      const together = alone && share[0] <= share[1] ? oneMask(row, kind, share) : null;
      if (together) { masks.push({ kind, ...together }); fits.push(READINGS[kind]); }
      else if (alone) notes.push(`${READINGS[kind]}: no crack share in common with the other rows`);
    }
    for (const kind of ["cast, global", "cast, mean class"]) if (cast(row, kind)) fits.push(READINGS[kind]);
    const result = { name: row.name, fits, crack_share: null, area_ratio: null };
    if (row.accuracy === null && (row.precision === null || row.recall === null))
      return { ...result, verdict: "too few numbers", because: "needs an accuracy, or precision and recall" };
    if (!masks.length)
      return { ...result, verdict: "impossible for one hard mask",
               because: notes.join("; ") || "no mask has these numbers together" };
    const best = masks.reduce((a, b) => (offOf(b) < offOf(a) ? b : a));
    const [low, high] = best.crack_share, [less, more] = best.area_ratio;
    return { ...result, crack_share: best.crack_share, area_ratio: best.area_ratio,
             verdict: offOf(best) >= Math.log(OFF) ? "strained" : "consistent",
             because: `${READINGS[best.kind]}: crack share ${rangeOf(100 * low, 100 * high)}\u00a0%, ` +
                      `predicted area ${rangeOf(less, more)} times the true one` };
  });
}

// The region of each row: predicted over true area against the crack share, as an SVG picture.
function regionOf(rows) {
  const colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#c9a227", "#56b4e9"];
  const x = (share) => 50 + (250 * Math.log10(Math.min(0.6, Math.max(1e-4, share)) / 1e-4)) / Math.log10(6000);
  const y = (ratio) => 250 - (230 * Math.log10(Math.min(8, Math.max(0.15, ratio)) / 0.15)) / Math.log10(8 / 0.15);
  const panel = (kind, left) => {
    const lines = rows.map((row, i) => {
      if (row.accuracy === null || !(row.accuracy[0] < 1 && row.mean_iou[0] < 1 && row.mean_iou[0] > 0)) return "";
      const points = curveOf(row.mean_iou[0], row.accuracy[0], kind).map(([f, , ratio]) => `${x(f).toFixed(1)},${y(ratio).toFixed(1)}`);
      return `<polyline points="${points.join(" ")}" fill="none" stroke-width="2.5" stroke="${colours[i % colours.length]}"/>`;
    });
    return `<g transform="translate(${left},0)"><rect x="50" y="${y(2)}" width="250" height="${y(0.5) - y(2)}" fill="#8884"/>` +
      `<rect x="50" y="20" width="250" height="230" fill="none" stroke="currentColor"/>${lines.join("")}` +
      `<text x="175" y="14">one hard mask, ${kind} accuracy</text><text x="175" y="280">crack share</text>` +
      [[0.001, "0.1 %"], [0.01, "1 %"], [0.1, "10 %"]].map(([f, text]) => `<text x="${x(f)}" y="265">${text}</text>`).join("") +
      [0.2, 0.5, 1, 2, 5].map((r) => `<text x="36" y="${y(r) + 4}">${r}</text>`).join("") + "</g>";
  };
  const key = (row, i) => {  // four names to a line, in the colours of their curves
    const [left, top] = [50 + 140 * (i % 4), 300 + 16 * Math.floor(i / 4)], name = document.createElement("b");
    name.textContent = row.name;
    return `<rect x="${left}" y="${top - 6}" width="16" height="3" fill="${colours[i % colours.length]}"/>` +
      `<text x="${left + 22}" y="${top}" text-anchor="start">${name.innerHTML}</text>`;
  };
  return `<svg viewBox="0 0 640 ${310 + 16 * Math.floor((rows.length - 1) / 4)}" role="img" font-size="11" text-anchor="middle" ` +
    `fill="currentColor" aria-label="Predicted over true crack area against the crack share, one curve a row">` +
    `<text transform="translate(14,135) rotate(-90)">predicted / true crack area</text>` +
    `${panel("global", 0)}${panel("mean class", 320)}${rows.map(key).join("")}</svg>`;
}

if (typeof module !== "undefined") module.exports = { readTable, audit };
else document.addEventListener("DOMContentLoaded", () => {
  const box = document.getElementById("audit");
  if (!box) return;
  const [input, output] = [box.querySelector("textarea"), box.querySelector(".audit-result")];
  const show = () => {
    output.replaceChildren();
    try {
      const rows = readTable(input.value), table = document.createElement("table");
      const headings = ["row", "verdict", "because", "readings that fit"];
      table.className = "table cards";  // on a phone each row is a card; see reading.js
      table.setAttribute("role", "table");
      table.innerHTML = `<thead><tr>${headings.map((word) => `<th>${word}</th>`).join("")}</tr></thead>`;
      for (const found of audit(rows)) {
        const line = table.createTBody().insertRow();
        [found.name, found.verdict, found.because, found.fits.join("; ") || "none"].forEach((text, i) => {
          const cell = line.insertCell();
          cell.textContent = text;
          cell.dataset.heading = headings[i];
        });
      }
      const picture = document.createElement("div");
      picture.innerHTML = regionOf(rows);
      output.append(table, picture);
    } catch (problem) {
      output.textContent = problem.message;
    }
  };
  input.addEventListener("input", show);
  show();
});
