"""The browser that looks at pages: one for each process that runs tests, as a plugin of pytest."""

import shutil

import pytest
from playwright.sync_api import sync_playwright

CHROMIUM = next(
    filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None
)


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        yield browser
        browser.close()
