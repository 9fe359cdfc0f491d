"""The functions of `gem_tasks` over real services, and the example of docs/python-api.md as it stands there."""

import asyncio
import json
import re
from pathlib import Path

import pytest
from pydantic import SecretStr

import gem_tasks
from gem_tasks.errors import UserError
from gem_tasks.local import services

DOCS = Path(__file__).parents[2] / "docs" / "python-api.md"
(EXAMPLE,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
(MANUAL,) = re.findall(r'"""(.*?)"""', EXAMPLE, re.DOTALL)


@pytest.fixture
def settings(tmp_path, dsn, teacher_url):
    return gem_tasks.Settings(home=tmp_path / "home", postgres_dsn=SecretStr(dsn), llm_base_url=teacher_url)


def test_texts_come_back_in_order_with_trajectories_or_reasons(settings):
    first, empty, again = gem_tasks.synthesize([MANUAL, "\n", MANUAL], settings=settings)
    (trajectory,) = first.trajectories
    assert {"messages", "tools", "metadata"} == set(trajectory)
    assert first.left_out == ()
    assert again == first
    assert empty.trajectories == ()
    assert [(each.segment_id, each.stage, each.outcome, each.reason) for each in empty.left_out] == [
        (None, "ingest", "rejected", "empty")
    ]
    assert gem_tasks.check(first.trajectories)[0].worst() != "error"


def test_half_a_character_in_a_text_is_replaced(settings):
    broken = MANUAL.replace("the", "th\ud800e", 1)
    (found,) = gem_tasks.synthesize([broken], settings=settings)
    assert found.trajectories or found.left_out
    assert "\ud800" not in json.dumps(found.model_dump(mode="json"), ensure_ascii=False)


def test_a_text_that_is_known_is_not_asked_about_again(settings, tmp_path):
    (first,) = gem_tasks.synthesize([MANUAL], settings=settings)
    made = gem_tasks.export(tmp_path / "data", settings=settings)
    assert (made.rows, made.left_out) == (1, 0)
    assert json.loads(made.path.read_text(encoding="utf-8"))["metadata"] == first.trajectories[0]["metadata"]

    def calls():
        with gem_tasks_ledger(settings) as ledger:
            return [
                each.calls
                for segment in ledger.reports.lineage(first.document_id).segments
                for each in segment.outcomes
            ]

    before = calls()
    assert gem_tasks.synthesize([MANUAL], settings=settings) == [first]
    assert calls() == before


def gem_tasks_ledger(settings):
    from gem_tasks.lineage import Ledger

    return Ledger(settings.database)


def test_it_works_where_an_event_loop_runs_as_in_a_notebook(settings):
    async def cell():
        return gem_tasks.synthesize([MANUAL], settings=settings)

    (result,) = asyncio.run(cell())
    assert result.trajectories


def test_an_endpoint_of_the_arguments_is_asked(settings):
    with pytest.raises(UserError, match=r"127\.0\.0\.1:9"):
        gem_tasks.synthesize([MANUAL], settings=settings, base_url="http://127.0.0.1:9/v1")


def test_no_texts_give_no_results(settings):
    assert gem_tasks.synthesize([], settings=settings) == []


def test_an_unknown_format_is_named(settings, tmp_path):
    with pytest.raises(UserError, match="no export format 'csv'"):
        gem_tasks.export(tmp_path, format="csv", settings=settings)


def test_the_example_of_the_docs_runs(settings, dsn, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("GEM_POSTGRES_DSN", dsn)
    monkeypatch.setenv("GEM_LLM_BASE_URL", settings.llm_base_url)
    monkeypatch.setenv("GEM_HOME", str(settings.home))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(services, "up", lambda **_: None)  # what it would start runs already
    exec(compile(EXAMPLE, str(DOCS), "exec"), {})
    shown = capsys.readouterr().out
    assert " messages, " in shown
    assert (tmp_path / "data" / "trajectories.jsonl").is_file()
