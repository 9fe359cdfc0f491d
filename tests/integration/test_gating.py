"""Judge and checks side by side, and the gate that asks a reviewer."""

import re

from gem_tasks.lineage import RunContext
from gem_tasks.pipeline.ingest.source import ingest
from gem_tasks.pipeline.judging.agreement import Opinion, agreement
from gem_tasks.pipeline.judging.gating import answer, gate, last_decision, review
from gem_tasks.pipeline.shard.run import run_shard
from tests.corpus import EXAMPLES, PARTITION
from tests.planning import plan

STRICT = """
[filter]
accepted_share = { min = 0.99, action = "review", sample = 1 }
"""


def test_the_judge_is_held_against_the_checks(finished):
    work, *_ = finished
    known = agreement(work, sample=0, seed=0)
    assert (known.both_pass, known.calls, known.kappa) == (finished[2].trajectories, 0, None)
    with work.ledger() as ledger:  # as if the checks had refused some
        ledger.pg.execute(
            "UPDATE stage_results SET outcome = 'rejected', reason = 'check_grounding'"
            " WHERE recipe_id = %s AND segment_id IN"
            " (SELECT segment_id FROM stage_results WHERE recipe_id = %s ORDER BY segment_id LIMIT 3)",
            [work.chain.id_of("validate")] * 2,
        )
    found = agreement(work, sample=2, seed=1)
    assert found.checks_refuse == 3
    assert found.sample == {"check_grounding": Opinion(asked=2, refused=0)}
    assert found.calls == 2
    assert found.kappa == 0


def test_a_reviewer_sees_numbers_and_examples_and_is_asked_once(workspace, tmp_path):
    gates = tmp_path / "gates.toml"
    gates.write_text(STRICT, encoding="utf-8")
    work = workspace(gates=gates)
    ingest(work, str(EXAMPLES), PARTITION)
    for shard in plan(work, PARTITION):
        run_shard(work, "filter", PARTITION, shard["shard"], RunContext())
    assert gate(work, "filter", PARTITION, RunContext()).action == "review"
    body = review(work, "filter", PARTITION)
    assert "| accepted_share |" in body
    assert "**broken**" in body
    assert len(re.findall(r"^rejected: ", body, re.MULTILINE)) == 5
    passed = answer(work, "filter", PARTITION, RunContext(), go_on=True, person="ada", comment="a new source")
    assert (passed.action, passed.person) == ("continue", "ada")
    assert "ada let it pass: a new source" in passed.reason
    assert gate(work, "filter", PARTITION, RunContext()).action == "continue"
    answer(work, "filter", PARTITION, RunContext(), go_on=False, person="bob", comment="")
    assert last_decision(work, "filter", PARTITION).action == "halt"
    assert gate(work, "filter", PARTITION, RunContext()).action == "review"


def test_what_is_accepted_is_measured_for_the_gates(finished):
    work, *_ = finished
    with work.ledger() as ledger:
        for name in ("generate", "refine", "validate"):
            numbers = ledger.gates.all_metrics(PARTITION, work.chain.by_stage[name]).numbers
            assert numbers["mean_messages"] > 10
            assert 0 < numbers["top_tool_share"] <= 1
            assert 0 <= numbers["tool_entropy"] <= 1
