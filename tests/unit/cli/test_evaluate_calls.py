"""`gem eval calls`: what is named wrongly, and where an interrupted run continues."""

import json

import pytest

from gem_tasks.cli import evaluate_calls
from gem_tasks.errors import UserError
from tests.unit.evals.calls.bakery import RYE


@pytest.fixture
def rows(tmp_path, monkeypatch):
    monkeypatch.setenv("GEM_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rye.jsonl").write_text(json.dumps(RYE))
    return "rye.jsonl"


def test_a_model_without_a_name_is_not_measured(rows):
    with pytest.raises(UserError, match="The model has no name"):
        evaluate_calls.run_calls(on=rows, base_url="http://127.0.0.1:9/v1")
    with pytest.raises(UserError, match=r"No model is named. Give --model with --base-url, or --model oracle"):
        evaluate_calls.run_calls(on=rows)


def test_no_conversations_are_named(rows):
    with pytest.raises(UserError, match="--on names nothing"):
        evaluate_calls.run_calls(on="", model="oracle")


def test_an_interrupted_run_tells_where_it_continues(rows, tmp_path, monkeypatch, capsys):
    def interrupted(tested, conversations, options, folder, **_):
        folder.mkdir(parents=True)
        raise KeyboardInterrupt

    monkeypatch.setattr(evaluate_calls, "evaluate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        evaluate_calls.run_calls(on=rows, model="oracle")
    (folder,) = (tmp_path / "home/evals").iterdir()
    assert f"to continue, run it again with --out {folder}" in capsys.readouterr().err.replace("\n", "")
