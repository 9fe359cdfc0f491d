"""A browser tab that runs nothing and asks nobody."""

import pytest

from tests.browser import chromium  # noqa: F401 - a fixture


@pytest.fixture(scope="module")
def tab(chromium):  # noqa: F811
    context = chromium.new_context(java_script_enabled=False, offline=True)
    yield context.new_page()
    context.close()
