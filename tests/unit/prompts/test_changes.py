"""The differences of two prompts."""

import difflib

import pytest

from gem_tasks.console.prompts import diff
from gem_tasks.prompts.changes import changes


def test_a_changed_line_is_shown_with_three_lines_around_it():
    old = [f"line {number}" for number in range(9)]
    new = [*old[:4], "other", *old[5:]]
    found = list(changes("\n".join(old), "\n".join(new), "a", "b"))
    assert found[:3] == ["--- a", "+++ b", "@@ -2,7 +2,7 @@"]
    assert found[3:] == [" line 1", " line 2", " line 3", "-line 4", "+other", " line 5", " line 6", " line 7"]


def test_prompts_of_very_many_lines_are_not_compared_line_by_line(monkeypatch):
    """`difflib` takes minutes for 64 KB of short lines in another order."""
    monkeypatch.setattr(difflib, "SequenceMatcher", pytest.fail)
    old, new = ([f"{number * step % 150}" for number in range(2000)] for step in (1, 7))
    found = diff("\n".join(old), "\n".join(new))
    assert [line.text for line in found if line.sign == "-"] == old
    assert [line.text for line in found if line.sign == "+"] == new


def test_a_removed_rule_of_dashes_is_shown():
    assert [(line.sign, line.text) for line in diff("a\n---", "a")][1:] == [(" ", "a"), ("-", "---")]
