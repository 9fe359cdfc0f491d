"""People beside checks and judge, on a real Postgres and a real store: refused conversations are drawn and rated, and a
policy takes from a kind the right to refuse.
"""

import json
from collections import Counter

import pytest
from typer.testing import CliRunner

from gem_tasks import checks
from gem_tasks.audit.draw import draw
from gem_tasks.audit.rate import rate, so_far
from gem_tasks.audit.shown import markdown, one, shown
from gem_tasks.audit.transcript import transcript
from gem_tasks.checks.faults import Fault, finding
from gem_tasks.cli import audit as audit_commands
from gem_tasks.cli import judge as judge_command
from gem_tasks.cli.main import app
from gem_tasks.dataset.publish import publish
from gem_tasks.domain.audit import Rating, Sample
from gem_tasks.domain.stage import STAGE_NAMES
from gem_tasks.errors import UserError
from gem_tasks.lineage import RunContext
from gem_tasks.pipeline.ingest.source import ingest
from gem_tasks.pipeline.people import rated
from gem_tasks.pipeline.rebuild.stale import stale
from gem_tasks.pipeline.run_recipes import pin, pinned
from gem_tasks.pipeline.shard.records import output_of
from gem_tasks.pipeline.shard.run import run_shard
from tests.corpus import EXAMPLES, PARTITION
from tests.planning import plan

POLICY = "[agreement]\nmin_precision = 0.8\nsample = 3\n"
DEED = "claims/claimed_deed"


@pytest.fixture
def harsh(monkeypatch):
    """A check that is wrong: it takes every text with an odd number of characters for a false claim."""

    def check(case):
        if len(case.evidence.text) % 2:
            yield finding(Fault.CLAIMED_DEED, "a secret reason", 1)

    monkeypatch.setitem(checks.CHECKS, "claims", check)


def synthesise(work):
    for name in STAGE_NAMES:
        for shard in plan(work, PARTITION):
            run_shard(work, name, PARTITION, shard["shard"], RunContext(run_id="r"))


@pytest.fixture
def refusing(workspace, harsh):
    """A published partition of which the harsh check refused a part."""
    work = workspace(revise="off")
    ingest(work, str(EXAMPLES), PARTITION)
    synthesise(work)
    return work, publish(work, PARTITION)


def items_of(work, audit):
    with work.ledger() as ledger:
        return ledger.audits.items(audit.audit_id)


def score(work, audit, scores):
    """Rates the items in order with these scores, the last one for the rest."""
    items = items_of(work, audit)
    scores = [*scores, *[scores[-1]] * len(items)]
    rate(work, audit, [
        Rating(item_id=item.item_id, rater="anna", coherence=5, tools=value, faithfulness=5)
        for item, value in zip(items, scores, strict=False)
    ])  # fmt: skip
    return items


def reasons(work, stage="validate"):
    with work.ledger() as ledger:
        found = ledger.pg.execute(
            "SELECT segment_id, reason FROM stage_results WHERE recipe_id = %s AND outcome = 'rejected'",
            [work.chain.id_of(stage)],
        ).fetchall()
    return {row["segment_id"]: row["reason"] for row in found}


def test_what_was_refused_is_drawn_by_its_share_and_shown_without_the_reason(refusing):
    work, _ = refusing
    refused = reasons(work)
    audit = draw(work, Sample(what="refused", size=1000))
    items = items_of(work, audit)
    assert {item.item_id for item in items} == set(refused)
    assert (audit.population, audit.versions) == (len(refused), ())
    assert audit == draw(work, Sample(what="refused", size=1000)), "the same again"
    assert "check_claims" in refused.values()
    for found in shown(work, items):
        assert [heading for heading, _ in found.sections] == ["Text", "Tools", "Conversation"]
        seen = markdown(found, 10**6) + json.dumps(found.item.model_dump())
        assert not any(word in seen for word in ("check_", "judge_", "secret reason", "claims"))
    with pytest.raises(UserError, match="no refused conversations to draw from"):
        draw(work, Sample(what="refused", first="2027"))


def test_each_reason_has_its_share(refusing):
    work, _ = refusing
    with work.ledger() as ledger:
        ledger.pg.execute(
            "UPDATE stage_results SET outcome = 'rejected', reason = 'judge_r1' WHERE recipe_id = %s"
            " AND outcome = 'accepted'",
            [work.chain.id_of("validate")],
        )
    refused = reasons(work)
    share = Counter(refused.values())["judge_r1"] / len(refused)
    for seed in range(20):
        drawn = items_of(work, draw(work, Sample(what="refused", size=4, seed=seed)))
        judged = sum(refused[item.item_id] == "judge_r1" for item in drawn)
        assert abs(judged - 4 * share) < 1 + 1e-9, seed


def test_a_conversation_with_a_second_chance_is_refused_after_it_and_shown_as_revised(workspace, harsh):
    work = workspace()
    ingest(work, str(EXAMPLES), PARTITION)
    for name in STAGE_NAMES[:5]:
        for shard in plan(work, PARTITION):
            run_shard(work, name, PARTITION, shard["shard"], RunContext(run_id="r"))
    assert len(reasons(work)) > 3
    with pytest.raises(UserError, match="no refused conversations"):
        draw(work, Sample(what="refused"))  # none has had its second chance
    synthesise(work)
    items = items_of(work, draw(work, Sample(what="refused", size=1000)))
    twice = reasons(work, "revalidate")
    assert twice
    assert {item.item_id for item in items if item.stage == "revalidate"} == set(twice)
    assert {item.item_id for item in items if item.stage == "validate"} <= set(reasons(work)) - set(twice)
    (item,) = [item for item in items if item.stage == "revalidate"][:1]
    revised = output_of(work, "revise", item.partition, item.shard)[item.item_id]
    assert dict(one(work, item).sections)["Conversation"] == transcript(
        [message.to_openai() for message in revised.messages]
    )
    score(work, draw(work, Sample(what="refused", size=1000)), [5])
    with work.ledger() as ledger:
        found = rated(ledger, work.store.get)
    assert len(found) == len(items)
    assert all(DEED in each.kinds and not each.refused for each in found)


def test_refused_ones_decide_nothing_about_versions(refusing):
    work, _ = refusing
    audit = draw(work, Sample(what="refused"))
    score(work, audit, [1])
    assert (so_far(work, audit).passed, so_far(work, audit).rated) == (None, audit.items)
    assert "gem judge" in so_far(work, audit).reason


def test_a_judges_refusal_is_shown_and_counted_with_its_rule(refusing):
    work, _ = refusing
    with work.ledger() as ledger:  # as if the judge had refused one that it was asked about
        row = ledger.pg.execute(
            "UPDATE stage_results SET outcome = 'rejected', reason = 'judge_r1' WHERE (segment_id, recipe_id) IN"
            " (SELECT segment_id, recipe_id FROM stage_results WHERE recipe_id = %s AND outcome = 'accepted' LIMIT 1)"
            " RETURNING segment_id",
            [work.chain.id_of("validate")],
        ).fetchone()
    audit = draw(work, Sample(what="refused", size=1000))
    item = next(item for item in items_of(work, audit) if item.item_id == row["segment_id"])
    assert dict(one(work, item).sections)["Conversation"]


def test_people_are_held_against_today_s_checks_whichever_sample_they_rated(refusing):
    work, published = refusing
    refused = draw(work, Sample(what="refused", size=1000))
    score(work, refused, [2, 5])
    shown_ = draw(work, Sample(size=1000))
    score(work, shown_, [5])
    with work.ledger() as ledger:
        found = rated(ledger, work.store.get)
        again = rated(ledger, {}.__getitem__)
    assert found == again, "no object is read a second time"
    by_sample = Counter(each.sample for each in found)
    assert by_sample == {"refused": refused.items, "trajectories": published.trajectories}
    assert sum(each.refused for each in found) == 1
    assert all((DEED in each.kinds) == (each.sample == "refused") for each in found)
    assert all(each.judged == (each.sample == "trajectories") and not each.faults for each in found)
    assert sum(each.weight for each in found) == pytest.approx(refused.population + published.trajectories)


def test_what_two_audits_drew_counts_once_with_all_its_ratings(refusing):
    work, _ = refusing
    first, second = (draw(work, Sample(what="refused", size=1000, seed=seed)) for seed in (1, 2))
    assert first.audit_id != second.audit_id
    score(work, first, [2])
    score(work, second, [5])
    with work.ledger() as ledger:
        found = rated(ledger, work.store.get)
    assert len(found) == first.items
    assert all(each.refused for each in found), "half of the raters are no majority"


def test_a_conversation_that_is_gone_is_left_out_until_it_is_back(refusing):
    work, _ = refusing
    score(work, draw(work, Sample(what="refused", size=1000)), [5])
    other = [f"/{name}/{work.chain.id_of(name)}/" for name in ("refine", "extract")]
    with work.ledger() as ledger:
        assert rated(ledger, {}.__getitem__) == []
        assert rated(ledger, lambda key: work.store.get(key.replace(*other))) == [], "unreadable"
        assert len(rated(ledger, work.store.get)) > 3


def test_gem_judge_says_how_far_people_agree_and_what_to_do(refusing, monkeypatch):
    work, _ = refusing
    for module in (judge_command, audit_commands):
        monkeypatch.setattr(module, "load", lambda: work.settings)
    monkeypatch.setenv("COLUMNS", "200")

    def gem(*arguments):
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, result.output
        return result.stdout

    assert "No conversation is rated yet" in gem("judge", "--sample", "0")
    drawn = json.loads(gem("audit", "draw", "--what", "refused", "--size", "1000", "--json"))
    rows = [json.loads(line) for line in gem("audit", "items", drawn["audit_id"]).splitlines()]
    assert "secret reason" not in json.dumps(rows)
    score(work, draw(work, Sample(what="refused", size=1000)), [5])
    number = drawn["items"]
    told = gem("judge", "--sample", "0")
    assert f"0 of {number}" in told
    assert "Draw the missing ones: gem audit draw" in told
    found = json.loads(gem("judge", "--sample", "0", "--json"))
    (deed,) = [each for each in found["people"]["kinds"] if each["kind"] == DEED]
    assert (deed["severity"], deed["precision"]["hits"], deed["precision"]["items"]) == ("error", 0, number)
    assert found["people"]["refused"] == number
    assert found["opened"] == []
    assert f"{DEED} agrees with people in 0 of {number}" in found["advice"][0]
    assert "open it instead" in told


def test_a_kind_that_people_refute_no_longer_refuses_and_results_stay_apart(refusing, workspace, tmp_path):
    work, before = refusing
    gates = tmp_path / "gates.toml"
    gates.write_text(POLICY)

    def now(**changes):
        return workspace(revise="off", gates=gates, **changes)

    assert now().chain.recipes == work.chain.recipes, "nobody has rated yet"
    number = len(score(work, draw(work, Sample(what="refused", size=1000)), [5]))
    assert number >= 3
    assert workspace(revise="off").chain.recipes == work.chain.recipes, "the policy does not ask for people"
    later = now()
    assert later.chain.opened == {DEED}
    assert later.chain.id_of("refine") == work.chain.id_of("refine")
    assert later.chain.id_of("validate") != work.chain.id_of("validate")
    (waiting, *_) = stale(later).stages
    assert waiting.stage == "validate"
    assert waiting.why == {"ratings": number + before.trajectories}

    synthesise(later)
    assert "check_claims" not in reasons(later).values()
    assert publish(later, PARTITION).trajectories > before.trajectories
    assert "check_claims" in reasons(work).values(), "what was, stays"
    assert now().chain.recipes == later.chain.recipes, "the same ratings, the same recipes"

    gates.write_text(POLICY.replace("sample = 3", "sample = 500"))
    assert now().chain.recipes == work.chain.recipes, "too few rated"


def test_a_run_keeps_the_kinds_that_it_began_with(refusing, workspace, tmp_path):
    work, _ = refusing
    gates = tmp_path / "gates.toml"
    gates.write_text(POLICY)
    pin(workspace(revise="off", gates=gates), "gem_synthesize/r1")
    score(work, draw(work, Sample(what="refused", size=1000)), [5])
    later = workspace(revise="off", gates=gates)
    assert later.chain.opened == {DEED}
    kept = pinned(later, "gem_synthesize/r1")
    assert kept.chain.opened == frozenset()
    assert kept.chain.id_of("validate") == work.chain.id_of("validate")
    pin(later, "gem_synthesize/r2")
    assert pinned(workspace(revise="off"), "gem_synthesize/r2").chain.opened == {DEED}
