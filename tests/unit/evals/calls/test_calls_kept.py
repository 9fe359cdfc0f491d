"""Conversations that are kept in a temporary file."""

import resource
from contextlib import contextmanager

import pytest

from gem_tasks.errors import UserError
from gem_tasks.evals.calls import kept
from tests.factories import call, make_tool, make_trajectory, result, say


@contextmanager
def files_of_at_most(size):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_conversation_for_which_there_is_no_room_is_refused_when_it_is_added(monkeypatch):
    monkeypatch.setattr(kept, "_IN_MEMORY", 1)
    steps = (say("user", "?"), call(1, "create_order", item="tea"), result(1), say("assistant", "."))
    talk = make_trajectory(*steps, tools=(make_tool("create_order", item={"type": "string"}),))
    found = kept.Kept()
    place = found.add(talk)
    with files_of_at_most(place.size), pytest.raises(UserError, match="cannot be kept in"):
        found.add(talk)
    assert found.read(place) == talk
