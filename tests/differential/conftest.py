"""A browser tab that runs nothing and asks nobody."""

import pytest


@pytest.fixture(scope="module")
def tab(chromium):
    context = chromium.new_context(java_script_enabled=False, offline=True)
    yield context.new_page()
    context.close()
