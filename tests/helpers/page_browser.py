"""The page in a real browser, for tests: one browser for each module, and waiting for its script."""

import contextlib
import importlib.util
import shutil
import tempfile

import pytest

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")

IN_BROWSER = [
    pytest.mark.browser,
    pytest.mark.skipif(importlib.util.find_spec("selenium") is None, reason="needs selenium"),
    pytest.mark.skipif(not BROWSER or not DRIVER, reason="needs chromium and chromedriver"),
]
"""Marks of tests that need a browser."""

OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextlib.contextmanager
def started_browser():
    """Start a browser for all tests of a module: starting it takes longer than most of them."""
    from selenium import webdriver

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = BROWSER
        for option in (*OPTIONS, f"--user-data-dir={profile}"):
            options.add_argument(option)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
        try:
            yield driver
        finally:
            driver.quit()


def open_page(browser, path, width=1440, scheme="light", script=True):
    """Open a page in a viewport of a width, with a colour scheme, with or without JavaScript."""
    command = browser.execute_cdp_cmd
    command("Emulation.setScriptExecutionDisabled", {"value": not script})
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    command("Emulation.setDeviceMetricsOverride", size)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    command("Emulation.setEmulatedMedia", {"media": "", "features": features})
    browser.get(path.as_uri())
    return browser


def wait_for(browser, condition):
    """Wait until a JavaScript expression holds; charts draw when they know their size."""
    from selenium.webdriver.support.ui import WebDriverWait

    WebDriverWait(browser, 10, poll_frequency=0.02).until(lambda b: b.execute_script(f"return {condition}"))


def chart(browser, name="regret"):
    wait_for(browser, f"document.querySelector('#chart-{name} .plot svg') !== null")
    return browser.find_element("id", f"chart-{name}")


def choose(browser, figure, name, value):
    """Press a segment, or choose from a menu."""
    browser.execute_script(
        """const control = arguments[0].querySelector(`select[data-choice="${arguments[1]}"]`)
            ?? arguments[0].querySelector(`input[data-choice="${arguments[1]}"][value="${arguments[2]}"]`);
        if (control.tagName === "SELECT") { control.value = arguments[2]; control.dispatchEvent(new Event("change")); }
        else control.click();""",
        figure, name, value,
    )  # fmt: skip
