"""How fast the labelling editor and the page of `crack-utils serve` answer: `python -m benchmarks.answers`.

On a large photograph (results/answers.csv and results/page_answers.csv). Half a second is the aim for what one waits
for with the mouse in the hand; the page's measures, which look at all pixels, follow when they are ready. What the
browser does by itself, such as zoom, pan and brightness, needs no answer. Processor time is measured, so that other
work on the machine does not count; zooming is timed by the browser's clock.
"""

import csv
import io
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from crack_utils.inference.page import answers
from crack_utils.inference.page.desk import DONE, FAILED, Desk
from crack_utils.inference.page.examine import examine
from crack_utils.inference.page.settings import Settings, Stroke
from crack_utils.inference.page.sheet import sheet
from crack_utils.labelling.editor import Editor
from crack_utils.runtime import hardware, paths
from crack_utils.runtime.atomic import atomic_write
from tests.helpers.darkness import darkness  # stands for a network, which is not what is measured

SIZE = (2056, 2456)  # [px]
ROUNDS = 3

# Zooms a picture in a browser, and waits until each is painted.
ZOOM = """
const [height, width, rounds, done] = arguments;
import(`${location.origin}/static/picture.js`).then(async ({ Picture }) => {
  const host = document.getElementById("picture");
  host.replaceChildren();
  const picture = new Picture(host);
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  canvas.getContext("2d").fillRect(100, 100, 500, 500);
  picture.setImage(await createImageBitmap(canvas));
  const seconds = [];
  for (let round = 0; round < rounds; round += 1) {
    const began = performance.now();
    picture.zoomBy(1.25);
    picture._paint();
    picture.context.getImageData(0, 0, 1, 1);
    seconds.push((performance.now() - began) / 1000);
  }
  done(seconds);
});
"""


def photograph(size, seed):
    """Return a grainy photograph with a wavy, dark crack, and the row of the crack in each column."""
    generator = np.random.default_rng(seed)
    image = generator.normal(165, 7, size)
    rows = np.rint(size[0] / 2 + size[0] / 25 * np.sin(np.arange(size[1]) / 170 + seed)).astype(int)
    for column in range(size[1] // 12, size[1] - size[1] // 8):
        image[rows[column] - 3 : rows[column] + 4, column] = 50
    return image.clip(0, 255).astype(np.uint8), rows


def editor_answers(size=SIZE, rounds=ROUNDS):
    """Measure the answers to what a person does, from the browser's message to what is sent back, files written.

    Parameters
    ----------
    size : (height, width) [px]
    rounds : int

    Returns
    -------
    list of list of str
        What is done; median, shortest and longest time [s of a core].
    """
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "images").mkdir()
        for seed, name in enumerate("ab"):
            image, crack = photograph(size, seed)
            Image.fromarray(image).save(Path(folder) / "images" / f"{name}.png", compress_level=1)
        editor = Editor(folder)
        editor.session.open("b")
        far = [(float(crack[column]), float(column)) for column in np.linspace(*_extent(size), 12, dtype=int)]
        timed = {
            "next photograph": lambda: editor._key("n" if editor.session.position == 0 else "N"),
            "preview of a fill": lambda: _tell(editor, "f", "hover", point=far[3]),
            "fill": lambda: _tell(editor, "f", "click", point=far[3]),
            "next vertex of a line": lambda: editor._hear({"kind": "click", "point": far[-1]}),
            "end of a line of 12 vertices": lambda: editor._key("enter"),
            "vertex moved": lambda: editor._hear({"kind": "vertex", "index": 5, "point": far[5]}),
            "stroke of the brush": lambda: _tell(editor, "b", "draw", points=far),
            "undo": lambda: editor._key("z"),
        }
        seconds = {name: [] for name in timed}
        for _ in range(rounds):
            for name, action in timed.items():
                if name == "next vertex of a line":  # the earlier ones are there already
                    editor._key("l")
                    for point in far[:-1]:
                        editor._hear({"kind": "click", "point": point})
                began = time.process_time()
                action()
                seconds[name].append(time.process_time() - began)
    return [_row(name, times) for name, times in seconds.items()]


def page_answers(size=SIZE, rounds=ROUNDS):
    """Measure the answers of the page's server.

    Parameters
    ----------
    size : (height, width) [px]
    rounds : int

    Returns
    -------
    list of list of str
        As of `editor_answers`.
    """
    drawn, rows = photograph(size, 0)
    file = io.BytesIO()
    Image.fromarray(drawn).save(file, "PNG", compress_level=1)
    line = tuple(
        (float(rows[int(column)]), float(column)) for column in np.linspace(size[1] // 8, size[1] - size[1] // 6, 12)
    )
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(darkness(), folder)
        one = desk.add("large.png", file.getvalue())
        _measured(one)
        seconds = {}

        def timed(name, action, *arguments):
            began = time.thread_time()
            action(*arguments)
            seconds.setdefault(name, []).append(time.thread_time() - began)

        for turn in range(rounds):
            threshold = 0.45 + 0.01 * turn
            timed("outlines at another threshold", _set, desk, one, Settings(threshold))
            _measured(one)
            image = desk.image(one)
            timed("measures at another threshold", examine, desk.trained, image, 1 - image, one.settings, one.lines, [])
            stroke = Stroke("add", "dark", 6.0, line)
            corrected = Settings(threshold, strokes=(stroke,))
            timed("outlines after a line of 12 vertices", _set, desk, one, corrected)
            _measured(one)
            erased = Settings(threshold, strokes=(stroke, Stroke("subtract", "straight", 20.0, line)))
            timed("outlines after a stroke of the eraser", _set, desk, one, erased)
            _measured(one)
            timed("the picture for the browser", answers.picture, image)
            timed("a sheet (PDF)", sheet, one, image, desk.trained)
        desk.stop()
    return [_row(name, times) for name, times in seconds.items()]


def zoom_answers(size=SIZE, rounds=ROUNDS):
    """Measure how long a browser takes to paint a zoomed picture; empty where there is none.

    Returns
    -------
    list of list of str
        As of `editor_answers`.
    """
    try:
        from tests.helpers.browser import BROWSER, DRIVER, browsing
        from tests.helpers.small_page import served
    except ImportError:
        return []
    if not (BROWSER and DRIVER):
        return []
    with tempfile.TemporaryDirectory() as folder, served(folder) as address, browsing(Path(folder) / "p") as driver:
        driver.get(address)
        seconds = driver.execute_async_script(ZOOM, *size, rounds)
    return [_row("zoom, in Chromium", seconds)]


def _tell(editor, tool, kind, **more):
    if editor.tool.value != {"f": "flood_fill", "b": "brush"}[tool]:
        editor._key(tool)
    editor._hear({"kind": kind, **more})


def _extent(size):
    return size[1] // 12 + 20, size[1] - size[1] // 8 - 20


def _set(desk, one, settings):
    """Do what the server does before it answers a browser."""
    desk.set(one, settings)
    answers.details(one)


def _measured(one):
    while one.state not in (DONE, FAILED):
        time.sleep(0.005)
    assert one.state == DONE, one.problem


def _row(name, times):
    return [name, *(f"{value:.2f}" for value in (statistics.median(times), min(times), max(times)))]


def write_table(file, of, rows, size, rounds):
    """Write a table of answers, with the machine in its last row, and print it.

    Parameters
    ----------
    file : path-like
    of : str
        What answers: the heading of the first column.
    rows : list of list of str
        As of `editor_answers`.
    size : (height, width) [px]
    rounds : int
    """
    machine = hardware.describe()
    table = [[f"answer of the {of}", "median [s of a core]", "shortest [s]", "longest [s]"], *rows]
    table.append([f"{size[0]}×{size[1]} px, {machine['cpu']}, {machine['cores']} cores, {rounds} rounds", "", "", ""])
    with atomic_write(file) as draft, open(draft, "w", encoding="utf-8", newline="") as opened:
        csv.writer(opened, lineterminator="\n").writerows(table)
    for row in table:
        print(f"{row[0]:40}" + "".join(f"{cell:>22}" for cell in row[1:]))


def main(size=SIZE, rounds=ROUNDS, folder=None):
    """Measure, print and write the two tables; into `results/`, or another folder."""
    folder = folder or paths.root() / "results"
    write_table(folder / "answers.csv", "editor", editor_answers(size, rounds), size, rounds)
    of_page = [*page_answers(size, rounds), *zoom_answers(size, rounds)]
    write_table(folder / "page_answers.csv", "page", of_page, size, rounds)


if __name__ == "__main__":
    main()
