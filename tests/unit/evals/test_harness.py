"""What the harnesses share: which cases a run asks for, and how the report names them."""

from pathlib import Path

import pytest

from gem_tasks.domain.evaluation import Endpoint, RunSettings
from gem_tasks.errors import UserError
from gem_tasks.evals import harness
from gem_tasks.evals.bfcl import Bfcl
from gem_tasks.evals.bfcl_parts import COLLECTIONS
from gem_tasks.evals.options import TOOL_EVAL_BENCH_CATEGORIES, BfclOptions, Tau2Options, ToolEvalBenchOptions
from gem_tasks.evals.progress import silent
from gem_tasks.evals.tau2 import Tau2
from gem_tasks.evals.tool_eval_bench import ToolEvalBench

USER = Endpoint(base_url="http://127.0.0.1:9/v1", model="user")
BASE = {"categories": ("multi_turn_base",), "subset": "smoke"}


@pytest.mark.parametrize(
    ("harness", "options", "wanted"),
    [
        (Bfcl(), BfclOptions(), ()),
        (Bfcl(), BfclOptions(**BASE), tuple(f"multi_turn_base_{number}" for number in (0, 50, 100, 150))),
        (Bfcl(), BfclOptions(**BASE, ids=("multi_turn_miss_func_3",)), ("multi_turn_miss_func_3",)),
        (Tau2(), Tau2Options(user=USER), ()),
        (Tau2(), Tau2Options(user=USER, domains=("retail",), subset="smoke"), ("retail/0", "retail/2", "retail/4")),
        (Tau2(), Tau2Options(user=USER, ids=("airline/7",), subset="smoke"), ("airline/7",)),
        (ToolEvalBench(), ToolEvalBenchOptions(), ()),
        (ToolEvalBench(), ToolEvalBenchOptions(categories=("localization",), subset="smoke"), ("TC-17",)),
    ],
)
def test_a_run_asks_for_its_ids_else_the_smoke_cases_of_its_categories_else_all(harness, options, wanted, tmp_path):
    assert harness.wanted(options) == wanted
    assert harness.job(USER, options, tmp_path)["ids"] == list(wanted)


def test_the_report_names_ids_by_a_digest_that_does_not_depend_on_their_order():
    one, other = (Tau2().settings(Tau2Options(user=USER, ids=ids)) for ids in (("a/1", "a/2"), ("a/2", "a/1")))
    assert one == other
    assert one.subset == "ids:104ff18f7722"
    assert Bfcl().settings(BfclOptions(subset="smoke")).subset == "smoke"


def test_a_smoke_run_has_a_few_cases_of_what_is_selected_and_never_all_for_lack_of_one():
    for category in COLLECTIONS["all"]:
        wanted = Bfcl().wanted(BfclOptions(categories=(category,), subset="smoke"))
        assert {Bfcl().category_of(case) for case in wanted} == {category}
    for domain in ("airline", "retail", "telecom", "banking"):
        wanted = Tau2().wanted(Tau2Options(user=USER, domains=(domain,), subset="smoke"))
        assert {Tau2().category_of(case) for case in wanted} == {domain}
    for category in TOOL_EVAL_BENCH_CATEGORIES:
        assert len(ToolEvalBench().wanted(ToolEvalBenchOptions(categories=(category,), subset="smoke"))) == 1


@pytest.mark.parametrize(
    ("options", "revision"),
    [
        ({}, "airline, retail: tau2-bench 1.0.0, corrected"),
        ({"tasks": "original"}, "airline, retail: tau2-bench 377cecf, before the corrections"),
        (
            {"domains": ("retail", "telecom"), "task_files": {"retail": "mine.json"}},
            "retail: own file; telecom: tau2-bench 377cecf",
        ),
    ],
)
def test_a_report_names_the_revision_of_every_domain_s_tasks(options, revision):
    assert Tau2().settings(Tau2Options(user=USER, **options)).revision == revision


def test_own_tasks_are_copied_for_the_sandbox_and_may_not_change_while_a_run_resumes(tmp_path):
    file = tmp_path / "mine.json"
    file.write_text("[1]", encoding="utf-8")
    options, out = Tau2Options(user=USER, task_files={"retail": file}), tmp_path / "out"
    out.mkdir()
    Tau2().prepare(out, options)
    copy = Tau2().job(USER, options, out)["task_files"]["retail"]
    assert (out / "tasks-retail.json").read_text(encoding="utf-8") == "[1]"
    assert copy == str(out / "tasks-retail.json")
    file.write_text("[2]", encoding="utf-8")
    with pytest.raises(UserError, match="has changed since the run"):
        Tau2().prepare(out, options)
    with pytest.raises(UserError, match="cannot be read"):
        Tau2().prepare(tmp_path / "new", Tau2Options(user=USER, task_files={"retail": tmp_path / "none.json"}))


def test_who_is_to_choose_a_temperature_gets_none():
    options = Tau2Options(user=USER, temperature=None)
    assert Tau2().without_temperature(options) == {"agent"}
    assert Tau2().settings(options).temperature is None
    assert "temperature server default" in Tau2().settings(options).summary
    assert Bfcl().settings(BfclOptions(temperature=None)).temperature is None


def test_the_summary_says_all_that_a_reader_of_a_score_must_know():
    settings = RunSettings(
        version="h 1", subset="full", thinking=False, temperature=0.0, seed=7, epochs=4, user_model="u",
        revision="r 2, corrected", tasks_sha256="0123456789abcdef" * 4,
    )  # fmt: skip
    how = "native calls; thinking off; temperature 0.0; seed 7; 4 tries; user u"
    assert settings.summary == f"h 1; tasks: r 2, corrected #01234567; full; {how}"
    assert "tasks: unknown revision" in RunSettings(version="bfcl-eval 1", subset="full").summary
    assert RunSettings(version="gem-tasks 1", subset="worlds:a").summary.startswith("gem-tasks 1; worlds:a; native")


def test_the_harness_s_first_word_about_its_tasks_counts_and_later_ones_may_be_the_model_s(monkeypatch):
    said = [
        {"event": "tasks", "sha256": "no hash"},
        {"event": "tasks", "sha256": "a" * 64},
        {"event": "plan", "ids": {"multi_turn_base": ["multi_turn_base_0"]}},
        {"event": "tasks", "sha256": "b" * 64},
        {"event": "plan", "ids": {"multi_turn_base": []}},
    ]
    monkeypatch.setattr(harness, "events", lambda *args: iter(said))
    monkeypatch.setattr(Bfcl, "done", lambda *args: 0)
    ran = Bfcl()._run(None, BfclOptions(), Path(), silent, "auto")
    assert ran == ({"multi_turn_base": ["multi_turn_base_0"]}, "a" * 64)
