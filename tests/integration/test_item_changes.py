"""People veto, edit and comment on single trajectories: what it does to datasets, and what survives a recomputation."""

import json

import pytest

from gem_tasks.dataset.export import published
from gem_tasks.dataset.publish import changed_partitions, publish, republish
from gem_tasks.distill import sets
from gem_tasks.distill.preferences import versions
from gem_tasks.domain.change import base_of, standing
from gem_tasks.domain.distill import SetSpec
from gem_tasks.edits.make import (
    By,
    ConflictError,
    FaultyEditError,
    NothingNewError,
    carry,
    comment,
    edit,
    undo,
    veto,
)
from gem_tasks.edits.subject import load
from gem_tasks.errors import UserError
from tests.corpus import PARTITION

ANNA, BORIS = By("Anna", "terminal"), By("Boris", "page")


def ids(work):
    return [row["metadata"]["trajectory_id"] for row in published(work)]


def with_words(messages, words):
    """The last message says something else."""
    return (*messages[:-1], messages[-1].model_copy(update={"content": words}))


def states(work):
    with work.ledger() as ledger:
        return {each.change_id: each.state for each in ledger.changes.listed()}


def manifest(work, version):
    return json.loads(work.store.get(f"datasets/{version}/manifest.json"))


def test_a_vetoed_trajectory_leaves_exports_at_once_and_datasets_with_the_next_version(finished):
    work, _, first = finished
    doomed, *others = ids(work)
    made = veto(work, doomed[:10], "the refund is invented", ANNA)
    assert ids(work) == others
    assert [each.segment_id for each in versions(work, PARTITION)].count(made.segment_id) == 0
    assert states(work) == {made.change_id: "waiting"}
    assert changed_partitions(work) == [PARTITION]
    again = republish(work, PARTITION)
    assert (again.trajectories, again.excluded) == (first.trajectories - 1, first.excluded + 1)
    assert manifest(work, again.version)["excluded"]["vetoed"] == 1
    assert "1 trajectories left out after a veto" in work.store.get(f"datasets/{again.version}/README.md").decode()
    assert states(work) == {made.change_id: "published"}
    assert changed_partitions(work) == []
    with pytest.raises(NothingNewError, match="Anna vetoed it already: the refund is invented"):
        veto(work, doomed, "twice", BORIS)
    undo(work, made.change_id, BORIS)
    assert publish(work, PARTITION).version == first.version
    assert ids(work) == [doomed, *others]
    with pytest.raises(NothingNewError, match="taken back already"):
        undo(work, made.change_id, ANNA)


def test_an_edit_is_published_marked_without_its_author_and_a_frozen_version_stays(finished):
    work, _, first = finished
    key = ids(work)[0]
    before = work.store.get(f"datasets/{first.version}/train-00000.parquet")
    subject = load(work, key)
    made = edit(work, key, with_words(subject.shown.messages, "All is done, thank you."), ANNA, why="tone").change
    again = republish(work, PARTITION)
    assert (again.edited, again.trajectories) == (1, first.trajectories)
    assert again.version != first.version
    assert work.store.get(f"datasets/{first.version}/train-00000.parquet") == before
    (row,) = (row for row in published(work) if row["metadata"]["trajectory_id"] == key)
    assert row["messages"][-1]["content"] == "All is done, thank you."
    assert row["metadata"]["edited"] is True
    stored = b"".join(work.store.get(each.key) for each in work.store.scan(f"datasets/{again.version}"))
    assert b"Anna" not in stored
    assert all("edited" not in row["metadata"] for row in published(work) if row["metadata"]["trajectory_id"] != key)
    assert "1 published as edited" in work.store.get(f"datasets/{again.version}/README.md").decode()
    (pair,) = (each for each in versions(work, PARTITION) if each.segment_id == made.segment_id)
    assert (pair.kind, pair.better.messages[-1].content) == ("edited", "All is done, thank you.")


def test_an_edit_with_an_error_needs_a_reason_which_is_recorded(finished):
    work = finished[0]
    key = ids(work)[0]
    messages = load(work, key).shown.messages
    at = next(number for number, message in enumerate(messages) if message.tool_calls)
    call = messages[at].tool_calls[0].model_copy(update={"name": "no_such_tool"})
    wrong = messages[at].model_copy(update={"tool_calls": (call, *messages[at].tool_calls[1:])})
    broken = (*messages[:at], wrong, *messages[at + 1 :])
    with pytest.raises(FaultyEditError, match="no_such_tool") as refused:
        edit(work, key, broken, ANNA)
    assert {each.check for each in refused.value.errors} == {"schema"}
    assert load(work, key).changes == ()
    opened = edit(work, key, with_words(messages, "See X-991-B."), ANNA)
    assert opened.checked.errors == ()
    undo(work, opened.change.change_id, ANNA)
    made = edit(work, key, broken, ANNA, keep="the tool is added later").change
    assert (made.kept, made.findings) == ("the tool is added later", ("schema: undefined",))


def test_the_second_of_two_editors_is_told_and_the_earlier_edit_holds_again_after_an_undo(finished):
    work = finished[0]
    key = ids(work)[0]
    opened = load(work, key)
    first = edit(work, key, with_words(opened.shown.messages, "First."), ANNA, revision=opened.revision).change
    with pytest.raises(ConflictError, match="Anna edited it after you opened trajectory"):
        edit(work, key, with_words(opened.shown.messages, "Second."), BORIS, revision=opened.revision)
    now = load(work, key)
    second = edit(work, key, with_words(now.shown.messages, "Second."), BORIS, revision=now.revision).change
    assert [change.position for change in load(work, key).changes] == [1, 2]
    assert load(work, key).shown.messages[-1].content == "Second."
    undo(work, second.change_id, ANNA)
    assert load(work, key).shown.messages[-1].content == "First."
    undo(work, first.change_id, ANNA)
    assert load(work, key).shown == opened.shown
    with pytest.raises(NothingNewError, match="as it was"):
        edit(work, key, opened.shown.messages, ANNA)


def test_changes_follow_the_content_and_another_conversation_leaves_them_orphaned(finished):
    """The recomputed conversation is put in place of the accepted one, as another model would have made it."""
    from gem_tasks.pipeline.shard.records import outcomes_of
    from gem_tasks.store import keys, shards

    work = finished[0]
    key = ids(work)[0]
    vetoed = veto(work, key, "wrong", ANNA)
    edited = edit(work, key, with_words(load(work, key).shown.messages, "Edited."), ANNA).change
    publish(work, PARTITION)
    assert set(states(work).values()) == {"published"}
    subject = load(work, key)
    shard, segment = subject.item.shard, subject.item.segment_id
    place = keys.stage_key("refine", work.chain.id_of("refine"), PARTITION, shard)
    same = work.store.get(place)
    found = outcomes_of(work, "refine", PARTITION, shard)
    other = subject.accepted.model_copy(update={"messages": with_words(subject.accepted.messages, "Made anew.")})
    found[segment] = found[segment].model_copy(update={"payload": other.model_dump_json()})
    work.store.put(place, shards.encode_outcomes(list(found.values())))
    publish(work, PARTITION)
    assert key in ids(work)
    assert states(work) == {vetoed.change_id: "orphaned", edited.change_id: "orphaned"}
    assert load(work, key).shown.messages[-1].content == "Made anew."
    carried = carry(work, edited.change_id, key, BORIS)
    assert (carried.kind, carried.base) == ("edit", base_of(other))
    assert load(work, key).shown.messages[-1].content == "Edited."
    work.store.put(place, same)
    publish(work, PARTITION)
    assert key not in ids(work)
    assert states(work)[vetoed.change_id] == "published"


def test_training_sets_have_the_edit_not_what_is_vetoed_and_another_name(finished):
    work = finished[0]
    spec = SetSpec(kind="agent", validation_share=0, test_share=0)
    before = sets.build(work, spec)
    doomed, edited, *_ = ids(work)
    veto(work, doomed, "wrong", ANNA)
    edit(work, edited, with_words(load(work, edited).shown.messages, "Edited for the set."), ANNA)
    after = sets.build(work, spec)
    assert after.set_id != before.set_id
    assert (after.counts["train"], after.left_out["vetoed"]) == (before.counts["train"] - 1, 1)
    rows = {row["trajectory_id"]: row["messages"] for row in sets.read(work, after, "train")}
    assert doomed not in rows
    assert "Edited for the set." in rows[edited]
    drafts = sets.build(work, spec.model_copy(update={"refined": False}))
    assert doomed not in {row["trajectory_id"] for row in sets.read(work, drafts, "train")}


def test_what_cannot_be_recorded_is_refused_with_its_reason(finished):
    work = finished[0]
    key = ids(work)[0]
    count = len(load(work, key).shown.messages)
    for refused, why in [
        (lambda: veto(work, key, "  \0 ", ANNA), "reason has 1 to 10,000"),
        (lambda: veto(work, key, "x" * 10_001, ANNA), "reason has 1 to 10,000"),
        (lambda: veto(work, key, "why", By("", "terminal")), "author's name has 1 to 100"),
        (lambda: veto(work, "nothing", "why", ANNA), "No published trajectory begins with 'nothing'"),
        (lambda: veto(work, "", "why", ANNA), "No published trajectory begins"),
        (lambda: comment(work, key, "hm", ANNA, count), f"Messages are numbered 0 to {count - 1}"),
        (lambda: undo(work, "", ANNA), "No change begins"),
    ]:
        with pytest.raises(UserError, match=why):
            refused()
    said = comment(work, key, "a\x1b]0;title\x07b \ud800 <b> \u202e", ANNA, 1)
    assert load(work, key).holds.comments == (said,)
    assert said.words == "ab  <b>"
    with pytest.raises(NothingNewError, match="there already"):
        comment(work, key, "a\x1b]0;title\x07b \ud800 <b> \u202e", ANNA, 1)


def test_changes_of_documents_that_are_gone_do_nothing_and_are_removed_in_time(finished):
    from gem_tasks.pipeline.upkeep.retention import collect

    work = finished[0]
    key = ids(work)[0]
    made = edit(work, key, with_words(load(work, key).shown.messages, "Quotes the text."), ANNA).change
    with work.ledger() as ledger:
        ledger.pg.execute(
            "UPDATE documents SET gone_at = now() - interval '40 days'"
            " WHERE document_id = (SELECT document_id FROM segments WHERE segment_id = %s)",
            [made.segment_id],
        )
    assert states(work) == {made.change_id: "withdrawn"}
    with pytest.raises(UserError, match="no longer exists"):
        comment(work, key, "hm", ANNA)
    kept = {swept.what: swept.objects for swept in collect(work, dry_run=True, days=50).classes}
    assert kept["changes"] == 0
    doomed = {swept.what: swept for swept in collect(work, dry_run=True, days=30).classes}["changes"]
    assert (doomed.objects, doomed.bytes > 100) == (1, True)
    assert states(work)
    collect(work, dry_run=False, days=30)
    assert states(work) == {}


def test_standing_is_decided_by_what_was_not_taken_back(finished):
    work = finished[0]
    key = ids(work)[0]
    said = comment(work, key, "first", ANNA)
    undo(work, said.change_id, BORIS)
    assert standing(load(work, key).changes).comments == ()
    assert [change.kind for change in load(work, key).changes] == ["comment", "undo"]
