"""Goals: what counts of a state and of the log of calls, and what does not."""

import pytest

from gem_tasks.worlds.goals.judged import judged
from gem_tasks.worlds.goals.resolved import UnresolvedError, resolved
from gem_tasks.worlds.session import opened
from gem_tasks.worlds.steps import Call, Deed
from gem_tasks.worlds.task import Condition
from tests.unit.worlds.goals.shop import BUILT, LOST, WORLD, T, call, task, variant, verdict

FIND, DEED = call("find", customer="Aster"), Deed(name="owner_calls")
CANCEL, REFUND = call("cancel", id="o-1", reason="late"), call("refund", id="o-1", share=40)


@pytest.fixture(scope="module")
def session():
    with opened(WORLD, variant().scenario, seed=3) as found:
        yield found


RIGHT = [
    [T, FIND, T, CANCEL, REFUND, DEED],
    [
        T,
        call("get", id="o-4"),
        call("get", id="o-9"),
        FIND,
        T,
        T,
        DEED,
        call("cancel", id="o-1", reason="late"),
        REFUND,
    ],
    [T, FIND, call("refund", id="o-1", share=40), T, call("note", id="o-4", text="x"), CANCEL, REFUND, DEED],
]


@pytest.mark.parametrize("steps", RIGHT)
def test_the_path_and_what_the_world_refused_do_not_count(session, steps):
    assert verdict(session, steps) == verdict(session, RIGHT[0])
    assert verdict(session, steps).reached


WRONG = [
    ([T, FIND, T, CANCEL, DEED], 'table refunds, record (new) is missing: {"id": "new refund'),
    ([T, FIND, CANCEL, REFUND, REFUND, DEED], "table refunds, record (new) should not be there"),
    ([T, FIND, CANCEL, call("refund", id="o-1", share=41), DEED],
     "table refunds, new record, field share: is 41, not 40"),
    ([T, FIND, call("cancel", id="o-1", reason="other"), REFUND, DEED],
     'table orders, record o-1, field reason: is "other", not "late"'),
    ([T, FIND, CANCEL, REFUND, call("cancel", id="o-4", reason="late"), DEED],
     'table orders, record o-4, field status: is "cancelled", not "open"'),
    ([T, FIND, CANCEL, REFUND], "the user did not do owner_calls"),
    ([T, CANCEL, REFUND, DEED], "the event sent did not happen"),
]  # fmt: skip


@pytest.mark.parametrize(("steps", "reason"), WRONG)
def test_what_differs_is_named(session, steps, reason):
    # without the deed only a reader knows: flags are no outcome, so the deed's record has to be one
    told = verdict(session, steps, task(tables=("orders", "refunds", "flags")))
    assert not told.reached
    assert any(each.startswith(reason) for each in told.reasons), told.reasons


def test_a_record_that_the_reference_did_not_touch_is_guarded(session):
    few = task(tables=("refunds",))
    told = verdict(session, [T, FIND, CANCEL, REFUND, call("cancel", id="o-4", reason="late")], few)
    assert [each[:30] for each in told.reasons if "o-4" in each] == ["table orders, record o-4: is {"]
    assert verdict(session, [T, FIND, call("cancel", id="o-1", reason="other"), REFUND], few).reached


def test_a_record_is_added_where_the_reference_adds_none(session):
    without = task(variants=(variant(reference=(T, FIND, CANCEL)),))
    told = verdict(session, [T, FIND, CANCEL, call("note", id="o-4", text="x")], without)
    assert [each.partition(":")[0] for each in told.reasons] == ["table notes, record (new)"]


NOTES = (T, call("note", id="o-1", text="a"), call("note", id="o-4", text="b"))


def test_new_records_have_neither_order_nor_numbers_nor_times_of_the_clock(session):
    reference = task(tables=("notes",), variants=(variant(reference=(*NOTES, FIND)),))
    assert verdict(session, [T, FIND, T, NOTES[2], NOTES[1]], reference).reached
    crossed = [T, FIND, call("note", id="o-1", text="b"), call("note", id="o-4", text="a")]
    told = verdict(session, crossed, reference).reasons
    assert {each.rpartition(":")[0] for each in told} <= {
        "table notes, new record, field order", "table notes, new record, field text",
    }  # fmt: skip


CONFIRMED = Condition(kind="confirmed", tool="cancel")
POSTED = Condition(kind="confirmed", tool="post")
POST = call("post", batch="monday")
LOG = [
    (CONFIRMED, [T, FIND, T, CANCEL, REFUND, DEED], ()),
    (CONFIRMED, [T, FIND, T, call("get", id="o-1"), CANCEL, REFUND, DEED], ()),
    (CONFIRMED, [T, FIND, CANCEL, REFUND, DEED], ("cancel of o-1 was called before the user had answered",)),
    (CONFIRMED, [T, T, FIND, CANCEL, REFUND, DEED], ("cancel of o-1 was called before the user had answered",)),
    (CONFIRMED, [T, call("find", customer="Birch"), T, FIND, CANCEL, REFUND, DEED], ("cancel of o-1 was called",)),
    (POSTED, [T, FIND, T, CANCEL, REFUND, POST, DEED], ()),
    (POSTED, [T, call("find", customer="Birch"), T, FIND, CANCEL, REFUND, POST, DEED],
     ("post of monday, o-1 was called before the user had answered",)),
    (Condition(kind="confirmed", tool="approve"), [T, FIND, T, CANCEL, REFUND, call("approve", id="R-01267"), DEED],
     ()),
    (Condition(kind="confirmed", tool="approve"), [T, FIND, CANCEL, REFUND, call("approve", id="R-01267"), DEED],
     ("approve of o-1 was called before the user had answered",)),
    (Condition(kind="after", tool="cancel", other="get"), [T, FIND, CANCEL, REFUND, call("get", id="o-1"), DEED],
     ("cancel was called before get had succeeded",)),
    (Condition(kind="after", tool="cancel", other="get"), [T, FIND, call("get", id="o-1"), CANCEL, REFUND, DEED], ()),
    (Condition(kind="never", tool="find", arguments={"customer": "Birch"}),
     [T, FIND, call("find", customer="Birch"), CANCEL, REFUND, DEED],
     ('find was called with {"customer": "Birch"}, and must not be',)),
    (Condition(kind="at_most", tool="find", count=2), [T, FIND, FIND, CANCEL, REFUND, DEED], ()),
    (Condition(kind="at_most", tool="find"), [T, FIND, FIND, CANCEL, REFUND, DEED],
     ("find was called 2 times, and at most 1 are right",)),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "steps", "reasons"), LOG)
def test_conditions_are_about_the_log_of_calls(session, condition, steps, reasons):
    told = verdict(session, steps, task(conditions=(condition,)))
    assert len(told.reasons) == len(reasons)
    assert all(each.startswith(reason) for each, reason in zip(told.reasons, reasons, strict=True)), told.reasons


def test_a_lost_answer_is_a_call_that_was_carried_out():
    lost = variant(faults=(LOST,), reference=(T, FIND, T, CANCEL, REFUND, DEED))
    found = task(variants=(lost,), conditions=(Condition(kind="at_most", tool="refund"),))
    blind = judged(BUILT, found, "plain", 5, [T, FIND, T, CANCEL, REFUND, REFUND, DEED])
    assert blind.reasons[0].startswith("table refunds, record (new) should not be there")
    assert blind.reasons[-1] == "refund was called 2 times, and at most 1 are right"


def test_a_reference_takes_values_from_its_own_results(session):
    steps = resolved(session, variant().reference)
    assert [step.arguments for step in steps if isinstance(step, Call)][1:] == [
        {"id": "o-1", "reason": "late"}, {"id": "o-1", "share": 40}, {"id": "o-1", "text": "refund $2.id"},
    ]  # fmt: skip
    with pytest.raises(UnresolvedError, match=r"\$1.items.7.id: the result of call 1 has no items.7.id"):
        resolved(session, (FIND, call("get", id="$1.items.7.id")))
    with pytest.raises(UnresolvedError, match="there is no call 1 before it"):
        resolved(session, (call("get", id="$1.id"),))
    assert resolved(session, (call("note", id="o-1", text="$3.50"),))[0].arguments["text"] == "$3.50"
