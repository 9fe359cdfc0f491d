"""What stages, checks and segmenter make of fixed inputs, held to their versions: see `tests.pins`."""

import pytest

from tests.pins import SUBJECTS, Pin, complaint, now, pinned


@pytest.mark.parametrize("name", SUBJECTS)
def test_what_is_made_changes_only_with_its_version(name):
    assert name in pinned(), "run `python -m tests.pins`"
    problem = complaint(name, pinned()[name], now(name))
    assert not problem, problem


def test_a_change_names_what_to_raise_and_how_to_pin_again():
    version = SUBJECTS["checks"].version
    problem = complaint("checks", Pin(version, {"a": "1", "b": "1"}), Pin(version, {"a": "2", "b": "1"}))
    assert "1 inputs (a)" in problem
    assert "raise CHECKS_VERSION in gem_tasks/checks/__init__.py, then run `python -m tests.pins`" in problem
    assert "raise" not in complaint("checks", Pin(0, {"a": "1"}), Pin(version, {"a": "2"}))
    assert complaint("checks", Pin(version, {"a": "1"}), Pin(version, {"a": "1", "new": "2"})).startswith("the pin")
    assert complaint("checks", Pin(version, {"a": "1"}), Pin(version, {"a": "1"})) == ""
