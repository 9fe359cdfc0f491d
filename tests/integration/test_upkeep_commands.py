"""`gem gc` and `gem prefilter` as typed: what they print, for people and for machines."""

import json

import pytest
from typer.testing import CliRunner

from gem_tasks.cli.main import app
from gem_tasks.store import keys


@pytest.fixture
def gem(workspace, monkeypatch):
    settings = workspace().settings
    for name, value in {
        "GEM_HOME": settings.home,
        "GEM_POSTGRES_DSN": settings.database,
        "GEM_STORE_URL": settings.store_root,
        "GEM_LLM_BASE_URL": settings.llm_base_url,
    }.items():
        monkeypatch.setenv(name, str(value))

    def run(*arguments):
        found = CliRunner().invoke(app, [*arguments], catch_exceptions=False)
        assert found.exit_code == 0, found.output
        return found.stdout

    return run


def test_commands_answer_before_anything_ran(gem, workspace):
    workspace().store.put(keys.segments_key("2026-01-31T20:00", 3), b"young")
    found = json.loads(gem("gc", "--dry-run", "--json"))
    assert (found["objects"], found["kept_objects"], found["days"], found["dry_run"]) == (0, 1, 30, True)
    assert "unfinished writes" in gem("gc")
    status = json.loads(gem("prefilter", "status", "--json"))
    assert (status["setting"], status["in_use"], status["saved_calls"]) == ("auto", None, 0)
    assert "there are 0 accepted verdicts in all" in gem("prefilter", "status").replace("\n", " ")
    assert json.loads(gem("prefilter", "train", "--json"))["state"] == "too_few"
    assert "too few: 0 accepted segments" in gem("prefilter", "train")
    assert json.loads(gem("prefilter", "recheck", "--json")) == {"marked": 0, "partitions": {}}
