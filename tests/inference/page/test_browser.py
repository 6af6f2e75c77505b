"""A person's work on the page, in a real browser."""

import base64
import csv
import json

import numpy as np
import pytest
from PIL import Image

from crack_utils.data.pairs import find_pairs
from tests.helpers.browser import BROWSER, DRIVER, browsing, until
from tests.helpers.small_page import as_file, bars, served

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(not (BROWSER and DRIVER), reason="chromium and chromedriver are not installed"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # selenium leaves its connection to the collector
]

LARGE = 5  # screen pixels are few: each pixel of `bars` is so many here

# What a person's drop gives a page: an event that carries files.
DROP = """
const files = new DataTransfer();
for (const [name, content] of arguments[0]) {
  files.items.add(new File([Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0))], name));
}
document.body.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: files }));
"""

# How many pixels of the picture on the screen have a colour, near a place if one is given.
COLOURED = """
const canvas = document.querySelector("#picture canvas");
const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
let count = 0;
for (let at = 0; at < data.length; at += 4) {
  if (arguments[0].every((value, index) => Math.abs(data[at + index] - value) < 12)) count += 1;
}
return count;
"""
# The picture of a photograph comes late, as from a busy machine.
LATE = """
const now = window.fetch;
window.fetch = async (address, options) => {
  if (address.endsWith("picture.jpg")) await new Promise((done) => setTimeout(done, 1500));
  return now(address, options);
};
"""
YELLOW, ORANGE, BLUE = (0xFF, 0xE1, 0x4D), (0xD5, 0x5E, 0x00), (0x56, 0xB4, 0xE9)


class Page:
    """The page as a person sees and uses it."""

    def __init__(self, driver):
        from selenium.webdriver.common.action_chains import ActionChains
        from selenium.webdriver.common.by import By

        self.driver, self.by, self.chain = driver, By, ActionChains

    def element(self, selector):
        return self.driver.find_element(self.by.CSS_SELECTOR, selector)

    def text(self, selector):
        return self.element(selector).text

    def click(self, selector):
        self.element(selector).click()

    def drop(self, **files):
        named = [[name.replace("_png", ".png"), base64.b64encode(content).decode()] for name, content in files.items()]
        self.driver.execute_script(DROP, named)

    def open(self, name):
        for button in self.driver.find_elements(self.by.CSS_SELECTOR, "#list li > button:first-child"):
            if name in button.text.split("\n"):
                return button.click()
        raise AssertionError(f"{name} is not in the list")

    def measured(self, name):
        """Wait until a photograph is shown with its measures, and return them by heading."""

        def shown():
            if self.text("#name") != name or self.element("#busy").is_displayed():
                return None
            terms = self.driver.find_elements(self.by.CSS_SELECTOR, "#results dt")
            values = self.driver.find_elements(self.by.CSS_SELECTOR, "#results dd")
            return {term.text: value.text for term, value in zip(terms, values, strict=True)}

        return until(shown, f"the measures of {name}")

    def coloured(self, colour):
        return self.driver.execute_script(COLOURED, colour)

    def offset(self, row, column, shape=(60 * LARGE, 80 * LARGE)):
        """Where a position in the whole photograph is on the screen, from the middle of the picture's element."""
        box = self.element("#picture").size
        scale = min(box["width"] / shape[1], box["height"] / shape[0])
        return round(scale * (column + 0.5 - shape[1] / 2)), round(scale * (row + 0.5 - shape[0] / 2))

    def mouse(self, *path):
        """Move over positions of the photograph; the chain is to be performed."""
        chain = self.chain(self.driver)
        for row, column in path:
            chain.move_to_element_with_offset(self.element("#picture"), *self.offset(row, column))
        return chain

    def press(self, row, column):
        self.mouse((row, column)).click().perform()


@pytest.fixture
def labels(tmp_path):
    return tmp_path / "labels"


@pytest.fixture
def page(labels, tmp_path):
    with served(labels) as address, browsing(tmp_path / "profile") as driver:
        driver.get(address)
        yield Page(driver)


def length(page, name="pipe"):
    return float(page.measured(name)["length"].split()[0])


def test_it_opens_with_an_example_and_keeps_several_photographs(page, tmp_path):
    assert "Drop photographs" in page.text("header p") and page.driver.title
    until(lambda: "An example" in page.text("#name") and "mm" in page.text("#results"), "the example")
    page.driver.save_screenshot(str(tmp_path / "example.png"))

    other = np.where(np.indices((60, 80))[0] < 30, bars(), np.float32(0.9))
    page.drop(pipe_png=as_file(bars(), factor=LARGE), notes_png=b"no picture", plate_png=as_file(other, factor=LARGE))
    assert length(page) == pytest.approx(150, abs=3)
    until(lambda: "notes: cannot be read as a picture" in page.text("#list"), "what is wrong with one")
    until(lambda: page.text("#list").count(" px") == 2, "both others")
    assert "example" not in page.text("#list")
    assert page.text("#table tbody").count("px") == 6

    page.open("notes")
    until(lambda: "notes: cannot be read" in page.text("#results"), "the failure")
    assert page.text("#name") == "notes" and "px" not in page.text("aside")
    assert page.coloured(ORANGE) == 0, "nothing of the photograph before"
    page.open("plate")
    assert page.measured("plate") and page.text("#about") == "300×400 px, 1 crack"
    page.drop(large_png=bytes(14_000_000))
    until(lambda: "large.png: 14.0 MB; up to 13 MB can be taken" in page.text("#messages"), "that it is too large")

    page.driver.refresh()
    until(lambda: page.text("#list").count(" px") == 2, "all of it again")
    for button in page.driver.find_elements(page.by.CSS_SELECTOR, "#list li > button:last-child"):
        if button.get_attribute("title") == "Close notes":
            button.click()
            break
    until(lambda: "notes" not in page.text("#list"), "that one is closed")


def test_zoom_pan_and_what_is_drawn_over_the_picture(page):
    page.drop(pipe_png=as_file(bars(), factor=LARGE))
    page.measured("pipe")
    until(
        lambda: page.coloured(YELLOW) > 100 and page.coloured(ORANGE) > 300 and page.coloured(BLUE) > 200, "the overlay"
    )
    page.click("#show-outlines")
    until(lambda: page.coloured(ORANGE) == page.coloured(BLUE) == 0 < page.coloured(YELLOW), "no outlines")
    page.click("#show-tip")
    until(lambda: page.coloured(YELLOW) == 0, "no tip")
    page.click("#show-tip")
    page.click("#show-outlines")

    def under_the_mouse(row, column):
        page.mouse((row, column)).perform()
        return [float(part.split()[1]) for part in page.text("#position").split(",")]

    assert under_the_mouse(100, 100) == pytest.approx([100, 100], abs=1.5)
    page.click("#nearer")
    assert under_the_mouse(100, 100) == pytest.approx([149.5 - 49.5 / 1.5, 199.5 - 99.5 / 1.5], abs=1.5)
    page.click("#whole")
    at = page.mouse((100, 100)).click_and_hold()
    at.move_by_offset(*np.subtract(page.offset(150, 150), page.offset(100, 100)).tolist()).release().perform()
    page.mouse((200, 200)).perform()
    moved = [float(part.split()[1]) for part in page.text("#position").split(",")]
    assert moved == pytest.approx([150, 150], abs=2)
    page.click("#whole")
    assert under_the_mouse(100, 100) == pytest.approx([100, 100], abs=1.5)


def test_threshold_scale_tip_and_primary_crack(page):
    page.drop(pipe_png=as_file(bars(), factor=LARGE))
    first = page.measured("pipe")
    assert first["length"] == pytest.approx("150 px") and page.text("#about").endswith("2 cracks")

    page.click("[data-tool=scale]")
    page.press(100, 100)
    page.press(100, 300)
    until(lambda: page.element("#length").is_displayed(), "the form")
    page.element("#millimetres").send_keys("20\n")
    until(lambda: "mm" in page.measured("pipe")["length"], "millimetres")
    assert length(page) == pytest.approx(15, abs=0.4)

    ends = (page.measured("pipe")["tip: row, column"], page.measured("pipe")["other end"])
    page.press(*map(float, ends[1].split(", ")))
    until(lambda: page.measured("pipe")["tip: row, column"] == ends[1], "the other end as the tip")
    assert page.measured("pipe")["other end"] == ends[0] and "set or corrected the tip" in page.text("#results")

    page.press(200 - 1, 150)  # the outline of the shorter one
    until(lambda: length(page) < 12, "the other crack")
    assert "primary crack" in page.text("#table")

    page.driver.execute_script(
        "const slider = document.getElementById('threshold'); slider.value = 0.95;"
        "slider.dispatchEvent(new Event('input'))"
    )
    until(lambda: "no crack found" in page.text("#about"), "that nothing is left")
    assert "mm" not in page.text("#results") and "does not prove" in page.text("#results")


def test_corrections_become_labels_and_are_written_on_the_sheet(page, labels, tmp_path):
    page.drop(pipe_png=as_file(bars(), factor=LARGE))
    assert length(page) == pytest.approx(150, abs=3)
    page.click("[data-tool=line]")
    page.driver.execute_script(
        "const width = document.getElementById('width'); width.value = 20; width.dispatchEvent(new Event('input'));"
        "const follow = document.getElementById('follow'); follow.value = 'straight';"
        "follow.dispatchEvent(new Event('change'))"
    )
    page.press(99.5, 245)
    page.press(99.5, 300)
    page.mouse((99.5, 350)).double_click().perform()
    until(lambda: length(page) > 240, "the longer crack")
    assert length(page) == pytest.approx(260, abs=6)

    page.click("[data-tool=erase]")
    page.mouse((209.5, 90)).click_and_hold().perform()
    page.mouse((209.5, 150), (209.5, 210)).release().perform()
    until(lambda: page.measured("pipe") and page.text("#about").endswith("1 crack"), "that one is erased")
    page.click("#undo")
    until(lambda: page.measured("pipe") and page.text("#about").endswith("2 cracks"), "that it is back")
    assert length(page) == pytest.approx(260, abs=6) and "set or corrected the mask" in page.text("#results")

    page.click("#save-label")
    until(lambda: "Saved as" in page.text("#messages"), "the label")
    (pair,) = find_pairs(labels)
    mask = np.asarray(Image.open(pair.mask)) > 0
    assert mask.sum() == pytest.approx(20 * (150 + 110) + 20 * 100, abs=250)

    folder = tmp_path / "profile"
    for selector, name in {
        "[data-file='overlay.png']": "pipe_overlay.png",
        "[data-file='mask.png']": "pipe_mask.png",
        "[data-file='sheet.pdf']": "pipe_sheet.pdf",
        "#csv": "measures.csv",
    }.items():
        page.click(selector)
        until(lambda name=name: (folder / name).exists() and (folder / name).stat().st_size, name)
    np.testing.assert_array_equal(np.asarray(Image.open(folder / "pipe_mask.png")) > 0, mask)
    assert (folder / "pipe_sheet.pdf").read_bytes().startswith(b"%PDF")
    rows = list(csv.DictReader((folder / "measures.csv").open(encoding="utf-8")))
    assert [row["decided_by_hand"] for row in rows] == ["mask", "mask"]


def test_nothing_is_asked_elsewhere_and_nothing_is_held_back(page):
    page.drop(pipe_png=as_file(bars(), factor=LARGE))
    page.measured("pipe")
    own, messages = ("http://127.0.0.1:", "data:", "blob:", "chrome:"), []

    def urls():
        """Return what was answered, and what our own page has asked for: the browser's start page asks too."""
        messages.extend(json.loads(entry["message"])["message"] for entry in page.driver.get_log("performance"))
        answers = [each["params"] for each in messages if each["method"] == "Network.responseReceived"]
        requests = [each["params"] for each in messages if each["method"] == "Network.requestWillBeSent"]
        sent = {each["request"]["url"] for each in requests if each["documentURL"].startswith(own[0])}
        return {each["response"]["url"] for each in answers}, sent

    def all_answered():
        answered, sent = urls()
        return sent <= answered

    until(all_answered, "an answer to each request")
    answered = urls()[0]
    assert any(url.startswith(own[0]) for url in answered)
    assert not [url for url in answered if not url.startswith(own)], "the page works without a network"
    assert not [entry for entry in page.driver.get_log("browser") if entry["level"] == "SEVERE"]


def test_a_photograph_is_closed_after_all_answers_about_it(labels, tmp_path):
    with served(labels) as address, browsing(tmp_path / "profile") as driver:
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": LATE})
        driver.get(address)
        page = Page(driver)
        until(lambda: "×" in page.text("#about"), "the example's size, with which its picture is asked for")
        page.drop(pipe_png=as_file(bars(), factor=LARGE))
        page.measured("pipe")
        asked = (
            "return performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('picture.jpg')).length"
        )
        until(lambda: driver.execute_script(asked) == 2, "both pictures")
        assert not [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]
        assert not page.text("#messages") and "example" not in page.text("#list")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_read_it(page, scheme):
    from axe_selenium_python import Axe

    page.driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    page.drop(pipe_png=as_file(bars(), factor=LARGE), notes_png=b"no picture")
    page.measured("pipe")
    until(lambda: "cannot be read" in page.text("#list"), "a failure")
    axe = Axe(page.driver)
    axe.inject()
    violations = axe.run()["violations"]
    assert not violations, axe.report(violations)
