"""Evaluations and champions in the lineage: recorded case by case, decided on the numbers, overruled by people."""

import json

import pytest
from typer.testing import CliRunner

from gem_tasks.cli.main import app
from gem_tasks.distill.sets import build
from gem_tasks.domain.distill import Model, SetSpec
from gem_tasks.domain.evaluation import CaseScore, Endpoint, EvalReport, RunSettings, Score
from gem_tasks.errors import UserError
from gem_tasks.evals import synthesizer
from gem_tasks.evals.held_out import held_out, pipeline_yield
from gem_tasks.evals.options import SynthesizerOptions
from gem_tasks.evals.registry import decide, find_model, override, record
from gem_tasks.evals.stats import average
from gem_tasks.pipeline.shard.records import output_of
from gem_tasks.prompts import synthesis
from tests.corpus import PARTITION
from tests.oracles.server import dumb, serving, words


def report(solved, of=100, harness="bfcl", model="m"):
    cases = tuple(CaseScore(case_id=f"c{at}", category="multi_turn_base", score=float(at < solved)) for at in range(of))
    settings = RunSettings(version="1", subset="full")
    return EvalReport(harness=harness, model=model, scores=average(cases), cases=cases, settings=settings, seconds=1.5)


def model(model_id, set_id=None, name="agent", base="tiny"):
    return Model(
        model_id=model_id, name=name, base=base, profile="smoke", profile_sha256="0", set_id=set_id, location="here"
    )


@pytest.fixture
def work(workspace, tmp_path):
    """A base and two models that were trained from it, with their evaluations."""
    work = workspace()
    with work.ledger() as ledger:
        for each in (model("base00", name="tiny"), model("first0"), model("second")):
            ledger.distill.record_model(each)
    for model_id, solved in (("base00", 10), ("first0", 30), ("second", 32)):
        record(work, report(solved, model=model_id), tmp_path, model_id)
    return work


@pytest.fixture
def gem(work, monkeypatch):
    """The command, on that workspace; returns what it printed."""
    monkeypatch.setenv("GEM_POSTGRES_DSN", work.settings.database)
    monkeypatch.setenv("GEM_STORE_URL", work.settings.store_root)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words):
        found = CliRunner().invoke(app, [*words])
        if found.exception:
            raise found.exception
        return found.output

    return run


def status(work):
    with work.ledger() as ledger:
        return {each.model_id: each.status for each in ledger.distill.find_models()}


def test_a_report_comes_back_from_the_lineage_as_it_went_in(work):
    with work.ledger() as ledger:
        (row,) = ledger.evaluations.find(model_id="first0")
        assert ledger.evaluations.report(row) == report(30, model="first0")
        assert (row.tries, row.errors) == (100, 0)
    stored = work.store.get(f"evals/{row.evaluation_id}/report.json")
    assert EvalReport.model_validate_json(stored) == report(30, model="first0")


def test_recording_again_changes_nothing(work, tmp_path):
    record(work, report(30, model="first0"), tmp_path)
    with work.ledger() as ledger:
        (row,) = ledger.evaluations.find(model_id="first0")
    assert row.tries == 100


def test_better_than_its_base_becomes_champion_and_hardly_better_than_the_champion_is_kept(work):
    with work.ledger() as ledger:
        first = decide(ledger, "first0")
        assert (first.outcome, first.against, first.decided_by) == ("promoted", "base00", "gate")
        second = decide(ledger, "second")
        assert (second.outcome, second.against) == ("kept", "first0")
        assert second.evidence["differences"]["bfcl"]["cases"] == 100
        with pytest.raises(UserError, match="is already the champion"):
            decide(ledger, "first0")
    assert status(work) == {"base00": "candidate", "first0": "champion", "second": "kept"}


def test_a_person_overrules_the_gate_and_the_old_champion_is_kept(work):
    with work.ledger() as ledger:
        decide(ledger, "first0")
        override(ledger, "second", "promoted", "anna", "better at our tickets")
        assert status(work) == {"base00": "candidate", "first0": "kept", "second": "champion"}
        override(ledger, "second", "rejected", "anna", "leaks names")
        assert [each.outcome for each in ledger.evaluations.promotions("second")] == ["rejected", "promoted"]
        with pytest.raises(UserError, match="a name and a reason"):
            override(ledger, "second", "promoted", " ", "why")
    assert status(work)["second"] == "rejected"


def test_without_anything_to_compare_with_nothing_is_promoted(workspace):
    with workspace().ledger() as ledger:
        ledger.distill.record_model(model("lonely", base="nobody"))
        decision = decide(ledger, "lonely")
    assert decision.outcome == "kept"
    assert "no champion of agent and no base" in decision.why


def test_an_ambiguous_or_unknown_model_is_refused(work):
    with work.ledger() as ledger:
        assert find_model(ledger, "sec").model_id == "second"
        for wrong in ("none", ""):
            with pytest.raises(UserError):
                find_model(ledger, wrong)


def test_the_commands_show_it_all(gem, work):
    assert json.loads(gem("models", "decide", "first0", "--json"))["outcome"] == "promoted"
    assert "second is kept against first0, by gate: not better" in gem("models", "decide", "second")
    assert "rejected, by anna" in gem("models", "reject", "second", "--by", "anna", "--why", "no").replace(
        " against first0", ""
    )
    listed = {each["model_id"]: each for each in json.loads(gem("models", "list", "--json"))}
    assert listed["first0"]["status"] == "champion"
    assert listed["second"]["decision"]["why"] == "no"
    assert "champion" in gem("models", "list")
    rows = {each["model_id"]: each["evaluation_id"] for each in json.loads(gem("eval", "list", "--json"))}
    assert "30.00" in gem("eval", "show", rows["first0"], "--cases")
    compared = json.loads(gem("eval", "compare", rows["base00"], rows["first0"], "--json"))
    assert (compared["outcome"], compared["differences"]["bfcl"]["mean"]) == ("promoted", pytest.approx(0.2))
    assert "The second is not better" in gem("eval", "compare", rows["first0"], rows["second"])
    board = json.loads(gem("eval", "board", "--json"))
    assert [row["model"] for row in board[:4]] == ["second", "first0", "base00", "Qwen3-8B"]
    assert {row["where"] for row in board[3:]} == {"paper", "reference"}
    assert "GEM-32B" in gem("eval", "board")


def test_scores_over_other_tasks_stand_in_rows_of_their_own_and_are_not_compared(gem, work, tmp_path):
    def played(subset, value):
        shown = [
            Score(category="overall", metric=f"pass^{k}", value=value / k, standard_error=0.1, cases=9) for k in (1, 2)
        ]
        settings = RunSettings(version="1", subset=subset, epochs=2)
        cases = (CaseScore(case_id="w/0/plain", category="plain", score=1.0),)
        return EvalReport(
            harness="worlds", model="first0", scores=tuple(shown), cases=cases, settings=settings, seconds=1.0
        )

    one, other = (record(work, played(*each), tmp_path, "first0") for each in (("worlds:a", 0.5), ("worlds:b", 0.75)))
    with pytest.raises(UserError, match="different sets of tasks, worlds:a and worlds:b"):
        gem("eval", "compare", one, other)
    board = json.loads(gem("eval", "board", "--json"))
    rows = {row["where"]: (row["worlds"], row["worlds_every"]) for row in board if row["worlds"] is not None}
    assert rows == {"worlds:a": (50.0, 25.0), "worlds:b": (75.0, 37.5)}
    shown = gem("eval", "board")
    assert "75.0 / 37.50" in shown


def test_next_actions_stand_on_the_board_and_are_correlated_with_benchmarks(gem, work, tmp_path):
    def scored(name, harness, value):
        shown = (Score(category="overall", metric="action" if harness == "calls" else "accuracy", value=value,
                       standard_error=0.1, cases=9),)  # fmt: skip
        settings = RunSettings(version="1", subset="calls:a" if harness == "calls" else "full")
        cases = (CaseScore(case_id="c/1", category="single", score=1.0),)
        return EvalReport(harness=harness, model=name, scores=shown, cases=cases, settings=settings, seconds=1.0)

    for name, ours, theirs in (("x", 0.1, 0.2), ("y", 0.2, 0.3), ("z", 0.3, 0.9)):
        record(work, scored(name, "calls", ours), tmp_path)
        record(work, scored(name, "bfcl", theirs), tmp_path)
    board = json.loads(gem("eval", "board", "--json"))
    assert sorted(row["calls"] for row in board if row["where"] == "calls:a") == [10.0, 20.0, 30.0]
    (found,) = json.loads(gem("eval", "correlation", "--json"))
    assert (found["harness"], found["models"], round(found["rho"], 9)) == ("bfcl", 3, 1.0)
    assert "-1.00 to 1.00" in gem("eval", "correlation")


def test_a_models_lineage_goes_down_to_recipes_prompts_and_documents(finished, monkeypatch):
    work, _, published = finished
    found = build(work, SetSpec(kind="synthesizer", test_share=0.3))
    with work.ledger() as ledger:
        ledger.distill.record_model(model("deep00", found.set_id))
        recipes = ledger.evaluations.origin_recipes("deep00")
        documents = ledger.evaluations.origin_documents("deep00")
    stages = [row.stage for row in recipes]
    assert stages == ["revalidate", "revise", "validate", "refine", "generate", "extract", "filter", "segment"]
    assert {row.version for row in recipes} == {published.version}
    assert all(row.prompt_sha256 for row in recipes if row.stage != "segment")
    assert sum(row.trajectories for row in documents) == found.counts["train"]
    monkeypatch.setenv("GEM_POSTGRES_DSN", work.settings.database)
    monkeypatch.setenv("GEM_STORE_URL", work.settings.store_root)
    shown = CliRunner().invoke(app, ["lineage", "deep00"])
    assert "model deep00" in shown.output
    assert published.version in shown.output


def test_a_synthesizer_is_measured_beside_the_pipeline_on_the_same_texts(finished, tmp_path):
    work, _, _ = finished
    with work.ledger() as ledger:
        shards = [shard for shard, _ in ledger.ingestion.shards(PARTITION)]
    made = {key: each for shard in shards for key, each in output_of(work, "refine", PARTITION, shard).items()}
    segments = held_out(work, PARTITION)
    by_text = {segment.text: made.get(segment.segment_id) for segment in segments}

    def oracle(body, headers):
        asked = body["messages"][-1]["content"]
        known = next((each for text, each in by_text.items() if text in asked), None)
        return words(synthesis.write(known) if known else "?")

    with serving(oracle=oracle, dumb=dumb) as url:
        best, nothing = (
            synthesizer.evaluate(
                Endpoint(base_url=url, model=name),
                SynthesizerOptions(),
                tmp_path / name,
                segments=segments,
                pipeline=pipeline_yield(work, segments),
            )
            for name in ("oracle", "dumb")
        )
    pipeline = best.measures["pipeline"]
    assert best.score().value >= 0.95
    assert nothing.score().value == 0
    assert nothing.measures["reasons"] == {"malformed": len(segments)}
    assert best.measures["synthesizer"]["accepted"] == pipeline["accepted"] == len(segments)
    assert pipeline["per_accepted"]["tokens"] > best.measures["synthesizer"]["per_accepted"]["tokens"] > 0
    assert pipeline["diversity"] == best.measures["synthesizer"]["diversity"]
    assert nothing.measures["synthesizer"]["per_accepted"]["tokens"] is None


def test_no_text_is_said(work):
    with pytest.raises(UserError, match="no held-out texts"):
        held_out(work, "2020-01-01T00:00")
