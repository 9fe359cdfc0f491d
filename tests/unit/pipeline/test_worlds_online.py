"""Conversations in worlds are asked online, because each request depends on the answer before it."""

from types import SimpleNamespace

import pytest

from gem_tasks.pipeline.batch.run import _online
from gem_tasks.settings import Settings


@pytest.mark.parametrize("stage", ["world", "task", "simulate", "verify"])
def test_simulate_ignores_batch_mode(stage):
    work = SimpleNamespace(settings=Settings(llm_mode="batch"))
    assert _online(SimpleNamespace(work=work, name=stage)) is (stage == "simulate")
