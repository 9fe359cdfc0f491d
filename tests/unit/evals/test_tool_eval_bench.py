"""tool-eval-bench's files become cases and scores: shares of points, intervals, and what may not be trusted."""

import json

import pytest

from gem_tasks.domain.evaluation import CaseScore, EvalReport, RunSettings
from gem_tasks.evals.child import HarnessError, reading
from gem_tasks.evals.options import TOOL_EVAL_BENCH_CATEGORIES, ToolEvalBenchOptions
from gem_tasks.evals.pairs import difference
from gem_tasks.evals.promotion import judge
from gem_tasks.evals.tool_eval_bench import ToolEvalBench, scores

PLAN = {"tool_selection": ["TC-01", "TC-02"], "safety_and_boundaries": ["TC-34"]}


def row(case, points, epoch=1, error=None):
    return {"id": case, "epoch": epoch, "error": error, "result": {"points": points, "prompt_tokens": 5}}


def keep(folder, *rows, warnings=()):
    lines = "".join(f"{json.dumps(each)}\n" for each in rows)
    (folder / "results.jsonl").write_text(lines, encoding="utf-8")
    totals = {"final_score": 50, "rating": "★★ Weak", "safety_warnings": list(warnings)}
    (folder / "summary.json").write_text(json.dumps([totals]), encoding="utf-8")


def scored(folder, **options):
    with reading(folder, 1 << 20):
        return ToolEvalBench().scored(folder, PLAN, ToolEvalBenchOptions(**options))


def test_a_score_is_the_share_of_points_and_overall_is_the_mean_over_scenarios_not_categories(tmp_path):
    keep(tmp_path, row("TC-01", 2), row("TC-02", 2), row("TC-34", 1), warnings=["TC-34 (Title): \x1b[31mmailed it"])
    found = scored(tmp_path)
    overall = found.scores[0]
    assert (overall.category, overall.metric, overall.value, overall.cases) == ("overall", "points", 2.5 / 3, 3)
    assert overall.interval[0] < overall.value < overall.interval[1]
    values = {(each.category, each.metric): each.value for each in found.scores}
    assert values["safety_and_boundaries", "points"] == 0.5
    assert values["overall", "pass^1"] == pytest.approx(2 / 3)  # half of the points is not solved
    assert found.measures["rounds"][0]["safety_warnings"] == ["TC-34 (Title):  [31mmailed it"]
    assert found.measures["prompt_tokens"] == 15


def test_tries_make_pass_k_and_a_try_that_failed_outside_the_model_counts_nothing_whatever_was_graded(tmp_path):
    keep(
        tmp_path, row("TC-01", 2), row("TC-01", 2, 2), row("TC-02", 2), row("TC-02", 0, 2),
        row("TC-34", 2, error="the endpoint refused"), row("TC-34", 2, 2),
    )  # fmt: skip
    found = scored(tmp_path, epochs=2)
    values = {each.metric: each.value for each in found.scores if each.category == "overall"}
    assert values == {
        "points": pytest.approx(2 / 3), "pass^1": pytest.approx(2 / 3), "pass^2": pytest.approx(1 / 3), "pass@2": 1,
    }  # fmt: skip
    assert [case.error for case in found.cases if case.case_id == "TC-34"] == ["the endpoint refused", None]


@pytest.mark.parametrize("points", [3, -1, "2", None])
def test_points_that_the_package_does_not_give_are_not_believed(points, tmp_path):
    keep(tmp_path, row("TC-01", points), row("TC-02", 2), row("TC-34", 1))
    with pytest.raises(HarnessError, match="cannot be read"):
        scored(tmp_path)


def test_a_scenario_without_a_try_is_named(tmp_path):
    keep(tmp_path, row("TC-01", 2), row("TC-34", 1))
    with pytest.raises(HarnessError, match="TC-02: the harness left out try 1"):
        scored(tmp_path)


def test_a_run_that_continues_forgets_failed_tries_and_lines_that_were_cut_off(tmp_path):
    kept, failed = row("TC-01", 2), row("TC-02", 0, error="down")
    lines = [json.dumps(kept), json.dumps(failed), json.dumps(row("TC-34", 2))[:20]]
    (tmp_path / "results.jsonl").write_text("\n".join(lines), encoding="utf-8")
    ToolEvalBench().prepare(tmp_path, ToolEvalBenchOptions())
    assert ToolEvalBench().done(tmp_path, PLAN) == 1
    assert json.loads((tmp_path / "results.jsonl").read_text(encoding="utf-8")) == kept


def report(points):
    """40 scenarios, 10 of them in a category of their own."""
    cases = tuple(
        CaseScore(case_id=f"TC-{at}", category=TOOL_EVAL_BENCH_CATEGORIES[at // 30], score=float(at < points))
        for at in range(40)
    )
    settings = RunSettings(version="tool-eval-bench 1", subset="full", revision="tool-eval-bench 1", tasks_sha256="a")
    found = tuple(scores(cases))
    return EvalReport(harness="tool-eval-bench", model="m", scores=found, cases=cases, settings=settings, seconds=1)


def test_a_difference_weighs_scenarios_alike_and_can_promote():
    one, other = report(10), report(30)
    found = difference(one, other)
    assert (found.mean, found.metric, found.cases) == (0.5, "points", 40)
    assert other.score().value - one.score().value == found.mean
    verdict = judge({"tool-eval-bench": one}, {"tool-eval-bench": other})
    assert verdict.why.startswith("better in tool-eval-bench: +50.00 points")


def test_the_graders_are_part_of_the_tasks_so_another_version_is_another_revision():
    other = report(30)
    other = other.model_copy(update={"settings": other.settings.model_copy(update={"revision": "tool-eval-bench 2"})})
    assert judge({"tool-eval-bench": report(10)}, {"tool-eval-bench": other}).outcome == "kept"
    assert "tasks: tool-eval-bench 1 #a" in report(10).settings.summary


@pytest.mark.parametrize(
    ("options", "subset"),
    [
        ({}, "full"),
        ({"categories": ("safety_and_boundaries",)}, "full of safety_and_boundaries"),
        ({"categories": TOOL_EVAL_BENCH_CATEGORIES[:2][::-1]}, "full of tool_selection, parameter_precision"),
        ({"categories": TOOL_EVAL_BENCH_CATEGORIES[::-1], "subset": "smoke"}, "smoke"),
    ],
)
def test_the_subset_names_the_categories_unless_all_were_chosen(options, subset):
    assert ToolEvalBench().settings(ToolEvalBenchOptions(**options)).subset == subset
