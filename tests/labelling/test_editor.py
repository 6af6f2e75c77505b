"""The editor: its widgets, without a browser, and a person's clicks in a real one."""

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

# ipympl 0.10 hands its canvas on to traitlets, which will not have it one day.
quiet = pytest.mark.filterwarnings("ignore:Passing unrecognized arguments:DeprecationWarning")


@pytest.fixture
def folder(tmp_path):
    return cracked_pipes(tmp_path)


@quiet
def test_the_colours_are_the_books():
    from crack_utils.labelling import view
    from crack_utils.report.figures import style

    assert (view.CRACK, view.SECONDARY) == (style.CRACK, style.SECONDARY)


@quiet
def test_compose_shows_photograph_and_mask_or_the_mask_alone():
    from crack_utils.labelling.view import compose

    gray, mask, none = np.full((1, 2), 0.5, np.float32), np.array([[True, False]]), np.zeros((1, 2), bool)
    assert compose(gray, mask, none, 0.5, binary=True)[0].tolist() == [[255] * 3, [0] * 3]
    assert compose(gray, none, mask, 1.0, binary=False)[0].tolist() == [[0x56, 0xB4, 0xE9], [128] * 3]


@quiet
def test_widgets_follow_mouse_keys_and_buttons(folder):
    from matplotlib.backend_bases import KeyEvent, MouseEvent

    editor = labelling.edit(folder)
    canvas, axes = editor.view.canvas, editor.view.axes

    def mouse(kind, row, column, **more):
        x, y = axes.transData.transform((column, row))
        canvas.callbacks.process(kind, MouseEvent(kind, canvas, x, y, **more))

    def click(row, column):
        mouse("button_press_event", row, column, button=1)
        mouse("button_release_event", row, column, button=1)

    def key(name):
        canvas.callbacks.process("key_press_event", KeyEvent("key_press_event", canvas, name))

    click(105, 100)
    assert (on_disk(folder) == mask_of(CRACK)).all() and "saved" in editor.message.value
    key("p")
    assert editor.tool.value == "polygon"
    for corner in [*CORNERS, CORNERS[0]]:
        click(*corner)
    assert (on_disk(folder) == mask_of(CRACK, BOX)).all() and len(editor.steps.options) == 2
    editor.undo.click()
    assert (on_disk(folder) == mask_of(CRACK)).all() and not editor.redo.disabled
    key("2")
    key("r")
    mouse("button_press_event", 149.5, 59.5, button=1)
    mouse("motion_notify_event", 189.5, 129.5, button=1)
    mouse("button_release_event", 189.5, 129.5, button=1)
    assert editor.session.recipe.steps[1].part == "secondary" and (on_disk(folder) == mask_of(CRACK, BOX)).all()
    key("p")
    click(5, 5)
    key("enter")
    assert "at least 3 points, not 1" in editor.message.value and "crack-error" in editor.message.value
    key("escape")
    assert editor.session.outline == []
    key("n")
    assert editor.photograph.value == editor.session.name == "b" and editor.after.disabled
    editor.photograph.value = "a"
    assert editor.session.name == "a" and len(editor.steps.options) == 2
    key("v")
    assert editor.view.binary
    key("a")
    assert "active contour" in editor.steps.options[-1][0]


@quiet
def test_large_photographs_are_shown_reduced_and_zoomed_whole(tmp_path):
    image = np.full((2048, 2560), 180, np.uint8)
    image[1000, 300:900] = 20  # one pixel wide: it must not vanish on the screen
    (tmp_path / "images").mkdir()
    Image.fromarray(image).save(tmp_path / "images" / "large.png")
    editor = labelling.edit(tmp_path)
    editor.session.settings.tolerance = 0.0
    editor.session.click(1000, 500)
    editor._refresh()
    shown = np.asarray(editor.view._picture.get_array())
    assert shown.shape[0] < 1000
    assert (shown[..., 0].astype(int) - shown[..., 2] > 60).any(), "the crack's colour"
    editor.view.axes.set(xlim=(290, 390), ylim=(1040, 960))
    shown = np.asarray(editor.view._picture.get_array())
    assert shown.shape[:2] == (82, 102) or shown.shape[:2] == (81, 101)


# --- in a real browser ------------------------------------------------------------------------------------------------

CODE = 'from crack_utils import labelling\n\nlabelling.edit("pipes")'


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
        picture = ".crack-editor .jupyter-matplotlib-canvas-div canvas"

        def shown():
            found = self.driver.find_elements(By.CSS_SELECTOR, picture)
            return [canvas for canvas in found if canvas.size["width"] > 300]

        self.canvas = until(shown, "the editor")[-1]
        time.sleep(2)  # the canvas settles its size once it is shown

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

    def click(self, row, column):
        """Click on a point of the photograph, which fills the canvas."""
        wide, high = self.canvas.size["width"], self.canvas.size["height"]
        across = round((column + 0.5) / SIZE[1] * wide - wide / 2)
        down = round((row + 0.5) / SIZE[0] * high - high / 2)
        self.chain().move_to_element_with_offset(self.canvas, across, down).click().perform()
        time.sleep(0.5)  # two clicks in a row would be a double click

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
        person.press("Polygon")
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
