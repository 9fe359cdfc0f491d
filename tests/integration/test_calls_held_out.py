"""Next actions in the user's own conversations: found in the store, held out, recorded; none that was trained on."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gem_tasks.cli.main import app
from gem_tasks.distill import profiles, record, report
from gem_tasks.distill.experiment import Plan, options_of, plan
from gem_tasks.distill.next_actions import held_out_conversations
from gem_tasks.distill.next_actions import options_of as calls_options
from gem_tasks.distill.run import run as run_here
from gem_tasks.distill.sets import build, read
from gem_tasks.distill.steps import Measured
from gem_tasks.domain.distill import Model, SetSpec
from gem_tasks.domain.evaluation import CaseScore, EvalReport, RunSettings, Score
from gem_tasks.evals.calls import markdown
from gem_tasks.evals.calls.conversations import LeftOut
from gem_tasks.evals.correlation import correlations
from gem_tasks.evals.registry import find_evaluation, find_model
from gem_tasks.store import keys
from tests.corpus import PARTITION
from tests.oracles import server


@pytest.fixture
def gem(finished, monkeypatch, tmp_path):
    """Runs a command on the finished run, and returns its JSON."""
    work, _, _ = finished
    for name, value in (("POSTGRES_DSN", work.settings.database), ("STORE_URL", work.settings.store_root)):
        monkeypatch.setenv(f"GEM_{name}", value)
    monkeypatch.setenv("GEM_HOME", str(tmp_path))

    def run(*words):
        found = CliRunner().invoke(app, [*words, "--json"], catch_exceptions=False)
        return json.loads(found.stdout)

    return run


def split(work):
    """A set whose test split has several documents. Their ids, and so the split, depend on where the checkout lies."""
    for seed in range(50):
        found = build(work, SetSpec(kind="agent", test_share=0.3, seed=seed))
        if len({row["document_uri"] for row in read(work, found, "test")}) > 1:
            return found
    raise AssertionError("no seed puts two documents into the test split")


def test_a_set_is_measured_on_its_test_split_and_the_score_is_recorded(finished, gem):
    work, _, _ = finished
    found = split(work)
    told = gem("eval", "calls", "--on", found.set_id, "--model", "oracle")
    assert told["scores"][0] | {"interval": 0} == {
        **{"category": "overall", "metric": "action", "value": 1.0, "standard_error": 0.0, "interval": 0},
        "cases": told["scores"][0]["cases"],
    }
    asked = {case["case_id"].rpartition("/")[0] for case in told["cases"]}
    assert asked == {row["trajectory_id"] for row in read(work, found, "test")}
    with work.ledger() as ledger:
        row = ledger.evaluations.find(prefix=told["evaluation_id"])[0]
    assert (row.harness, row.model, row.tries) == ("calls", "oracle", len(told["cases"]))
    apology = gem("eval", "calls", "--on", found.set_id, "--model", "apology")
    verdict = gem("eval", "compare", apology["evaluation_id"], told["evaluation_id"])
    assert (verdict["outcome"], verdict["differences"]["calls"]["mean"]) == ("promoted", 1.0)


def test_conversations_of_documents_that_a_model_was_trained_on_do_not_count(finished, gem):
    work, _, published = finished
    found = split(work)
    model = {"model_id": "mcalls", "name": "mcalls", "base": "b", "profile": "p", "profile_sha256": "0"}
    with work.ledger() as ledger:
        ledger.distill.record_model(Model.model_validate({**model, "set_id": found.set_id, "location": ""}))
        assert find_model(ledger, "mcalls").set_id == found.set_id
    told = gem("eval", "calls", "--on", PARTITION, "--model", "oracle", "--model-id", "mcalls")
    asked = {case["case_id"].rpartition("/")[0] for case in told["cases"]}
    assert asked == {row["trajectory_id"] for row in read(work, found, "test")}
    left_out = told["measures"]["left_out"]["trained_on"]
    assert left_out["count"] == published.trajectories - len(asked)
    assert left_out["examples"][0].endswith("the model was trained on the document")


@pytest.fixture
def planned(finished):
    """Plans a smoke run that measures next actions at an endpoint."""

    def made(url, *harnesses):
        options = {"profile": "smoke", "kind": "agent", "endpoint_url": url, "endpoint_model": "m"}
        chosen = profiles.named("smoke")
        chosen = chosen.model_copy(update={"set": {**chosen.set, "test_share": 0.5}})
        return plan(options_of({**options, "harnesses": harnesses})).model_copy(update={"chosen": chosen})

    return made


def speaks_and_calls(body, headers):
    """Calls the first tool after every other message."""
    if not body.get("tools") or len(body["messages"]) % 2:
        return server.words("Which one do you mean?")
    return server.calls((body["tools"][0]["function"]["name"], {}))


def test_a_run_measures_next_actions_and_its_report_is_rebuilt_from_the_lineage_to_the_byte(finished, planned):
    work, _, _ = finished
    with server.serving(m=speaks_and_calls) as url:
        wanted = planned(url, "calls")
        run_here(work, wanted)
    models, (measured,) = record.so_far(work, wanted)
    assert (models, measured.harness, measured.arm) == ({"m": None}, "calls", "m")
    with work.ledger() as ledger:
        row = find_evaluation(ledger, measured.evaluation_id)
        told = ledger.evaluations.report(row)
    assert (row.harness, row.tries, row.errors, row.settings["extra"]["max_tokens"]) == ("calls", 12, 0, 32)
    assert told == EvalReport.model_validate_json(work.fetch(measured.key))
    assert 0 < told.score("call", "called").value < 1

    names = {name: keys.experiment_key(wanted.plan_id, name) for name in ("report.md", "raw.json")}
    first = {name: work.fetch(key) for name, key in names.items()}
    assert f"| m | {100 * told.score().value:.2f}".encode() in first["report.md"]
    for key in (*names.values(), measured.key):  # only what was asked for stays, and the database
        work.store.delete(key)
    passed_on = json.dumps(wanted.model_dump(mode="json"), sort_keys=True)  # as between tasks of Airflow
    report.write(work, Plan.model_validate_json(passed_on), models, [measured])
    assert {name: work.fetch(key) for name, key in names.items()} == first


def test_the_report_of_next_actions_is_rebuilt_from_the_database_to_the_byte(finished, gem, tmp_path):
    work, _, _ = finished
    rows = list(read(work, split(work), "test"))
    odd = [{"text": "x"}, {"text": "y"}, {"messages": []}, {**rows[0], "tools": []}, {**rows[0], "tools": []}]
    odd += [{"messages": 7}, {"text": "z"}]
    (tmp_path / "mixed.jsonl").write_text("".join(f"{json.dumps(dict(row))}\n" for row in [*rows, *odd]))
    told = gem("eval", "calls", "--on", str(tmp_path / "mixed.jsonl"), "--model", "constant")
    folder = Path(told["folder"])
    with work.ledger() as ledger:
        found = ledger.evaluations.report(find_evaluation(ledger, told["evaluation_id"]))
    assert len(found.measures["left_out"]) == 3
    assert found == EvalReport.model_validate_json((folder / "report.json").read_text())
    assert markdown.render(found) == (folder / "report.md").read_text()


def ranked(ledger, subset, *models):
    """Records both scores of models, which are ranked alike."""
    for model, action in models:
        for harness, value in (("calls", action), ("bfcl", action / 2)):
            of = subset if harness == "calls" else "smoke"
            score = Score(category="overall", metric="action", value=value, standard_error=None, cases=1)
            case = CaseScore(case_id="c/1", category="single", score=value)
            made = {"settings": RunSettings(version="1", subset=of), "scores": (score,), "cases": (case,), "seconds": 1}
            found = EvalReport(harness=harness, model=model, **made)
            ledger.evaluations.record(f"{model}-{harness}", found, "", None)


def test_a_report_has_the_correlation_with_a_benchmark_up_to_the_end_of_its_run(finished, planned):
    work, _, _ = finished
    with work.ledger() as ledger:
        ranked(ledger, "calls:a", ("m0", 0.1), ("m1", 0.3), ("m2", 0.2))
        (found,) = [each for each in correlations(ledger.evaluations.find()) if each.harness == "bfcl"]
    wanted = planned("http://127.0.0.1:9/v1", "calls", "bfcl")
    rows = [
        Measured(arm="m", harness=name, label="", key=name, evaluation_id=f"m2-{name}", seconds=1)
        for name in ("calls", "bfcl")
    ]
    _, first = report.write(work, wanted, {}, rows)
    assert first.correlations == (found,)
    assert (found.models, found.rho) == (3, pytest.approx(1))
    assert "| bfcl | smoke | 3 | +1.00 | -1.00 to +1.00 |" in report.render(first)
    with work.ledger() as ledger:
        ranked(ledger, "calls:a", ("m3", 0.4))
    assert report.write(work, wanted, {}, rows)[1] == first, "a later evaluation changes no report"


def test_all_arms_of_an_experiment_meet_the_same_held_out_conversations(finished):
    work, _, _ = finished
    planned = plan(options_of({"experiment": "refinement-ablation", "profile": "smoke", "kind": "agent"}))
    chosen = profiles.named("smoke")
    chosen = chosen.model_copy(
        update={"set": {**chosen.set, "test_share": 0.5}}
    )  # of few documents, a tenth may be none
    planned = planned.model_copy(update={"chosen": chosen})
    assert "calls" in planned.harnesses
    refined = next(arm for arm in planned.experiment.arms if arm.name == "refined")
    rows = {row["trajectory_id"]: row for row in read(work, build(work, planned.spec(refined)), "test")}
    found = held_out_conversations(work, planned, LeftOut())
    assert [each.name for each in found] == sorted(rows)
    written = [message.content for message in found[0].trajectory.messages]
    assert written == [message["content"] for message in json.loads(rows[found[0].name]["messages"])]
    assert (calls_options(planned).turns, calls_options(planned).max_context) == (12, 2048)
