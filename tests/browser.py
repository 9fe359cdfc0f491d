"""Chromium, for tests that need a real browser."""

import os
import shutil

import pytest


@pytest.fixture(scope="module")
def chromium():
    """Not longer than its module: playwright occupies the thread's event loop, which other tests need."""
    from playwright.sync_api import sync_playwright

    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None and not os.environ.get("GEM_REQUIRE_BROWSER"):
        pytest.skip("no Chromium on PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()
