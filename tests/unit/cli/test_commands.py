"""`gem --help`: every command once, under one of four headings, with examples, and only its own module imported."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from gem_tasks.cli.lazy import loaded
from gem_tasks.cli.main import COMMANDS, app

PANELS = ("Run", "Look", "Change", "Train")


def test_help_shows_every_command_once_in_four_groups():
    shown = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "120"}).output
    assert [shown.index(f"─ {panel} ─") for panel in PANELS] == sorted(shown.index(f"─ {panel} ─") for panel in PANELS)
    assert "─ Commands ─" not in shown
    starts = [line[2:].split()[0] for line in shown.splitlines() if line.startswith("│ ") and line[2] != " "]
    assert [start for start in starts if not start.startswith("--")] == [each.name for each in COMMANDS]


def test_the_table_is_in_the_order_of_the_groups():
    panels = [each.panel for each in COMMANDS]
    assert tuple(dict.fromkeys(panels)) == PANELS
    assert panels == sorted(panels, key=PANELS.index)


@pytest.mark.parametrize("row", COMMANDS, ids=lambda row: row.name)
def test_every_command_has_its_name_and_help_with_examples(row):
    made = loaded(row)
    assert (made.name, made.rich_help_panel) == (row.name, row.panel)
    leaves = list(getattr(made, "commands", {row.name: made}).values())
    assert leaves
    for leaf in leaves:
        assert leaf.help, leaf.name
        options = [each for each in leaf.params if each.name != "as_json"]
        assert "Examples:" in leaf.help or not options, f"{row.name} {leaf.name}"
        assert not any(each.name == "install_completion" for each in leaf.params)


def test_a_mistyped_command_is_answered_with_one_like_it():
    result = CliRunner().invoke(app, ["experimnt"])
    assert result.exit_code == 2
    assert "Did you mean 'experiment', 'export'?" in result.output


def test_a_command_imports_no_other_command_s_libraries():
    code = (
        "import sys; from typer.testing import CliRunner; from gem_tasks.cli.main import app;"
        "assert CliRunner().invoke(app, ['status', '--help']).exit_code == 0;"
        "print(sorted({'sklearn', 'scipy', 'mcp', 'gem_tasks.cli.prefilter'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
