"""What a person is told of a source's limit, and of what cannot be read."""

import pytest

from gem_tasks.cli.limits import asked
from gem_tasks.cli.summary import _unreadable
from gem_tasks.errors import UserError
from gem_tasks.lineage.reports import DocumentCounts, Unreadable
from gem_tasks.visible import visible


def test_a_limit_is_set_lifted_or_left_alone():
    assert (asked(3, False), asked(None, True), asked(None, False)) == (3, 0, None)
    with pytest.raises(UserError, match="contradict"):
        asked(3, True)


def test_a_name_cannot_write_to_the_terminal():
    assert visible("größe ß/new\nline \x1b[31mred\u2028.md") == "größe ß/new\\nline \\x1b[31mred\\u2028.md"


def test_the_first_objects_that_could_not_be_read_are_named():
    broken = [Unreadable(uri=f"file:///{number}\n.md", detail="OSError: a pipe, not a file") for number in range(7)]
    lines = _unreadable(DocumentCounts(total=9, reasons={"unreadable": 7}, unreadable=broken))
    assert lines[0] == "Not read: file:///0\\n.md (OSError: a pipe, not a file)"
    assert len(lines) == 6
    assert lines[-1].startswith("Not read: 2 more")
    assert _unreadable(DocumentCounts(total=0, reasons={}, unreadable=())) == []
