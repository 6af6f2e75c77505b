"""A real browser for tests: headless Chromium, which fetches nothing by itself."""

import contextlib
import shutil
import time

import pytest
from selenium.common.exceptions import WebDriverException

from crack_utils.data import DataError

BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
PATIENCE = 300  # [s] for one thing to happen, on a busy machine


def until(condition, what):
    """Wait until a condition gives something true, and return it."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with contextlib.suppress(DataError, OSError, WebDriverException):  # not there yet, or covered meanwhile
            if result := condition():
                return result
        time.sleep(0.2)
    pytest.fail(f"waited {PATIENCE} s in vain for {what}")


@contextlib.contextmanager
def browsing(profile):
    """Start a headless Chromium; what is downloaded goes into the folder of its profile."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    options.unhandled_prompt_behavior = "accept"  # "leave this page?"
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--window-size=1440,1000",
        f"--user-data-dir={profile}",
    ):
        options.add_argument(argument)
    preferences = {
        "download.default_directory": str(profile),
        "profile.default_content_setting_values.automatic_downloads": 1,  # a slow answer comes long after its click
    }
    options.add_experimental_option("prefs", preferences)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    driver.set_page_load_timeout(PATIENCE)
    driver.set_script_timeout(PATIENCE)
    try:
        yield driver
    finally:
        driver.quit()
