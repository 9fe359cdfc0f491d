"""Tasks that hold, and why others do not."""

import pytest

from gem_tasks.stages.task import WriteTasks
from gem_tasks.worlds.goals.proven import SHARE, proof_of, proven
from gem_tasks.worlds.scenario import Event, Fault, Trigger
from gem_tasks.worlds.session import opened
from gem_tasks.worlds.steps import Deed
from gem_tasks.worlds.task import Condition, Tasks
from tests.library_tasks import ANSWER, BUILT, record
from tests.unit.worlds.goals.shop import EVENTS, LOST, WORLD, T, call, task, variant


@pytest.fixture(scope="module")
def session():
    with opened(WORLD) as found:
        yield found


SENT = {
    **EVENTS,
    "sent": Event(code="state.orders['o-1'].status = 'sent';", trigger=Trigger(tool="cancel", when="before")),
}
PLAIN = variant(
    reference=(
        T, call("find", customer="Aster"), T, call("cancel", id="$1.items.0.id", reason="late"),
        call("refund", id="o-1", share=40), Deed(name="owner_calls"),
    ), events={"owner_calls": EVENTS["owner_calls"]},
)  # fmt: skip
TAKEN = variant(
    "sent", events=SENT,
    reference=(
        T, call("find", customer="Aster"), T, call("cancel", id="o-1", reason="late"), T,
        call("cancel", id="o-2", reason="late"), call("refund", id="o-2", share=40), Deed(name="owner_calls"),
    ),
)  # fmt: skip
LOSES = variant(
    "lost", faults=(LOST,), events={"owner_calls": EVENTS["owner_calls"]},
    reference=(
        T, call("get", id="o-1"), T, call("cancel", id="o-1", reason="late"), call("refund", id="o-1", share=40),
        call("get", id="o-1"), Deed(name="owner_calls"),
    ),
)  # fmt: skip
CONFIRMED = (Condition(kind="confirmed", tool="cancel"),)


def proof(session, *variants, **changes):
    return proof_of(session, WORLD, task(variants=variants, **changes))


def test_a_task_holds_if_wrong_runs_miss_its_goal_and_other_right_runs_reach_it(session):
    found = proof(session, PLAIN, TAKEN, LOSES, conditions=CONFIRMED)
    assert found.faults == ()
    assert found.missed >= SHARE * found.harmful
    assert found.harmful > 30
    assert found.alternatives >= 6
    assert found.equivalent > 0  # the world refuses a second cancellation


LATE, FIND = call("cancel", id="o-1", reason="late"), call("find")
CONFLICT = (Fault(tool="refund", kind="conflict"),)


def event(code, trigger):
    return {"bad": Event(code=code, trigger=Trigger.model_validate(trigger))}


WRONG = [
    (variant(reference=(T, FIND, call("cancel", id="o-3", reason="late"))),
     'call 2 of its reference, cancel({"id": "o-3", "reason": "late"}), is refused: NOT_OPEN: o-3 is sent.'),
    (variant(reference=(T, FIND, call("cancel", id="o-1"), LATE)),
     'call 2 of its reference, cancel({"id": "o-1"}), is refused: INVALID_ARGUMENTS'),
    (variant(reference=(T, call("cancel", id="$2.id", reason="late"))), "$2.id: there is no call 2 before it"),
    (variant(reference=(T, FIND, LATE), faults=CONFLICT), "the fault conflict of refund does not occur"),
    (variant(reference=(T, LATE)), "the event sent does not happen in its reference: its trigger fits no call or turn"),
    (variant(reference=(T, FIND)), "it ends as done, but its reference changes no outcome table"),
    (variant(reference=(T, FIND, LATE)).model_copy(update={"ending": "impossible"}),
     "it ends as impossible, but its reference changes orders"),
    (variant(reference=(T, FIND, LATE), events=event("state.orders['o-7'].n = 1;", {"turn": 1})),
     "the code fails of the event bad: threw"),
    (variant(reference=(T, FIND, LATE), events=event("}", {"turn": 1})), "variant plain: threw: SyntaxError"),
    (variant(reference=(T, FIND, LATE, call("refund", id="o-1", share=1), call("note", id="N0017", text="a"))),
     "is refused: NOT_FOUND"),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "reason"), WRONG)
def test_a_reference_has_to_be_right(session, wrong, reason):
    faults = proof(
        session, wrong, deeds={} if "owner_calls" not in wrong.scenario.events else {"owner_calls": "x"}
    ).faults
    assert any(reason in each for each in faults), faults


def test_a_reference_may_try_first_what_the_world_refuses(session):
    tries = variant(reference=(T, FIND, call("refund", id="o-1", share=1), LATE, call("refund", id="o-1", share=1)))
    assert proof(session, tries).faults == ()


def test_what_no_outcome_table_shows_is_named(session):
    unseen = variant(
        reference=(T, call("find"), call("cancel", id="o-1", reason="late"), call("note", id="o-1", text="a b"))
    )
    found = proof(session, unseen)
    assert "variant plain: without note" in " ".join(found.faults)
    assert "it differs in notes" in found.faults[0]
    assert 'under "traces"' in found.faults[-1]
    assert proof(session, unseen, tables=("orders", "notes")).faults == ()
    assert proof(session, unseen, traces=("notes",)).faults == ()


def test_a_table_that_the_task_does_not_concern_is_guarded(session):
    plain = task(variants=(PLAIN,))
    another = (call("find", customer="Birch"), call("note", id="$1.items.0.id", text="x"))
    before, after = proof_of(session, WORLD, plain), proof_of(session, WORLD, plain, another)
    assert (after.faults, after.harmful, after.missed) == ((), before.harmful + 1, before.missed + 1)
    assert proof_of(session, WORLD, plain, (call("note", id="$1.id", text="x"),)) == before


def test_a_field_for_times_may_be_volatile_and_no_other(session):
    assert (
        proof(session, PLAIN, volatile=("changed_at", "reason"))
        .faults[0]
        .startswith("variant plain: 'broken' as reason in cancel")
    )


def test_words_of_the_assistant_have_to_be_volatile(session):
    words = "They asked us to stop it."
    noted = variant(reference=(T, call("find"), call("note", id="o-1", text=words)))
    assert (
        proof(session, noted, tables=("notes",))
        .faults[0]
        .startswith(
            "variant plain: with other words as text of note the run misses the goal: table notes, new record, field te"
        )
    )
    assert proof(session, noted, tables=("notes",), volatile=("text",)).faults == ()
    assert proof(session, noted, tables=("notes",), knows=(f"The words: {words}",)).faults == ()


@pytest.mark.parametrize(
    ("knows", "notes"),
    [
        ((), ('share of refund({"id": "o-1", "share": 40}) follows from nothing',)),
        (("She gets 40 % back.",), ()),
        (("She gets 0.4 of it back.",), ()),
        (("She gets 400 back.", "It cost 1,000."), ()),
    ],
)
def test_a_written_value_that_follows_from_nothing_is_noted_and_refuses_no_task(session, knows, notes):
    found = proof(session, PLAIN, conditions=CONFIRMED[:0], knows=knows)
    assert (found.faults, found.notes) == ((), notes)


def test_words_of_results_schemas_and_the_assistant_follow_from_something(session):
    reference = (*PLAIN.reference[:-1], call("note", id="o-2", text="Juniper"), PLAIN.reference[-1])
    noted = variant(reference=reference, events=PLAIN.scenario.events)
    told = 'text of note({"id": "o-2", "text": "Juniper"}) follows from nothing'
    assert told in proof(session, noted, tables=("orders", "refunds", "notes")).notes
    composed = call("note", id="o-2", text="Juniper was told of it")
    words = variant(reference=(*PLAIN.reference[:-1], composed, PLAIN.reference[-1]), events=PLAIN.scenario.events)
    assert proof(session, words, knows=("40 %",), volatile=("changed_at", "text")).notes == ()


TASKS = Tasks.model_validate_json(WriteTasks().parse(ANSWER, record()).payload)
UNSEEN = TASKS.tasks[0].model_copy(update={"tables": ("readers",)})


def test_tasks_that_do_not_hold_are_left_out_and_named():
    kept = proven(Tasks(tasks=(UNSEEN, *TASKS.tasks)), BUILT)
    assert kept.refused == (
        "task 1, Renew a loan: variant plain: it ends as done, but its reference changes no outcome table",
    )
    assert [task.title for task in kept.tasks] == ["Renew a loan"]
    assert kept.measures["mutants"] == kept.tasks[0].trials["mutants"] > 5


def test_a_complaint_names_every_task_if_none_holds():
    told = proven(Tasks(tasks=(UNSEEN,)), BUILT)
    assert told.startswith(
        "No task holds when its runs are carried out:\n- task 1, Renew a loan: variant plain: it ends"
    )
