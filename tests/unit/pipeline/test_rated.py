"""What people rated is weighed, and the kinds that disagree with them too often are opened."""

import pytest

from gem_tasks.checks.faults import refusing
from gem_tasks.domain.gate import MinimumAgreement
from gem_tasks.domain.outcome import Cost, Outcome
from gem_tasks.domain.people import Rated
from gem_tasks.lineage import RatedRow, Said
from gem_tasks.pipeline import people as module
from gem_tasks.pipeline.conversations import Conversation, Place
from gem_tasks.pipeline.people import _verdict, below, kinds_to_open, rated
from gem_tasks.settings import Settings
from tests.factories import call, make_record, make_trajectory, result, say


def outcome(**changes):
    return Outcome(**{"segment_id": "s", "kind": "rejected", "reason": "x", "cost": Cost(), **changes})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"reason": "judge_r1"}, (True, frozenset({"judge_r1"}))),
        ({"reason": "check_schema"}, (False, frozenset())),
        ({"kind": "accepted", "reason": None}, (False, frozenset())),
    ],
)
def test_what_the_judge_said_of_outcomes_without_a_stored_judgement(changes, said):
    assert _verdict(outcome(**changes)) == said


def test_without_a_database_or_an_agreement_in_the_policy_nothing_is_opened():
    assert kinds_to_open(Settings()) == ()


KIND, OTHER = sorted(refusing())[:2]


def opinions(kind, refused, kept):
    values = {"sample": "refused", "kinds": frozenset({kind}), "judged": False, "faults": frozenset()}
    return [Rated(weight=1.0, refused=each < refused, **values) for each in range(refused + kept)]


def test_a_kind_is_opened_that_enough_rated_conversations_show_to_be_wrong():
    least = MinimumAgreement(min_precision=0.75, sample=4)
    assert below(opinions(KIND, 2, 2), least) == (KIND,)
    assert below(opinions(KIND, 3, 1), least) == (), "as often as required"
    assert below(opinions(KIND, 0, 3), least) == (), "three are too few to tell"
    assert below([*opinions(OTHER, 0, 4), *opinions(KIND, 0, 4)], least) == (KIND, OTHER)
    assert below(opinions("no/such_kind", 0, 9), least) == ()


def rating(item, audit="a", *, keepers=0, raters=2, population=10, sample="refused", said=None, shard=0):
    return RatedRow(
        audit_id=audit, sample=sample, population=population, item_id=item, partition="p", shard=shard, recipe_id="r",
        segment_id=item, raters=raters, keepers=keepers, said=said,
    )  # fmt: skip


def said(item, *kinds):
    return Said(item_id=item, recipe_id="r", kinds=frozenset(kinds), judged=False, faults=frozenset())


class Audits:
    """Ratings, whose findings are cached as they are inserted."""

    def __init__(self, *rows):
        self.rows, self.inserted = list(rows), []
        self.audits = self

    def rated_conversations(self, good, version):
        known = {each.item_id: each for each in self.inserted}
        return [row.model_copy(update={"said": row.said or known.get(row.item_id)}) for row in self.rows]

    def insert_findings(self, version, found):
        self.inserted += found


def test_a_conversation_counts_once_by_all_its_ratings_and_weighs_its_share_of_the_population():
    ledger = Audits(
        rating("one", "a", keepers=0, said=said("one", KIND)),
        rating("one", "b", keepers=2, raters=3, population=20, said=said("one", KIND)),
        rating("two", "a", keepers=2, said=said("two")),
        rating("three", "c", sample="trajectories", population=7, keepers=1, said=said("three")),
    )
    one, two, three = rated(ledger, fetch=None)
    assert (one.refused, one.kinds) == (True, {KIND}), "two of five raters would keep it"
    assert (two.refused, three.refused) == (False, True), "half of the raters are no majority"
    assert one.weight == two.weight == pytest.approx((10 + 20 + 10) / 3 / 2)
    assert three.weight == 7


def test_findings_that_are_not_cached_are_computed_and_a_lost_object_is_tried_again_later(monkeypatch, caplog):
    broken = make_trajectory(say("user"), call(1, "no_such_tool"), result(1), say("assistant"))

    def conversations(ledger, fetch, wanted):
        for place in wanted:
            if place.shard == 1:
                raise KeyError("stages/extract/x")
            outcome = Outcome(segment_id=place.segment_id, kind="rejected", reason="judge_r2", cost=Cost())
            yield Conversation(Place(*place), make_record(refine=broken), broken, outcome)

    monkeypatch.setattr(module, "conversations", conversations)
    ledger = Audits(rating("here"), rating("lost", shard=1))
    (found,) = rated(ledger, fetch=None)
    assert (found.judged, found.faults) == (True, {"judge_r2"})
    assert any(kind.startswith("structure/") or "tool" in kind for kind in found.kinds)
    assert [each.item_id for each in ledger.inserted] == ["here"]
    assert "1 rated conversations are missing or unreadable" in caplog.text


def test_an_item_whose_conversation_is_gone_says_nothing(monkeypatch):
    monkeypatch.setattr(module, "conversations", lambda *_: iter(()))
    assert rated(Audits(rating("gone")), fetch=None) == []
