"""The generated pages say what the code says, and show text of help and docstrings as it is."""

import re
from typing import Literal

import pytest
import typer.main
from pydantic import BaseModel

from gem_tasks.cli.main import app
from gem_tasks.domain.stage_settings import StageSettings
from gem_tasks.settings import Settings
from tools.docs import commands, packages, settings
from tools.docs.hooks import ROOT, on_page_markdown
from tools.docs.markdown import prose, table


def names(group, prefix="gem"):
    for name, command in group.commands.items():
        yield f"{prefix} {name}"
        yield from names(command, f"{prefix} {name}") if hasattr(command, "commands") else ()


def test_every_command_has_a_heading_and_its_options():
    page = commands.page()
    found = [line.lstrip("# ") for line in page.splitlines() if line.startswith("##")]
    assert set(names(typer.main.get_command(app))) <= set(found)
    run = page.partition("## gem run\n")[2].partition("\n## ")[0]
    assert "| `--limit` | integer |" in run
    assert "| `SOURCE` | text |" in run
    assert "gem run ~/manuals --estimate\n" in run.partition("```bash")[2]


def test_every_setting_is_there_once_with_type_bounds_and_default():
    page = settings.page()
    assert "| `GEM_NEAR_DUPLICATE` | number ≥ 0, ≤ 1 | `0.85` | Similarity" in page
    assert "| `GEM_SANDBOX` | `auto`, `require`, `off` | `auto` |" in page
    assert "| `GEM_LLM_API_KEY` | secret |  |" in page
    assert "| `GEM_LLM_TEMPERATURE` | number, `off` |" in page
    rows = [line.split("`")[1] for line in page.splitlines() if line.startswith("| `GEM_")]
    assert len(rows) == len(set(rows))
    assert {f"GEM_{name.upper()}" for name in Settings.model_fields} - set(rows) == {
        "GEM_LLM_STAGES",
        "GEM_LLM_REQUESTS",
    }


def test_every_setting_says_what_it_means():
    silent = re.findall(r"^\| `(\w+)` .*\| *(?:\*\*Per stage\.\*\*)? *\|$", settings.page(), re.MULTILINE)
    assert silent == []


class Toy(BaseModel):
    """Of a test."""

    llm_mode: Literal["a", "b"] = "a"
    """Which | of them."""
    llm_stages: dict[str, StageSettings] = {}


def test_a_setting_of_one_stage_is_a_mark_on_the_common_one():
    rows = list(settings._rows("GEM_", Toy))
    assert rows == [("`GEM_LLM_MODE`", "`a`, `b`", "`a`", "Which | of them. **Per stage.**")]
    assert r"Which \| of them." in table("abcd", rows)


def test_every_package_and_module_is_listed():
    page = packages.page(ROOT / "gem_tasks")
    assert "## `gem_tasks.stages`" in page
    assert "| `settings` | All settings, loaded once by the CLI or a DAG task" in page


def test_words_that_look_like_markup_stay_words():
    assert prose("a <b> and `c_d <e>` [f](g) *h*") == r"a \<b\> and `c_d <e>` \[f\](g) \*h\*"


class Page:
    class file:
        src_uri = "architecture/overview.md"


@pytest.mark.parametrize(
    ("link", "shown"),
    [
        ("[here](../sources.md#x)", "[here](../sources.md#x)"),
        ("[there](https://example.org)", "[there](https://example.org)"),
        ("[settings](../../gem_tasks/settings.py)", "settings (`gem_tasks/settings.py`)"),
        ("[`pyproject.toml`](../../pyproject.toml)", "`pyproject.toml`"),
        ("[changes](../../CHANGELOG.md)", "[changes](../changelog.md)"),
    ],
)
def test_links_out_of_the_docs_become_names(link, shown):
    assert on_page_markdown(link, Page, None, None) == shown


def test_a_link_to_nothing_is_a_warning_which_fails_a_strict_build(caplog):
    assert "(`gone.py`)" in on_page_markdown("[x](../../gone.py)", Page, None, None)
    assert "gone.py, which does not exist" in caplog.text
