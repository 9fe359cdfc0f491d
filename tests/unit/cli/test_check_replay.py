"""`gem check --replay`: what it prints, and its exit codes."""

import json

import pytest
from typer.testing import CliRunner

from gem_tasks.cli import check_replay
from gem_tasks.cli.main import app
from gem_tasks.errors import UserError
from gem_tasks.lint.replay import ReplayedRow

RUN = CliRunner()
BAD = "told \x1b[2J\u202e[red]"


@pytest.fixture
def told(monkeypatch):
    """Runs the command over rows with these results."""

    def run(*results, options=()):
        rows = [
            ReplayedRow(id=f"t{n}", origin=f"rows.jsonl:{n}", status=status, detail=BAD * (status != "equal"))
            for n, status in enumerate(results, 1)
        ]
        monkeypatch.setattr(check_replay, "replay_files", lambda *_args, **_options: iter(rows))
        return RUN.invoke(app, ["check", "--replay", "rows.jsonl", *options])

    return run


@pytest.mark.parametrize(
    ("results", "code"),
    [
        (("equal", "not_executed"), 0),
        (("equal", "different"), 1),
        (("equal", "world_missing"), 1),
        (("equal", "world_broken"), 1),
        (("equal", "unreadable"), 1),
        (("not_executed",), 1),
    ],
)
def test_the_exit_code_is_zero_only_if_something_replayed_and_all_of_it_equal(told, results, code):
    assert told(*results).exit_code == code


def test_json_has_every_row_and_all_counts(told):
    found = json.loads(told("equal", "different", options=("--json",)).stdout)
    assert [row["status"] for row in found["rows"]] == ["equal", "different"]
    assert found["summary"] == {
        "equal": 1, "different": 1, "world_missing": 0, "world_broken": 0, "unreadable": 0, "not_executed": 0,
    }  # fmt: skip


def test_the_report_counts_and_shows_the_first_difference(told):
    found = told("equal", "equal", "different").stdout
    assert [line.split() for line in found.splitlines() if "replayed equal" in line] == [
        ["│", *"replayed equal │ 2 │".split()]
    ]
    assert "rows.jsonl:3 (t3): replayed, but different: told \\x1b[2J\\u202e[red]" in found
    assert "\x1b[2J" not in found


def test_the_progress_ends_with_the_number_of_rows(told):
    assert "2/2" in told("equal", "equal").stderr


def test_nothing_executed_is_said(told):
    assert "nothing was replayed" in told("not_executed").stderr


@pytest.mark.parametrize("options", [["--replay", "--markdown"], ["--replay", "--ignore", "schema"], ["--worlds", "w"]])
def test_options_of_the_other_check_are_refused(options):
    with pytest.raises(UserError, match="--replay"):
        RUN.invoke(app, ["check", "rows.jsonl", *options], catch_exceptions=False)
