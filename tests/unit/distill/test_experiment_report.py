"""A report shows scores as they are, the paper's beside them, and where every number comes from."""

from gem_tasks.distill.experiment import options_of, plan
from gem_tasks.distill.markdown import as_table
from gem_tasks.distill.report import render
from gem_tasks.distill.result import TITLES, Result
from gem_tasks.distill.steps import Measured
from gem_tasks.domain.distill import Model, SetSpec, SftSet
from gem_tasks.domain.evaluation import HARNESSES, CaseScore, EvalReport, RunSettings
from gem_tasks.evals.stats import average
from gem_tasks.evals.worlds.report import scores
from tests.unit.evals.calls.bakery import RYE, ran


def report(harness, scores, *, category="multi_turn_base", metric="accuracy", measures=None):
    cases = tuple(CaseScore(case_id=f"c{n}", category=category, score=score) for n, score in enumerate(scores))
    return EvalReport(
        harness=harness,
        model="m",
        scores=average(cases, metric),
        cases=cases,
        settings=RunSettings(version="bfcl-eval 1", subset="smoke"),
        seconds=12.0,
        measures=measures or {},
    )


def measured(arm, harness, key, label=""):
    return Measured(arm=arm, harness=harness, label=label, key=key, evaluation_id=f"e-{key}", seconds=1)


def model(name, base="scratch"):
    metrics = {"rows": 64, "steps": 30, "tokens": 61440, "loss": 5.96, "train_seconds": 133.0}
    return Model(
        model_id=f"id-{name}", name=name, base=base, profile="smoke", profile_sha256="0", set_id="s", location="/x",
        metrics=metrics,
    )  # fmt: skip


def made(experiment, reports, *, harness="bfcl", label="", base="scratch", **options):
    planned = plan(options_of({"experiment": experiment, **options}))
    arms = [arm.name for arm in planned.experiment.arms]
    found = SftSet(
        set_id="s", spec=SetSpec(kind="agent"), versions=("v1",), counts={"train": 64}, left_out={}, location="/s"
    )
    rows = tuple(measured(arm, harness, f"k{n}", label) for n, arm in enumerate(arms) if n < len(reports))
    return Result(
        plan=planned,
        models={arm: model(arm, base) for arm in arms},
        sets=dict.fromkeys(arms, found),
        measured=rows,
        reports={f"k{n}": each for n, each in enumerate(reports)},
        lineage={arm: ["r1"] for arm in arms},
    )


def test_scores_of_arms_stand_beside_the_papers_and_their_difference_has_an_interval():
    result = made("refinement-ablation", [report("bfcl", [0, 0, 1, 0] * 5), report("bfcl", [1, 1, 1, 0] * 5)])
    text = render(result, ["loss"])
    for wanted in (
        "| unrefined | 25.00 ± ", "| refined | 75.00 ± ", "*paper: 8B, no refinement* | 26.00",
        "*paper: GEM-8B* | 30.25",
        "| bfcl | unrefined → refined | +50.00 |", "| yes | 20 |", "![loss](loss.png)", "v1", "r1", "e-k0",
        "trained from random weights",
    ):  # fmt: skip
        assert wanted in text


def test_arms_that_are_one_model_are_not_taken_for_a_comparison():
    result = made("data-size", [report("bfcl", [0, 1])] * 2)
    assert "are one model" not in render(result)
    one = next(iter(result.models.values()))
    text = render(result.model_copy(update={"models": dict.fromkeys(result.models, one)}))
    assert "**1K and 10K used the same trajectories and are one model" in text


def test_a_real_base_is_not_called_random():
    result = made("distill", [report("bfcl", [0.0, 1.0])], base="Qwen/Qwen3-8B")
    assert "random weights" not in render(result)


def test_arms_that_ran_other_cases_are_not_compared():
    result = made("refinement-ablation", [report("bfcl", [0, 1]), report("bfcl", [0, 1, 1])])
    assert "did not run the same cases" in render(result)


def test_tasks_in_worlds_have_their_overall_scores_and_are_compared_by_task():
    def report_of(solved):
        cases = tuple(
            CaseScore(case_id=f"w/{at}/{kind}", category=kind, score=float(at < solved))
            for at in range(20)
            for kind in ("plain", "fault")
        )
        settings = RunSettings(version="gem-tasks 1", subset="worlds:a", user_model="person")
        return EvalReport(harness="worlds", model="m", scores=scores(cases), cases=cases, settings=settings, seconds=1)

    text = render(made("distill", [report_of(5), report_of(15)], harness="worlds", kind="agent"))
    assert "## Tasks in worlds of held-out texts" in text
    assert "| per cent ± standard error | overall pass^1 | failed tries | seconds |" in text
    assert "user person" in text
    assert "| worlds | base → trained | +50.00 |" in text
    assert "| yes | 20 |" in text


def test_next_actions_have_their_main_figures_and_are_compared_by_conversation(tmp_path):
    rows = [{**RYE, "id": f"rye {at}"} for at in range(4)]
    reports = [ran(name, tmp_path / name, rows) for name in ("apology", "oracle")]
    text = render(made("distill", reports, harness="calls", kind="agent"))
    assert "## Next actions in held-out conversations" in text
    assert "| overall action | overall decision | call called |" in text
    assert "| speak spoke | failed tries |" in text
    assert "| calls | base → trained | +100.00 | +100.00 to +100.00 | yes | 4 |" in text


def test_every_harness_has_a_title():
    assert TITLES.keys() == set(HARNESSES)


def cost(texts, accepted, tokens):
    per = {"tokens": tokens / accepted if accepted else None, "usd": None}
    return {
        "texts": texts, "accepted": accepted, "calls": texts, "prompt_tokens": tokens, "completion_tokens": 0,
        "usd": None, "latency_s": {"mean": 0.5}, "per_accepted": per,
    }  # fmt: skip


def test_the_synthesizer_stands_beside_the_pipeline():
    measures = {"synthesizer": cost(4, 1, 400), "pipeline": cost(4, 4, 4000), "reasons": {"malformed": 3}}
    done = report("synthesizer", [0, 0, 0, 1], category="held_out", metric="valid", measures=measures)
    none = {**measures, "synthesizer": cost(4, 0, 400)}
    base = report("synthesizer", [0] * 4, category="held_out", metric="valid", measures=none)
    text = render(made("cost-benefit", [base, done], harness="synthesizer", label="held out"))
    assert "| pipeline, held out | 4 | 4 | 100.0% | 4 | 4,000 | 1,000 | - | 0.50 |" in text
    assert "| synthesizer, held out | 4 | 1 | 25.0% | 4 | 400 | 400 | - | 0.50 |" in text
    assert "| base, held out | 4 | 0 | 0.0% | 4 | 400 | - | - | 0.50 |" in text
    assert "malformed 3" in text


def test_a_drop_over_a_fifth_on_another_source_is_flagged():
    planned = plan(options_of({"experiment": "cross-domain", "sources": ["a", "b"]}))
    home = report("synthesizer", [1, 1, 1, 1, 0], category="held_out", metric="valid")
    away = report("synthesizer", [1, 1, 1, 0, 0], category="held_out", metric="valid")
    bad = made("distill", [])
    result = bad.model_copy(
        update={
            "plan": planned,
            "measured": (
                measured("trained on A", "synthesizer", "k0", "A, held out"),
                measured("trained on A", "synthesizer", "k1", "B"),
            ),
            "reports": {"k0": home, "k1": away},
        }
    )
    assert "a drop of 25%. **More than 20%" in render(result)


def test_names_cannot_break_out_of_a_table():
    result = made("distill", [report("bfcl", [0.0])], sources=["a|b<script>"])
    assert "a\\|b&lt;script>" in render(result)


def test_a_cell_holds_no_link_image_or_acting_character():
    told = ["![x](http://e)", "a\\|b", "a\r\n# h", "\x1b]0;t\x07\u202e"]
    assert as_table(["h"], [[each] for each in told]).splitlines()[2:] == [
        "| ![x] (http://e) |", r"| a\\\|b |", "| a # h |", r"| \x1b]0;t\x07\u202e |"
    ]  # fmt: skip
