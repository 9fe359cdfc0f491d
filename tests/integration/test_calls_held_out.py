"""Next actions in the user's own conversations: found in the store, held out, recorded; none that was trained on."""

import json

import pytest
from typer.testing import CliRunner

from gem_tasks.cli.main import app
from gem_tasks.distill import profiles
from gem_tasks.distill.experiment import options_of, plan
from gem_tasks.distill.next_actions import held_out_conversations
from gem_tasks.distill.next_actions import options_of as calls_options
from gem_tasks.distill.sets import build, read
from gem_tasks.domain.distill import Model, SetSpec
from gem_tasks.evals.calls.conversations import LeftOut
from gem_tasks.evals.registry import find_model
from tests.corpus import PARTITION

SPEC = SetSpec(kind="agent", test_share=0.3)


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


def test_a_set_is_measured_on_its_test_split_and_the_score_is_recorded(finished, gem):
    work, _, _ = finished
    found = build(work, SPEC)
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
    found = build(work, SPEC)
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
