"""A refused conversation goes back once with its findings, is validated again, and is published at most once."""

import json
import re

import pytest
from aiohttp import web

from gem_tasks.dataset.export import published
from gem_tasks.dataset.publish import publish, republish
from gem_tasks.distill.preferences import dpo, versions
from gem_tasks.domain.judgement import Judgement
from gem_tasks.lineage import RunContext
from gem_tasks.pipeline.ingest.source import ingest
from gem_tasks.pipeline.judging.gating import gate, nothing_left
from gem_tasks.pipeline.judging.revisions import revisions
from gem_tasks.pipeline.rebuild.stale import stale
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.prompts import Prompt, shipped
from tests.corpus import EXAMPLES, PARTITION
from tests.integration.endpoint import Front, answer
from tests.planning import synthesise

LOANS = str(EXAMPLES / "library-loans.txt")
OTHER = Prompt(name="revise", text=shipped()["revise"].text + "\nBe careful.\n")


def made(work, source=LOANS):
    ingest(work, source, PARTITION)
    return synthesise(work)


def outcomes(work):
    """Outcome and reason by stage, under the current recipes."""
    with work.ledger() as ledger:
        rows = ledger.pg.execute("SELECT recipe_id, stage, outcome, reason FROM stage_results").fetchall()
    current = work.recipe_ids()
    return {row["stage"]: (row["outcome"], row["reason"]) for row in rows if row["recipe_id"] in current}


def asked_to_revise(front):
    """User messages of the requests that list findings."""
    texts = (body["messages"][-1]["content"] for body in front.asked)
    return [text for text in texts if "# Findings\n" in text]


@pytest.fixture
def suffixed(workspace, teacher_url):
    """Makes a workspace whose teacher spoils every refined conversation in a way that its revision undoes."""
    return lambda **changes: workspace(llm_base_url=f"{teacher_url}?rate_suffixed=1&seed=1", **changes)


def test_what_was_refused_is_revised_accepted_and_published_once(suffixed):
    work = suffixed()
    assert made(work) > 0
    found = outcomes(work)
    assert found["validate"][0] == "rejected"
    assert found["validate"][1].startswith(("check_", "judge_"))
    assert found["revise"] == ("accepted", None)
    assert found["revalidate"] == ("accepted", None)
    assert not nothing_left(work, "validate", PARTITION)
    report = publish(work, PARTITION)
    (row,) = published(work)
    assert report.trajectories == 1
    assert row["metadata"]["revised"] is True
    assert row["metadata"]["recipe"] == work.chain.id_of("revalidate")
    assert "-ZQ9" not in json.dumps(row["messages"])
    with work.ledger() as ledger:
        assert ledger.datasets.current(PARTITION) == [report.version]
    assert synthesise(work) == 0, "what was revised is not paid for twice"
    assert publish(work, PARTITION) == report
    assert republish(work, PARTITION).version == report.version


def test_both_versions_the_findings_and_the_verdict_can_be_read(suffixed):
    work = suffixed()
    made(work)
    (pair,) = revisions(work, PARTITION)
    assert "-ZQ9" in pair.refused.model_dump_json()
    assert "-ZQ9" not in pair.revised.model_dump_json()
    assert len(pair.refused.messages) == len(pair.revised.messages)
    assert any("-ZQ9" in finding for finding in pair.findings)
    assert pair.verdict.kind == "accepted"
    assert Judgement.model_validate_json(pair.verdict.payload).faults == {}
    (preference,) = versions(work, PARTITION)
    row = dpo(preference)
    assert (preference.segment_id, row["kind"]) == (pair.segment_id, "revised")
    assert ["-ZQ9" in json.dumps(row[name]) for name in ("chosen", "rejected")] == [False, True]
    assert "-ZQ9" in row["reason"]


def test_without_refusals_nothing_is_revised(workspace):
    work = workspace()
    made(work)
    assert set(outcomes(work)) == {"filter", "extract", "generate", "refine", "validate"}
    assert nothing_left(work, "validate", PARTITION)
    assert not nothing_left(work, "filter", PARTITION)
    publish(work, PARTITION)
    (row,) = published(work)
    assert row["metadata"]["revised"] is False
    assert row["metadata"]["recipe"] == work.chain.id_of("validate")


def test_refused_again_stays_refused(suffixed):
    """A reviser that hands back what it was given, as some models do."""

    def as_it_was(text):
        tools, turns = (re.search(rf"# {name}\n(~+)\n(.*?)\n\1", text, re.S)[2] for name in ("Tools", "Trajectory"))
        turns = re.sub(r' number="\d+"', "", turns)
        return web.json_response(answer(f"<toolsets>{tools}</toolsets>\n{turns}"))

    def refuse(body):
        text = json.loads(body)["messages"][-1]["content"]
        return as_it_was(text) if "# Findings\n" in text else None

    work = suffixed()
    with Front(work.settings.llm_base_url.partition("?")[0], refuse) as front:
        work = work_at(work, front)
        made(work)
        found = outcomes(work)
        assert found["revalidate"] == found["validate"]
        assert publish(work, PARTITION).trajectories == 0
        assert len(asked_to_revise(front)) == 1
        assert synthesise(work) == 0, "there is no third chance"
        (pair,) = revisions(work, PARTITION)
        assert pair.verdict.kind == "rejected"


def work_at(work, front):
    """The workspace with its endpoint behind the front, the options in its URL kept."""
    options = work.settings.llm_base_url.partition("?")[2]
    return Workspace.open(work.settings.model_copy(update={"llm_base_url": f"{front.url}?{options}"}))


def test_every_fault_of_the_judge_reaches_the_request(workspace, teacher_url):
    faults = {"R2": ("I am done.", "nothing was done yet"), "R4": ("Sure.", "rule 3 forbids it")}

    def refuse(body):
        if "# Open findings\n" not in (text := json.loads(body)["messages"][-1]["content"]):
            return None
        numbers = re.findall(r"^(\d+)\. ", text.split("# Open findings\n")[1].split("# Text\n")[0], re.M)
        rules = [
            {"rule": rule, "pass": int(rule not in faults), "quote": quote, "reason": reason}
            for rule in ("R1", "R2", "R3", "R4", "R5")
            for quote, reason in (faults.get(rule, ("", "")),)
        ]
        open_ = [{"number": int(number), "fault": 0, "quote": "", "reason": ""} for number in numbers]
        return web.json_response(answer(json.dumps({"rules": rules, "findings": open_})))

    with Front(teacher_url, refuse) as front:
        work = workspace(llm_base_url=front.url)
        made(work)
        (request,) = asked_to_revise(front)
    listed = request.split("# Findings\n")[1].split("# Text\n")[0]
    assert re.search(r"^1\. judge, r2: nothing was done yet .*I am done", listed, re.M)
    assert re.search(r"^2\. judge, r4: rule 3 forbids it .*Sure", listed, re.M)
    assert '<user number="1">' in request
    assert outcomes(work)["validate"] == ("rejected", "judge_r2")


def test_switched_off_what_is_refused_stays_refused(suffixed):
    work = suffixed(revise="off")
    made(work)
    assert set(outcomes(work)) == {"filter", "extract", "generate", "refine", "validate"}
    assert nothing_left(work, "validate", PARTITION)
    assert publish(work, PARTITION).held_back is None, "the partition is complete"
    assert stale(work).stages == []
    switched_on = suffixed()
    assert {each.stage for each in stale(switched_on).stages} <= {"revise", "revalidate"}
    calls = synthesise(switched_on)
    assert 0 < calls <= 2
    assert publish(switched_on, PARTITION).trajectories == 1


def test_another_revise_prompt_recomputes_only_the_revision_and_keeps_ids_of_the_others(workspace, teacher_url):
    work = workspace(llm_base_url=f"{teacher_url}?rate_suffixed=0.5&seed=3")
    made(work, str(EXAMPLES))
    publish(work, PARTITION)
    before = {row["metadata"]["trajectory_id"]: row["metadata"]["revised"] for row in published(work)}
    assert set(before.values()) == {True, False}
    other = Workspace.open(work.settings, shipped().changed(OTHER))
    assert {each.stage for each in stale(other).stages} == {"revise", "revalidate"}
    calls = synthesise(other)
    revised = sum(before.values())
    assert revised <= calls <= 2 * len(list(revisions(other, PARTITION)))
    publish(other, PARTITION)
    after = {row["metadata"]["trajectory_id"]: row["metadata"]["revised"] for row in published(other)}
    kept = {key for key, was_revised in before.items() if not was_revised}
    assert kept == before.keys() & after.keys()
    assert sorted(before.values()) == sorted(after.values())


def test_its_gate_looks_at_what_was_revised_alone(suffixed, tmp_path):
    policy = tmp_path / "gates.toml"
    policy.write_text('[revalidate]\naccepted_share = { min = 1.1, action = "halt", sample = 1 }\n', encoding="utf-8")
    work = suffixed()
    made(work)
    strict = Workspace.open(work.settings.model_copy(update={"gates": policy}))
    assert gate(strict, "revalidate", PARTITION, RunContext()).action == "halt"
    assert gate(strict, "validate", PARTITION, RunContext()).action == "continue"
