"""Conversations as a real model would write them pass, and the judge is asked about little."""

import pytest

from gem_tasks.checks import run_checks
from gem_tasks.domain.finding import Severity
from tests.realistic import FILES, load

MOST_OPEN = 3


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_sound_conversation_has_no_error_and_few_open_findings(path):
    found = run_checks(*load(path))
    assert [item.detail for item in found if item.severity is Severity.ERROR] == []
    opened = [item.detail for item in found if item.severity is Severity.OPEN]
    assert len(opened) <= MOST_OPEN, opened


def test_there_are_a_handful():
    assert len(FILES) >= 8
