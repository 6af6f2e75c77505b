// Small helps for reading: open all code, enlarge and save figures, turn pages by the arrow keys, and what the theme leaves out
// of accessibility. Nothing is loaded; without scripts the pages stay whole.
document.addEventListener("DOMContentLoaded", () => {
  nameControls();
  foldCode();
  enlargeFigures();
  followTheme();
  labelCells();
  keepOptionsWhole();
  makeTablesReachable();
  turnPages();
});

// Names for controls that the theme draws as bare icons, and content of the landmarks that it leaves outside of them.
function nameControls() {
  document.querySelectorAll("nav summary").forEach((summary) => {
    const link = summary.closest("li")?.querySelector("a");
    summary.setAttribute("aria-label", `Pages under ${link ? link.textContent.trim() : "this one"}`);
  });
  document.querySelectorAll("button[aria-label], label[aria-label], a[aria-label]").forEach((control) => {
    const shown = control.textContent.trim().replace(/\s+/g, " ");
    if (shown && !control.getAttribute("aria-label").toLowerCase().includes(shown.toLowerCase())) {
      control.removeAttribute("aria-label");
    }
  });
  document.querySelector("main")?.removeAttribute("role"); // it is one by its name
  // An entry of the bibliography stands in a list, where the role that Sphinx gives it is no longer valid.
  document.querySelectorAll("[role=doc-biblioentry]").forEach((entry) => entry.setAttribute("role", "listitem"));
  const sidebar = document.querySelector("#pst-primary-sidebar");
  sidebar?.setAttribute("role", "complementary");
  sidebar?.setAttribute("aria-label", "Contents of the book");
  const top = document.querySelector("#pst-back-to-top");
  if (top) document.querySelector("main")?.append(top);
  document.querySelectorAll("th").forEach((cell) => {
    if (!cell.textContent.trim()) {
      const plain = document.createElement("td");
      plain.innerHTML = cell.innerHTML;
      cell.replaceWith(plain);
    }
  });
}

// On a phone, each row of a table with many words becomes a small card: its first cell is the title, and the lines below
// begin with the heading of their column. So does a wide table that ends with a verdict, which would be out of sight.
// Cells with several words get a least width, so that they do not show a word a line.
const WORDS = 18; // letters from which a cell is not a number or a name
const SHORT = 24; // letters that fit beside the heading of their column
const SENTENCE = 45;
const PARAGRAPH = 100; // letters that make even a table of three columns too narrow for a phone
const WIDE = 6; // columns
function labelCells() {
  document.querySelectorAll("article table").forEach((table) => {
    const cells = [...table.querySelectorAll("tbody > tr > *")];
    const length = (cell) => cell.textContent.trim().length;
    cells.forEach((cell) => cell.classList.toggle("words", length(cell) > WORDS));
    const headings = table.tHead?.rows.length === 1 ? [...table.tHead.rows[0].cells] : [];
    const regular = [...table.rows].every((row) => row.cells.length === headings.length);
    const merged = table.querySelector("[rowspan]:not([rowspan='1']), [colspan]:not([colspan='1'])");
    const least = cells.some((cell) => length(cell) > PARAGRAPH) ? 3 : 4;
    if (headings.length < least || !regular || merged) return;
    const many = cells.filter((cell) => length(cell) > WORDS).length > cells.length / 3;
    const last = cells.filter((cell) => !cell.nextElementSibling);
    const verdict = headings.length >= WIDE && last.every((cell) => !/\d/.test(cell.textContent));
    if (!many && !verdict && !cells.some((cell) => length(cell) > SENTENCE)) return;
    table.classList.add("cards");
    table.classList.toggle("numbers", !cells.some((cell) => cell.previousElementSibling && length(cell) > SHORT));
    // The style of a card takes away what a browser says about tables by itself.
    table.setAttribute("role", "table");
    table.querySelectorAll("thead, tbody").forEach((group) => group.setAttribute("role", "rowgroup"));
    [...table.rows].forEach((row) => row.setAttribute("role", "row"));
    headings.forEach((cell) => cell.setAttribute("role", "columnheader"));
    cells.forEach((cell) => {
      cell.setAttribute("role", cell.tagName === "TH" ? "rowheader" : "cell");
      cell.classList.toggle("empty", !length(cell) && !cell.querySelector("img"));
      cell.dataset.heading = headings[cell.cellIndex].textContent.trim();
    });
  });
}

// No line of code ends within an option such as --looks; after its hyphens a browser would break it.
function keepOptionsWhole() {
  const option = /(?<!\S)--[a-z][\w-]*/g;
  document.querySelectorAll("article pre, article code").forEach((code) => {
    const texts = document.createTreeWalker(code, NodeFilter.SHOW_TEXT);
    const pieces = [];
    while (texts.nextNode()) pieces.push(texts.currentNode);
    pieces.forEach((text) => {
      const options = [...text.data.matchAll(option)];
      // From the last one on, so that the places of the others stay true.
      options.reverse().forEach((match) => {
        const range = document.createRange();
        range.setStart(text, match.index);
        range.setEnd(text, match.index + match[0].length);
        const whole = document.createElement("span");
        whole.className = "option";
        range.surroundContents(whole);
      });
    });
  });
}

// A table that is too wide breaks its words first. What scrolls sideways can be reached by the keyboard.
function makeTablesReachable() {
  document.querySelectorAll(".cell_output table").forEach((table) => {
    const boxes = [table.closest(".output"), table.closest(".cell_output")].filter(Boolean);
    table.classList.toggle("tight", boxes.some((box) => box.scrollWidth > box.clientWidth + 1));
  });
  const wide = ".cell_output, .pst-scrollable-table-container, .table-wrapper, div.highlight > pre, div.math, .output, .holds-figure";
  document.querySelectorAll(wide).forEach((box) => {
    if (box.scrollWidth > box.clientWidth + 1) {
      box.tabIndex = 0;
      box.classList.add("scrolls");
    }
  });
}

// One button at the head of a notebook's page opens or closes all of its code; the choice holds for the next pages.
function foldCode() {
  const folds = [...document.querySelectorAll("details.hide.above-input")];
  const title = document.querySelector("article h1");
  if (!folds.length || !title) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "fold-code";
  const show = (open) => {
    folds.forEach((fold) => (fold.open = open));
    button.textContent = open ? "Hide all code" : "Show all code";
    button.setAttribute("aria-pressed", open);
  };
  button.addEventListener("click", () => {
    const open = button.getAttribute("aria-pressed") !== "true";
    show(open);
    remember("code", open ? "open" : "");
  });
  title.after(button);
  show(recall("code") === "open");
}

// A click on a figure shows it at its own size, in a dialog that Escape closes.
function enlargeFigures() {
  document.querySelectorAll("article figure img, article .cell_output img").forEach((picture) => {
    if (picture.closest(".threshold-slider")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "enlarge";
    button.setAttribute("aria-label", `Enlarge: ${picture.alt || "figure"}`);
    const link = picture.closest("a");
    (link || picture).replaceWith(button);
    button.append(picture);
    button.parentElement.classList.add("holds-figure");
    const measure = () => button.style.setProperty("--drawn", `${picture.naturalWidth}px`);
    picture.complete ? measure() : picture.addEventListener("load", measure);
    button.addEventListener("click", () => enlarge(picture));
  });
}

// On a dark page, a figure is shown with light letters and lines.
function followTheme() {
  const pictures = [...document.querySelectorAll("img.has-dark")];
  pictures.forEach((picture) => (picture.dataset.light = picture.src));
  const choose = () => {
    const dark = document.documentElement.dataset.theme === "dark";
    for (const picture of pictures) {
      const { light } = picture.dataset;
      picture.src = dark ? light.replace(/\.png$/, "-dark.png") : light;
    }
  };
  choose();
  new MutationObserver(choose).observe(document.documentElement, { attributeFilter: ["data-theme"] });
}

function enlarge(picture) {
  const dialog = document.createElement("dialog");
  dialog.className = "enlarged";
  dialog.setAttribute("aria-label", "Figure");
  const bar = document.createElement("div");
  const close = document.createElement("button");
  close.type = "button";
  close.textContent = "Close";
  close.addEventListener("click", () => dialog.close());
  bar.append(close);
  const source = picture.dataset.light ?? picture.src;
  const embedded = source.startsWith("data:");
  const own = embedded ? source.slice("data:image/".length, source.indexOf(";")) : source.split(".").pop();
  const name = picture.closest("figure")?.id || "figure";
  (picture.classList.contains("has-svg") ? [own, "svg"] : [own]).forEach((kind) => {
    const save = document.createElement("a");
    save.href = embedded ? source : source.replace(/\.\w+$/, `.${kind}`);
    save.download = `${name}.${kind}`;
    save.textContent = `Download as ${kind.toUpperCase()}`;
    bar.append(save);
  });
  const large = picture.cloneNode();
  large.removeAttribute("style");
  large.removeAttribute("width");
  large.removeAttribute("height");
  const frame = document.createElement("div");
  frame.tabIndex = 0;
  frame.append(large);
  dialog.append(bar, frame);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
}

// Left and right turn pages, where nothing else takes the keys.
function turnPages() {
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable], .scrolls, dialog")) return;
    const way = { ArrowLeft: "left-prev", ArrowRight: "right-next" }[event.key];
    const link = way && document.querySelector(`.prev-next-area a.${way}`);
    if (link) link.click();
  });
}

// From a file, some browsers keep nothing; then each page begins anew.
function remember(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    /* not kept */
  }
}

function recall(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}
