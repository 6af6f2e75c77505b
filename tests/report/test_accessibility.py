"""Every page of the built book in a real browser: nothing for axe to find, and nothing cut at the right."""

import time

import pytest

from crack_utils.runtime import paths
from tests.helpers import browser

PAGES = paths.root() / "_build" / "html"
SCHEMES = ("light", "dark")
SCREEN = 900  # [px] high, of a notebook computer with a width of 1440 px

# Blocks that reach beyond the page although nothing around them scrolls.
CUT = """
const scrolls = (box) => ["auto", "scroll"].includes(getComputedStyle(box).overflowX);
const within = (box) => box.tagName !== "ARTICLE" && box.parentElement && (scrolls(box) || within(box.parentElement));
return [...document.querySelectorAll("article :is(pre, table, img, .cell_output, dl, figure)")]
  .filter((box) => box.getBoundingClientRect().right > document.documentElement.clientWidth + 1 && !within(box))
  .map((box) => box.tagName + ": " + box.textContent.trim().slice(0, 80));
"""
# Blocks that scroll sideways, on a screen that is wide enough for all of them.
SCROLLS = """
const wide = "pre, .cell_output, .output, .pst-scrollable-table-container, div.math";
return [...document.querySelectorAll(`article :is(${wide})`)]
  .filter((box) => box.scrollWidth > box.clientWidth + 1)
  .map((box) => box.tagName + ": " + box.textContent.trim().slice(0, 80));
"""
# Options of commands that a line's end breaks in two.
BROKEN = """
const broken = [];
const texts = document.createTreeWalker(document.querySelector("article"), NodeFilter.SHOW_TEXT);
while (texts.nextNode()) {
  for (const match of texts.currentNode.data.matchAll(/--[a-z][\\w-]*/g)) {
    const range = document.createRange();
    range.setStart(texts.currentNode, match.index);
    range.setEnd(texts.currentNode, match.index + match[0].length);
    if (new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size > 1) broken.push(match[0]);
  }
}
return broken;
"""
# Boxes that scroll without a shade at their edge, and rows of tables that hide it.
UNSHADED = """
const style = (box) => getComputedStyle(box);
const opaque = (row) => /^rgb\\(/.test(style(row).backgroundColor);
return [...document.querySelectorAll("article .scrolls")]
  .filter((box) => !style(box).backgroundImage.includes("gradient") || [...box.querySelectorAll("tr")].some(opaque))
  .map((box) => box.className);
"""

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(not (browser.BROWSER and browser.DRIVER), reason="chromium and chromedriver are not installed"),
    pytest.mark.skipif(not PAGES.is_dir(), reason="the book is not built; make book"),
]


def pages():
    """Return the pages that a reader turns to; Sphinx's own search and index are the theme's."""
    return sorted(page for folder in ("book", "artifacts") for page in (PAGES / folder).rglob("*.html"))


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    with browser.browsing(tmp_path_factory.mktemp("profile")) as started:
        yield started


def show(driver, page, width, scheme="light"):
    """Open a page of the book at a width [px], in light or dark."""
    size = {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": width < 600}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    driver.get(page.as_uri())
    driver.execute_script("for (const key of ['mode', 'theme']) localStorage.setItem(key, arguments[0])", scheme)
    driver.refresh()
    time.sleep(0.5)  # colours fade from one scheme to the other


@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_nothing(driver, scheme):
    from axe_selenium_python import Axe

    found = {}
    for page in pages():
        show(driver, page, 1440, scheme)
        axe = Axe(driver)
        axe.inject()
        for violation in axe.run()["violations"]:
            found.setdefault(page.stem, []).append((violation["id"], violation["nodes"][0]["html"][:200]))
    assert not found


def test_nothing_is_cut_on_a_screen(driver):
    found = {}
    for page in pages():
        show(driver, page, 1440)
        if boxes := driver.execute_script(CUT) + driver.execute_script(SCROLLS):
            found[page.stem] = boxes
    assert not found


def test_what_is_too_wide_for_a_phone_scrolls_in_its_own_box(driver):
    found = {}
    for page in pages():
        show(driver, page, 390)
        boxes = driver.execute_script(CUT)
        if boxes or driver.execute_script("return document.documentElement.scrollWidth") > 391:
            found[page.stem] = boxes
    assert not found


def test_no_line_ends_within_an_option_on_a_phone(driver):
    found = {}
    for name in ("book/scaling_out", "artifacts/book/crack_growth", "artifacts/book/large_pictures"):
        show(driver, PAGES / f"{name}.html", 360)
        assert "--" in driver.find_element("css selector", "article").text
        if options := driver.execute_script(BROKEN):
            found[name] = options
    assert not found


@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_scrolls_on_a_phone_has_a_shade_at_its_edge(driver, scheme):
    found = {}
    for name in ("book/losses", "artifacts/book/models", "artifacts/book/architecture"):
        show(driver, PAGES / f"{name}.html", 390, scheme)
        assert driver.find_elements("css selector", "article .scrolls table")
        if boxes := driver.execute_script(UNSHADED):
            found[name] = boxes
    assert not found


@pytest.mark.parametrize("page", ["scoreboard", "fidelity", "learning_rate", "training_scheme", "metrics"])
def test_no_table_of_words_scrolls_on_a_phone(driver, page):
    show(driver, PAGES / "book" / f"{page}.html", 390)
    assert driver.find_elements("css selector", "article table.cards")
    boxes = "return [...document.querySelectorAll('article .pst-scrollable-table-container')]"
    assert driver.execute_script(boxes + ".filter((box) => box.scrollWidth > box.clientWidth + 1).length") == 0
    headings = "return [...document.querySelectorAll('table.cards tbody :is(td, th)')].every((c) => c.dataset.heading)"
    assert driver.execute_script(headings)


def test_the_verdict_of_a_wide_table_is_in_sight_on_a_phone(driver):
    show(driver, PAGES / "artifacts" / "book" / "tips.html", 390)
    last = driver.find_elements("css selector", "article table.cards tbody tr > :last-child")
    verdicts = [cell for cell in last if cell.text.split("\n")[-1] in ("yes", "no")]
    assert verdicts and all(cell.rect["x"] + cell.rect["width"] <= 390 for cell in verdicts)


def test_what_we_found_is_read_in_two_screens(driver):
    show(driver, PAGES / "book" / "findings.html", 1440)
    ends = "return Math.max(...[...document.querySelectorAll('article :is(p, li, table, img)')]"
    ends += ".map((box) => box.getBoundingClientRect().bottom + scrollY))"
    assert driver.execute_script(ends) <= 2 * SCREEN
    rows = driver.find_elements("css selector", "article tbody tr")
    assert len(driver.find_elements("css selector", "article table")) == 1 and 0 < len(rows) <= 10
    assert len(driver.find_elements("css selector", "article figure")) == 1


def test_the_finding_of_the_first_page_is_on_the_first_screen(driver):
    show(driver, PAGES / "book" / "index.html", 1440)
    slider = driver.find_element("css selector", ".threshold-slider .moving")
    assert driver.execute_script("return arguments[0].getBoundingClientRect().bottom", slider) <= SCREEN
    first = driver.find_element("css selector", "article h1 + p").text
    assert 0 < len(first.split()) <= 60


def test_code_is_opened_and_closed_by_one_button(driver):
    show(driver, PAGES / "artifacts" / "book" / "train_dice.html", 1440)
    opened = "return [...document.querySelectorAll('details.above-input')].map((fold) => fold.open)"
    assert driver.execute_script(opened) and not any(driver.execute_script(opened))
    driver.find_element("css selector", "button.fold-code").click()
    assert all(driver.execute_script(opened))
    driver.find_element("css selector", "button.fold-code").click()
    assert not any(driver.execute_script(opened))


def test_a_figure_is_enlarged_by_the_keyboard_and_closed_again(driver):
    show(driver, PAGES / "artifacts" / "book" / "train_dice.html", 1440)
    button = driver.find_element("css selector", "button.enlarge")
    button.send_keys("\ue007")  # Enter
    dialog = driver.find_element("css selector", "dialog.enlarged[open]")
    assert dialog.find_element("css selector", "a[download]").get_attribute("href").endswith(".png")
    dialog.find_element("css selector", "button").click()
    assert not driver.find_elements("css selector", "dialog.enlarged")
    assert driver.switch_to.active_element == button


def test_figures_follow_the_scheme_of_the_page(driver):
    sources = "return [...document.querySelectorAll('img.has-dark')]"
    sources += ".map((picture) => [picture.src.endsWith('-dark.png'), picture.naturalWidth])"
    for scheme in SCHEMES:
        show(driver, PAGES / "artifacts" / "book" / "train_dice.html", 1440, scheme)
        shown = driver.execute_script(sources)
        assert shown and all(dark == (scheme == "dark") and width > 0 for dark, width in shown)
    driver.find_element("css selector", "button.enlarge").send_keys("\ue007")  # Enter
    links = [link.get_attribute("href") for link in driver.find_elements("css selector", "dialog.enlarged a[download]")]
    assert len(links) == 2 and not any("-dark" in link for link in links)


def test_the_slider_follows_the_keys(driver):
    show(driver, PAGES / "book" / "index.html", 1440)
    slider = driver.find_element("css selector", ".threshold-slider input")
    first = driver.find_element("css selector", ".threshold-slider .order").text
    slider.send_keys("\ue010")  # End
    assert slider.get_attribute("aria-valuetext").startswith("exactly 1")
    slider.send_keys("\ue011")  # Home
    assert driver.find_element("css selector", ".threshold-slider .order").text == first


def test_arrow_keys_turn_pages(driver):
    show(driver, PAGES / "book" / "findings.html", 1440)
    driver.find_element("css selector", "body").send_keys("\ue014")  # right
    browser.until(lambda: "scoreboard.html" in driver.current_url, "the next page")
