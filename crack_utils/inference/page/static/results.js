// What was found, in words and numbers: the panel beside the picture and the table over all photographs.

const MEASURES = [ // measure, heading, power of its unit
  ["length", "length", 1],
  ["mean_width", "mean width", 1],
  ["max_width", "greatest width", 1],
  ["area", "area", 2],
  ["tip_uncertainty", "tip placed within", 1],
];

// An element with attributes and children; texts are never taken for HTML.
export function element(name, attributes = {}, ...children) {
  const made = Object.assign(document.createElement(name), attributes);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export const number = (value) =>
  value === null || value === undefined ? "–" : Math.abs(value) < 100 ? String(+value.toPrecision(3)) : value.toFixed(0);

// A measure in mm where the scale is known, else in px.
function measured(crack, name, power, scale) {
  const unit = scale ? "mm" : "px";
  const value = crack[`${name}_${unit}${power === 2 ? 2 : ""}`];
  return `${number(value)} ${unit}${power === 2 ? "²" : ""}`;
}

const place = (row, column) => (row === null ? "–" : `${row.toFixed(1)}, ${column.toFixed(1)}`);

// The panel of one photograph.
export function panel({ findings, unlike, settings, count }) {
  const { cracks, sure, left_out: leftOut } = findings;
  const parts = unlike.map((why) => element("p", { className: "bad" }, `Unlike the photographs of the training: ${why}.`));
  if (!cracks.length) {
    const hint = "Is an outlined line a crack? Click it, or draw the crack.";
    return [...parts, ...[...sure, hint].map((sentence) => element("p", {}, sentence))];
  }
  const scale = settings.mm_per_px;
  const primary = element("dl");
  for (const [name, heading, power] of MEASURES) {
    const value = element("dd", { className: name === "length" ? "large" : "" }, measured(cracks[0], name, power, scale));
    primary.append(element("dt", {}, heading), value);
  }
  for (const [heading, which] of [["tip: row, column", "tip"], ["other end", "other_end"]]) {
    const position = place(cracks[0][`${which}_row`], cracks[0][`${which}_column`]);
    primary.append(element("dt", {}, heading), element("dd", {}, position));
  }
  parts.push(primary, element("ul", {}, ...sure.map((sentence) => element("li", {}, sentence))));
  parts.push(element("p", {}, "Wrong? Click another crack to make it the primary one, or the white circle to make that end the tip; draw and erase."));
  if (cracks.length > 1) {
    const rows = cracks.slice(1).map((crack) => [
      measured(crack, "length", 1, scale), measured(crack, "mean_width", 1, scale), place(crack.tip_row, crack.tip_column)]);
    const hint = count > cracks.length ? element("p", {}, "The others stand in the table (CSV).") : null;
    parts.push(element("details", {},
      element("summary", {}, `${count - 1} more`), grid(["length", "mean width", "tip"], rows), hint));
  }
  if (leftOut) parts.push(element("p", {}, `${leftOut} smaller ones were not measured: is the threshold too low?`));
  return parts;
}

function grid(headings, rows) {
  const cells = (name, texts) => element("tr", {}, ...texts.map((text) => element(name, {}, text)));
  return element("table", {},
    element("thead", {}, cells("th", headings)), element("tbody", {}, ...rows.map((row) => cells("td", row))));
}

// What the list says of a photograph.
export function inWords({ state, problem, count, primary, mm_per_px: scale, corrections }) {
  if (state === "failed") return problem;
  if (state !== "done") return { waiting: "waiting …", looking: "looking for cracks …", measuring: "measuring …" }[state];
  if (!count) return "no crack found";
  return `${measured(primary, "length", 1, scale)}${corrections.length ? ", by hand" : ""}`;
}

// Fill the table over all photographs.
export function fillTable(table, photographs, current, select) {
  const headings = ["photograph", "cracks", "length", "mean width", "greatest width", "tip: row, column", "decided by hand"];
  const made = grid(headings, photographs.map((photograph) => {
    const { primary, mm_per_px: scale, corrections } = photograph;
    const measures = primary && MEASURES.slice(0, 3).map(([name, , power]) => measured(primary, name, power, scale));
    if (!measures) return [photograph.name, photograph.state === "done" ? "0" : "–", inWords(photograph)];
    const tip = place(primary.tip_row, primary.tip_column);
    return [photograph.name, String(photograph.count), ...measures, tip, corrections.join(", ") || "–"];
  }));
  made.querySelectorAll("tbody tr").forEach((row, index) => {
    row.className = photographs[index].key === current ? "current" : "";
    if (row.cells.length < headings.length) row.lastChild.colSpan = headings.length - row.cells.length + 1;
    row.addEventListener("click", () => select(photographs[index].key));
  });
  table.replaceChildren(...made.children);
}
