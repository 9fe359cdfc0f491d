"""The benchmarks that need no service still call the code as it is."""

import importlib

import pytest

from gem_tasks.domain.trajectory import Trajectory
from gem_tasks.prompts.dialogue import render_tools, render_trajectory
from tests.factories import make_segment
from tests.pages import ROOT


@pytest.fixture
def module(monkeypatch):
    """A benchmark of the checks as a module: they import each other by name."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks" / "checks"))
    return importlib.import_module


@pytest.fixture
def record(module):
    text = (ROOT / "examples" / "corpus" / "hotel-front-desk.md").read_text(encoding="utf-8")
    return module("clean").made(make_segment(text))


def test_material_is_what_the_stages_to_the_judge_accept(record):
    assert set(record.outputs) == {"filter", "extract", "generate", "refine"}


def test_a_revision_that_changes_nothing_keeps_every_message(module, record):
    refined = record.needed("refine", Trajectory)
    answer = f"<toolsets>{render_tools(refined.tools)}</toolsets>\n{render_trajectory(refined.messages)}"
    told = module("revise").read("kind", "id", record, answer)
    assert (told["accepted"], told["kept"], told["left"]) == (True, 1, [])
