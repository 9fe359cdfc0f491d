"""Which turns measure something."""

import json

import pytest

from gem_tasks.errors import UserError
from gem_tasks.evals.calls.asking import interleaved
from gem_tasks.evals.calls.conversations import LeftOut, in_files
from gem_tasks.evals.calls.turns import chosen, set_id, turns_of
from tests.unit.evals.calls.bakery import CAKE, RYE, TOOLS, called, read, said, tool, turns


def test_each_turn_of_the_assistant_is_a_case_of_its_kind():
    found, left_out = turns(RYE, CAKE)
    kinds = {turn.case_id: turn.kind for turn in found}
    assert kinds == {
        **{"rye/2": "parallel", "rye/5": "ask", "rye/7": "single", "rye/9": "report"},
        **{"cake/1": "single", "cake/3": "refuse"},
    }
    assert [message.role for message in found[1].context] == ["system", "user", "assistant", "tool", "tool"]
    assert left_out.plain() == {}


def conversation(*messages, tools=TOOLS, **more):
    return {"tools": tools, "messages": [said("user", "Bread!"), *messages], **more}


def test_turns_that_measure_nothing_have_a_reason():
    odd = [
        conversation(called(("a", "bake", {}))),
        conversation(called(("a", "find_bread", {"name": 7}))),
        conversation(said("assistant", " ")),
        conversation(said("assistant", "Yes."), said("assistant", "No.")),
        {"tools": TOOLS, "messages": [said("assistant", "Good morning.")]},
    ]
    found, left_out = turns(*odd)
    assert [(turn.conversation.origin, turn.at) for turn in found] == [("f:4", 1)]
    assert left_out.counts == {"unknown_tool": 1, "invalid_call": 1, "empty_turn": 1, "nothing_to_answer": 2}
    assert left_out.examples["unknown_tool"] == ["f:1, message 2: bake"]


def test_rows_that_are_no_conversation_with_tools_are_counted():
    broken = conversation({"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{"}}]})
    found, left_out = read({**RYE, "tools": []}, {"text": "x"}, broken, {**RYE, "messages": 7}, RYE, RYE)
    assert [each.name for each in found] == ["rye", "rye~2"]
    assert left_out.counts == {"no_tools": 1, "unknown_columns": 1, "unreadable_turn": 2}


def test_turns_are_the_same_wherever_their_file_is(tmp_path):
    rows = [{**row, "id": None} for row in (RYE, CAKE)]
    found = []
    for name in ("one.jsonl", "elsewhere/other.jsonl"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        found.append(list(turns_of(in_files([str(tmp_path / name)], LeftOut()), 100_000, LeftOut())))
    assert len({set_id(each) for each in found}) == 1
    assert len({tuple(turn.case_id for turn in chosen(each, 3)) for each in found}) == 1


def test_a_row_that_cannot_be_read_is_told_with_its_fault(tmp_path):
    (tmp_path / "odd.jsonl").write_text(f"oops\n{json.dumps(RYE)}\n")
    in_files([str(tmp_path / "odd.jsonl")], left_out := LeftOut())
    (example,) = left_out.examples["no_json"]
    assert "odd.jsonl:1: invalid JSON: Expecting value" in example


def test_turns_with_too_much_before_them_are_left_out():
    long = conversation(said("assistant", "What?"), said("user", "x" * 4000), said("assistant", "Oh."))
    found, left_out = turns(long, max_context=900)
    assert [turn.at for turn in found] == [1]
    assert left_out.counts == {"too_long": 1}


def test_tools_count_for_the_length():
    many = [tool(f"f{at}", x={"type": "string", "description": "y" * 400}) for at in range(10)]
    assert turns(conversation(said("assistant", "Hm."), tools=many), max_context=900)[1].counts == {"too_long": 1}


def test_a_sample_is_the_same_for_every_model_and_keeps_the_order():
    found, _ = turns(*({**RYE, "id": f"rye {at}"} for at in range(10)))
    sample = chosen(found, 7)
    assert len(sample) == 7
    assert sample == chosen(list(reversed(found)), 7)[::-1]
    assert sample == [turn for turn in found if turn in sample]
    assert len({turn.conversation.name for turn in sample}) > 3


def test_the_id_of_a_set_depends_on_what_is_asked():
    other = {**RYE, "messages": [said("system", "You sell cake."), *RYE["messages"][1:]]}
    ids = {set_id(turns(*rows)[0]) for rows in ((RYE,), (other,), (RYE, CAKE))}
    assert len(ids | {set_id(turns(RYE)[0])}) == 3


def test_conversations_take_turns_and_each_keeps_its_order():
    found, _ = turns(RYE, CAKE, {**CAKE, "id": "pie"})
    asked = [turn.case_id for turn in interleaved(found, 2)]
    assert asked == ["rye/2", "cake/1", "rye/5", "cake/3", "rye/7", "pie/1", "rye/9", "pie/3"]


def test_a_conversation_knows_its_document():
    rows = [{**RYE, "segment_id": "doc.0-90"}, {**CAKE, "metadata": '{"segment_id": "other.0-9"}'}, CAKE]
    assert [each.document for each in read(*rows)[0]] == ["doc", "other", None]


def test_a_row_that_no_request_can_hold_is_left_out_with_its_reason():
    odd = {**RYE, "messages": [said("user", "Rye."), called(("a", "find_bread", {"name": "\ud83c"}))]}
    found, left_out = read(odd, {**odd, "id": None}, CAKE)
    assert [each.name for each in found] == ["cake"]
    assert left_out.counts == {"bad_encoding": 2}


def test_many_conversations_are_on_disk_and_few_in_memory():
    found, _ = read(*({**RYE, "id": f"rye {at}"} for at in range(200)))
    assert len({id(each.kept) for each in found}) == 1
    assert [each.trajectory.messages[0].content for each in found] == ["You sell bread."] * 200
    first = found[0].trajectory
    assert found[0].trajectory is first, "a conversation whose turns are asked is not read for each"
    assert all(each.trajectory for each in found)
    assert found[0].trajectory is not first


def test_a_full_disk_is_told(monkeypatch):
    def full(self, body):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.SpooledTemporaryFile.write", full)
    with pytest.raises(UserError, match=r"cannot be kept in .*: No space left on device. Set TMPDIR"):
        read(RYE)
