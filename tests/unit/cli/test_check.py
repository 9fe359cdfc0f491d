"""`gem check`: what it prints, and its exit codes."""

import json

import pytest
from typer.testing import CliRunner

from gem_tasks.cli.main import app
from gem_tasks.errors import UserError
from tests.dataset_rows import openai

RUN = CliRunner()


def faulty():
    row = openai('{"city": 3}')
    row["id"] = "bad|`\x1b[2J\u202e"
    return row


@pytest.fixture
def path(tmp_path):
    found = tmp_path / "rows.jsonl"
    found.write_text("\n".join(map(json.dumps, (openai(), faulty(), {"x": 1}))))
    return str(found)


def test_json_has_a_row_for_every_conversation(path):
    result = RUN.invoke(app, ["check", path, "--json"])
    told = json.loads(result.stdout)
    assert result.exit_code == 1
    assert [len([1 for finding in row["findings"] if finding["severity"] == "error"]) for row in told["rows"]] == [
        0,
        1,
        1,
    ]
    assert set(told["rows"][1]["findings"][0]) == {"check", "kind", "severity", "message", "path", "detail"}
    assert {name: told["summary"][name] for name in ("rows", "with_errors", "unreadable")} == {
        "rows": 3, "with_errors": 2, "unreadable": 1,
    }  # fmt: skip


def test_the_report_names_kind_place_and_what_is_wrong(path):
    told = RUN.invoke(app, ["check", path]).stdout
    assert "3 conversations: 2 with errors" in " ".join(told.split())
    assert "rows.jsonl:2" in told.replace("\n", "")
    assert "message 2 $.city schema/wrong_type: get_weather" in " ".join(told.split())


@pytest.mark.parametrize("how", [[], ["--markdown"]])
def test_no_text_of_a_row_acts_on_the_terminal_or_the_page(path, how):
    told = RUN.invoke(app, ["check", path, *how]).stdout
    assert "\x1b" not in told
    assert "\u202e" not in told
    assert "\\x1b[2J\\u202e" in told.replace("\n", "")


def test_markdown_keeps_a_row_with_backticks_in_code(path):
    told = RUN.invoke(app, ["check", path, "--markdown"]).stdout
    assert "| error | schema | wrong_type | 1 | 1 |" in told
    assert "`` " in told


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ([], 1),
        (["--ignore", "schema/wrong_type", "--ignore", "format"], 0),
        (["--fail-on", "never"], 0),
        (["--fail-on", "warning", "--ignore", "schema", "--ignore", "format"], 1),
    ],
)
def test_the_exit_code_is_for_ci(path, options, code):
    assert RUN.invoke(app, ["check", path, *options]).exit_code == code


def test_a_format_that_is_none_is_refused(path):
    result = RUN.invoke(app, ["check", path, "--format", "poem"])
    assert isinstance(result.exception, UserError)
    assert "openai" in str(result.exception)


def test_a_missing_file_is_told_before_any_report(path, tmp_path):
    result = RUN.invoke(app, ["check", path, str(tmp_path / "absent.jsonl")])
    assert isinstance(result.exception, UserError)
    assert "absent.jsonl" in str(result.exception)
    assert result.stdout == ""


def test_files_without_rows_are_refused_without_a_report(tmp_path):
    (tmp_path / "empty.jsonl").write_text("\n")
    result = RUN.invoke(app, ["check", str(tmp_path / "empty.jsonl")])
    assert "no rows" in str(result.exception)
    assert result.stdout == ""
