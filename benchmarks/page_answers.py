"""How fast the page of `crack-utils serve` answers: `python -m benchmarks.page_answers` (results/page_answers.csv).

On a large photograph whose cracks have been looked for: what a person does next needs no prediction. Half a second is
the aim for what one waits for with the mouse in the hand; measures, which look at all pixels, follow when they are
ready. Processor time is measured, so that other work on the machine does not count; zooming is timed by the browser's
clock.
"""

import csv
import io
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.answers import ROUNDS, SIZE, _spread, photograph
from crack_utils.inference.page import answers
from crack_utils.inference.page.desk import DONE, FAILED, Desk
from crack_utils.inference.page.examine import examine
from crack_utils.inference.page.settings import Settings, Stroke
from crack_utils.inference.page.sheet import sheet
from crack_utils.inference.predictor import Predictor
from crack_utils.runtime import hardware, paths

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


class Darkness:
    """Stands for a network, which is not what is measured."""

    def predict_on_batch(self, images):
        """Return what is dark as crack."""
        return 1 - images


def page_answers(size=SIZE, rounds=ROUNDS):
    """Measure the answers of the page's server.

    Parameters
    ----------
    size : (height, width) [px]
    rounds : int

    Returns
    -------
    list of list of str
        What is done, median, shortest and longest time [s].
    """
    drawn, rows = photograph(size, 0)
    file = io.BytesIO()
    Image.fromarray(drawn).save(file, "PNG", compress_level=1)
    line = tuple(
        (float(rows[int(column)]), float(column)) for column in np.linspace(size[1] // 8, size[1] - size[1] // 6, 12)
    )
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(Predictor(Darkness(), "dark is crack"), folder)
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
    return [[name, *(f"{value:.2f}" for value in _spread(times))] for name, times in seconds.items()]


def zoom_answers(size=SIZE, rounds=ROUNDS):
    """Measure how long a browser takes to paint a zoomed picture; empty where there is none.

    Returns
    -------
    list of list of str
        As of `page_answers`.
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
    return [["zoom, in Chromium", *(f"{value:.2f}" for value in _spread(seconds))]]


def _set(desk, one, settings):
    """Do what the server does before it answers a browser."""
    desk.set(one, settings)
    answers.details(one)


def _measured(one):
    while one.state not in (DONE, FAILED):
        time.sleep(0.005)
    assert one.state == DONE, one.problem


def main(size=SIZE, rounds=ROUNDS, output=None):
    """Measure, print and write the table."""
    machine = hardware.describe()
    table = [["answer of the page", "median [s of a core]", "shortest", "longest"]]
    table += [*page_answers(size, rounds), *zoom_answers(size, rounds)]
    table.append([f"{size[0]}×{size[1]} px, {machine['cpu']}, {machine['cores']} cores, {rounds} rounds", "", "", ""])
    output = output or paths.root() / "results" / "page_answers.csv"
    with open(output, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(table)
    for row in table:
        print(f"{row[0]:40}" + "".join(f"{cell:>22}" for cell in row[1:]))


if __name__ == "__main__":
    main()
