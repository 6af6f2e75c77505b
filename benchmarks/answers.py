"""How fast the labelling editor answers on a large photograph: `python -m benchmarks.answers` (results/answers.csv).

What the browser does by itself, such as zoom, pan and brightness, needs no answer. Half a second is the aim. Processor
time is measured, so that other work on the machine does not count.
"""

import csv
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from crack_utils.labelling.editor import Editor
from crack_utils.runtime import hardware, paths

SIZE = (2056, 2456)  # [px]
ROUNDS = 3


def photograph(size, seed):
    """Return a grainy photograph with a wavy, dark crack, and the row of the crack in each column."""
    generator = np.random.default_rng(seed)
    image = generator.normal(165, 7, size)
    rows = np.rint(size[0] / 2 + size[0] / 25 * np.sin(np.arange(size[1]) / 170 + seed)).astype(int)
    for column in range(size[1] // 12, size[1] - size[1] // 8):
        image[rows[column] - 3 : rows[column] + 4, column] = 50
    return image.clip(0, 255).astype(np.uint8), rows


def answers(size=SIZE, rounds=ROUNDS):
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
    return [[name, *(f"{value:.2f}" for value in _spread(times))] for name, times in seconds.items()]


def _tell(editor, tool, kind, **more):
    if editor.tool.value != {"f": "flood_fill", "b": "brush"}[tool]:
        editor._key(tool)
    editor._hear({"kind": kind, **more})


def _extent(size):
    return size[1] // 12 + 20, size[1] - size[1] // 8 - 20


def _spread(times):
    return statistics.median(times), min(times), max(times)


def main(size=SIZE, rounds=ROUNDS, output=None):
    """Measure, print and write the table."""
    machine = hardware.describe()
    table = [["answer of the editor", "median [s of a core]", "shortest", "longest"], *answers(size, rounds)]
    table.append([f"{size[0]}×{size[1]} px, {machine['cpu']}, {machine['cores']} cores; rounds: {rounds}", "", "", ""])
    output = output or paths.root() / "results" / "answers.csv"
    with open(output, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(table)
    for row in table:
        print(f"{row[0]:40}" + "".join(f"{cell:>22}" for cell in row[1:]))


if __name__ == "__main__":
    main()
