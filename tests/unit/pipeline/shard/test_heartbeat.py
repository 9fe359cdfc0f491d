"""Pulses of a running task: what goes wrong with them is no business of the task."""

import asyncio
import logging
import threading
import time
from types import SimpleNamespace

import pytest

from gem_tasks.pipeline.shard import heartbeat
from gem_tasks.pipeline.shard.heartbeat import beating

PULSE = SimpleNamespace(model_dump_json=lambda: "{}")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    for name, seconds in {"FIRST_S": 0.01, "EVERY_S": 0.01, "_LEAVE_S": 0.3}.items():
        monkeypatch.setattr(heartbeat, name, seconds)


def work_for(seconds, put, delete, pulse=lambda: PULSE):
    """A task that works for this time and returns 7; the store does what the functions do."""
    place = SimpleNamespace(recipe_id="r", partition="p", shard=0)
    store = SimpleNamespace(put=put, delete=delete)

    async def task():
        async with beating(SimpleNamespace(place=place, work=SimpleNamespace(store=store)), pulse):
            await asyncio.sleep(seconds)
        return 7

    return asyncio.run(task())


def test_the_last_pulse_is_removed():
    kept, removed = {}, []
    assert work_for(0.2, kept.__setitem__, lambda key: removed.append(kept.pop(key))) == 7
    assert removed == [b"{}"]
    assert kept == {}


def broken(*_):
    raise ValueError("the store is broken")


@pytest.mark.parametrize("where", ["pulse", "put", "delete"])
def test_no_fault_of_a_pulse_fails_the_task_and_each_is_logged_once(where, caplog):
    caplog.set_level(logging.WARNING)
    fine = {"pulse": lambda: PULSE, "put": lambda *_: None, "delete": lambda _: None}
    assert work_for(0.2, **fine | {where: broken}) == 7
    assert caplog.text.count("the store is broken") == 1


@pytest.mark.parametrize("where", ["put", "delete"])
def test_a_store_that_hangs_holds_the_end_of_a_task_for_a_few_seconds_at_most(where, caplog):
    over = threading.Event()
    fine = {"put": lambda *_: None, "delete": lambda _: None}
    began = time.monotonic()
    try:
        assert work_for(0.1, **fine | {where: lambda *_: over.wait(20)}) == 7
        assert time.monotonic() - began < 5
    finally:
        over.set()
    assert "the store does not answer" in caplog.text
