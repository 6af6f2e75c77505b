"""The editor in JupyterLab: what a person clicks and types in a real browser."""

import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request

import nbformat
import numpy as np
import pytest
from PIL import Image

from crack_utils import labelling
from crack_utils.labelling import Recipe
from tests.helpers.browser import BROWSER, DRIVER, PATIENCE, browsing, until
from tests.helpers.cracked_pipes import BOX, CORNERS, CRACK, SIZE, cracked_pipes, mask_of, on_disk

CODE = 'from crack_utils import labelling\n\nlabelling.edit("pipes")'


# Notes, whenever the picture is painted, whether the second photograph's number stands with dark pixels of the first.
SEEN = """
const picture = arguments[0].parentElement._picture, paint = picture._paint.bind(picture);
window.seen = 0; window.dark = 0;
picture._paint = () => {
  paint();
  if (arguments[0].parentElement._model.get("number") !== 2) return;
  window.seen += 1;
  const ratio = window.devicePixelRatio, [x, y] = picture.toScreen([105, 100]);
  const [red, , , opaque] = arguments[0].getContext("2d").getImageData(x * ratio, y * ratio, 1, 1).data;
  if (opaque && red < 200) window.dark += 1;
};
"""


@pytest.fixture
def folder(tmp_path):
    return cracked_pipes(tmp_path)


@pytest.fixture
def lab(folder):
    """Start JupyterLab on this machine alone, with a notebook that opens the editor; return the notebook's address."""
    root = folder.parent
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    own = {f"JUPYTER_{kind}_DIR": str(root / f".{kind.lower()}") for kind in ("CONFIG", "RUNTIME")}
    own |= {f"JUPYTERLAB_{kind}_DIR": str(root / f".{kind.lower()}") for kind in ("SETTINGS", "WORKSPACES")}
    options = [f"--ServerApp.root_dir={root}", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    options += ["--ServerApp.ip=127.0.0.1", f"--IdentityProvider.token={token}", "--no-browser", "--allow-root"]
    options += ["--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    with open(root / "lab.log", "w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options], env=os.environ | own, stdout=log, stderr=log, cwd=root
        )
    address = f"http://127.0.0.1:{port}"

    def answers():
        assert server.poll() is None, (root / "lab.log").read_text()
        with urllib.request.urlopen(f"{address}/api/status?token={token}", timeout=PATIENCE) as answer:
            return answer.status == 200

    try:
        until(answers, "JupyterLab")
        yield f"{address}/doc/tree/label.ipynb?token={token}"
    finally:
        server.terminate()
        try:
            server.wait(60)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


class Person:
    """Looks at the editor in the browser, clicks and types."""

    def __init__(self, driver, address, notebook):
        self.driver, self.address, self.notebook = driver, address, notebook

    def open_editor(self):
        """Load a page with a fresh notebook, run its cell, and wait for the picture."""
        from selenium.webdriver.common.by import By

        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CODE)])
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, self.notebook)  # without what the editor before has shown
        self.driver.get(self.address)
        until(self.run_cell, "the notebook and its kernel")
        picture = ".crack-picture[data-number] canvas"  # numbered once the photograph is there
        self.canvas = until(lambda: self.driver.find_elements(By.CSS_SELECTOR, picture), "the editor")[-1]
        time.sleep(1)  # it takes the space that is there

    def run_cell(self):
        """Run the first cell, once the kernel is ready; return whether it has started."""
        from selenium.webdriver.common.by import By
        from selenium.webdriver.common.keys import Keys

        self.driver.find_element(By.CSS_SELECTOR, ".jp-Notebook-ExecutionIndicator[data-status='idle']")
        self.driver.find_element(By.CSS_SELECTOR, ".jp-CodeCell .cm-content").click()
        self.chain().key_down(Keys.CONTROL).send_keys(Keys.ENTER).key_up(Keys.CONTROL).perform()
        time.sleep(3)
        return self.driver.find_element(By.CSS_SELECTOR, ".jp-CodeCell .jp-InputPrompt").text.strip() not in (
            "",
            "[ ]:",
        )

    def chain(self):
        from selenium.webdriver import ActionChains

        return ActionChains(self.driver)

    def place(self, row, column):
        """Return where a point of the photograph is, from the middle of the canvas."""
        x, y = self.driver.execute_script(
            "return arguments[0].parentElement._picture.toScreen([arguments[1], arguments[2]])",
            self.canvas,
            row,
            column,
        )
        return round(x - self.canvas.size["width"] / 2), round(y - self.canvas.size["height"] / 2)

    def move(self, row, column):
        """Move the mouse to a point of the photograph, and rest there."""
        self.chain().move_to_element_with_offset(self.canvas, *self.place(row, column)).perform()
        time.sleep(0.5)

    def click(self, row, column):
        """Click on a point of the photograph."""
        self.chain().move_to_element_with_offset(self.canvas, *self.place(row, column)).click().perform()
        time.sleep(0.5)  # two clicks in a row would be a double click

    def drag(self, first, last):
        """Drag from a point of the photograph to another one."""
        steps = self.chain().move_to_element_with_offset(self.canvas, *self.place(*first)).click_and_hold()
        steps.move_to_element_with_offset(self.canvas, *self.place(*last)).release().perform()
        time.sleep(0.5)

    def type(self, keys):
        """Press keys one after another."""
        for key in keys:
            self.chain().send_keys(key).perform()
            time.sleep(0.3)

    def view(self, name):
        """Return what the picture in the browser knows of a trait of `PictureView`."""
        return self.driver.execute_script(
            "return arguments[0].parentElement._model.get(arguments[1])", self.canvas, name
        )

    def pixel(self, row, column):
        """Return red, green and blue that the screen shows at a point of the photograph."""
        return self.driver.execute_script(
            "const [canvas, row, column] = arguments, ratio = window.devicePixelRatio;"
            "const [x, y] = canvas.parentElement._picture.toScreen([row, column]);"
            "return [...canvas.getContext('2d').getImageData(x * ratio, y * ratio, 1, 1).data].slice(0, 3)",
            self.canvas,
            row,
            column,
        )

    def press(self, text):
        """Press the button of that text."""
        from selenium.webdriver.common.by import By

        path = (
            f"(//div[contains(@class, 'crack-editor')]//button[normalize-space()='{text}' and not(@disabled)])[last()]"
        )
        until(lambda: self.driver.find_element(By.XPATH, path).click() is None, f"the button {text}")

    def go_back(self):
        """Press the first button, which has an arrow for the photograph before; return whether it was there."""
        from selenium.webdriver.common.by import By

        self.driver.find_element(By.CSS_SELECTOR, ".crack-editor button:not([disabled])").click()
        return True

    def steps(self):
        """Return the texts of the list of steps."""
        from selenium.webdriver.common.by import By

        return [
            option.text for option in self.driver.find_elements(By.CSS_SELECTOR, ".crack-editor select[size] option")
        ]


@pytest.mark.acceptance
@pytest.mark.skipif(not (BROWSER and DRIVER), reason="chromium and chromedriver are not installed")
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # selenium leaves its connection to the collector
def test_a_person_labels_in_jupyterlab(folder, lab, tmp_path):
    notebook = tmp_path / "label.ipynb"
    with browsing(tmp_path / "first") as driver:
        person = Person(driver, lab, notebook)
        person.open_editor()
        person.click(105, 100)
        until(lambda: (on_disk(folder) == mask_of(CRACK)).all(), "the flood fill on disk")
        person.press("Shape")
        for corner in [*CORNERS, CORNERS[0]]:
            person.click(*corner)
        until(lambda: (on_disk(folder) == mask_of(CRACK, BOX)).all(), "the polygon on disk")
        until(lambda: len(person.steps()) == 2, "the list of steps")
        driver.save_screenshot(str(tmp_path / "editor.png"))
        person.press("Undo")
        until(lambda: (on_disk(folder) == mask_of(CRACK)).all(), "the undo on disk")
        person.press("Redo")
        until(lambda: (on_disk(folder) == mask_of(CRACK, BOX)).all(), "the redo on disk")
        person.press("Save")

    recipe = Recipe.load(folder / "recipes" / "a.json")
    assert [step.tool for step in recipe.steps] == ["flood_fill", "draw_roi"]
    assert (on_disk(folder) == mask_of(CRACK, BOX)).all()
    assert labelling.read_digest(folder / "masks" / "a.png") == recipe.digest

    with browsing(tmp_path / "second") as driver:  # opened anew, the editor shows what the closed tab has left
        person = Person(driver, lab, notebook)
        person.open_editor()  # at the first photograph that has no mask yet
        until(person.go_back, "the photograph before")
        until(lambda: len(person.steps()) == 2, "the steps of the tab before")
        person.press("Undo")
        until(lambda: (on_disk(folder) == mask_of(CRACK)).all(), "the undo of a step of the tab before")


@pytest.mark.acceptance
@pytest.mark.skipif(not (BROWSER and DRIVER), reason="chromium and chromedriver are not installed")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_person_draws_lines_moves_them_and_sees_what_happens(folder, lab, tmp_path):
    from selenium.webdriver.common.keys import Keys

    Image.fromarray(np.full((200, 320), 230, np.uint8)).save(folder / "images" / "b.png")  # bright: none of a's pixels
    recipes = folder / "recipes"

    def steps_of(name="a"):
        path = recipes / f"{name}.json"
        return Recipe.load(path).steps if path.exists() else ()

    with browsing(tmp_path / "browser") as driver:
        person = Person(driver, lab, tmp_path / "label.ipynb")
        person.open_editor()
        wide, high = person.canvas.size["width"], person.canvas.size["height"]
        assert abs(wide / high - SIZE[1] / SIZE[0]) < 0.05 or high >= 0.7 * driver.execute_script("return innerHeight")

        person.type("l")  # without a click first
        until(lambda: driver.find_element("css selector", ".crack-hint").text.startswith("Line"), "the tool's hint")
        person.click(103, 50)
        person.click(107, 190)
        person.type([Keys.ENTER])
        until(lambda: [step.tool for step in steps_of()] == ["polyline"], "the line on disk")
        last = steps_of()[0].parameters["points"][-1]
        until(lambda: person.view("vertices"), "the vertices")
        person.drag(last, (105, 150))
        until(lambda: abs(steps_of()[0].parameters["points"][-1][1] - 150) < 2, "the vertex moved")
        orange = until(lambda: (c := person.pixel(105, 100))[0] > c[2] + 60 and c, "the mask's colour")
        assert orange[0] > 100

        person.type("b")
        until(lambda: person.view("tool") == "brush", "the brush")
        person.drag((50, 60), (50, 120))
        until(lambda: on_disk(folder)[50, 65:115].all(), "the stroke on disk")
        person.type("e")
        until(lambda: person.view("tool") == "eraser", "the eraser")
        person.drag((50, 100), (50, 125))
        until(lambda: not on_disk(folder)[50, 105:].any() and on_disk(folder)[50, 70], "the stroke erased")

        person.type("f")
        until(lambda: person.view("tool") == "flood_fill", "the fill")
        before = steps_of()
        person.move(220, 250)
        until(lambda: driver.find_elements("css selector", ".crack-picture[data-preview=shown]"), "the preview")
        until(lambda: (c := person.pixel(20, 300))[0] > 200 and c[2] < 150, "the preview's colour")
        assert steps_of() == before

        driver.save_screenshot(str(tmp_path / "lines.png"))
        driver.execute_script("arguments[0].parentElement._picture.zoomTo([105, 100], 12)", person.canvas)
        until(lambda: person.pixel(105, 100), "the zoom")
        driver.set_window_size(1000, 700)
        until(lambda: person.canvas.size["width"] < wide and person.canvas.size["width"] > 300, "the smaller picture")
        person.type("0")

        driver.execute_script(SEEN, person.canvas)
        person.type("n")
        until(lambda: person.view("number") == 2 and person.pixel(100, 160)[0] > 200, "the next photograph")
        seen_first, dark = driver.execute_script("return [window.seen, window.dark]")
        assert seen_first and not dark, "the first photograph's crack never lies under the second one's number"
