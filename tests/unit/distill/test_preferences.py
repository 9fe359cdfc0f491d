"""A preference pair is two answers of the assistant to the same messages; everything else is no pair, with a reason."""

import json

import pytest

from gem_tasks.distill.preferences import Versions, _clean, dpo, reward
from tests.factories import call, make_segment, make_trajectory, result, say

MESSAGES = (
    say("system", "Loans are renewed at most twice."),
    say("user", "Please look at loan L-7."),
    call(1, "get_loan", loan_id="L-7"),
    result(1, '{"loan_id": "L-7", "renewals": 1}'),
    say("assistant", "Renewed once so far."),
)


def with_message(place, message):
    return make_trajectory(*MESSAGES[:place], message, *MESSAGES[place + 1 :])


BETTER = make_trajectory(*MESSAGES)


def versions(worse, reason=""):
    return Versions(segment_id="s1", kind="revised", reason=reason, better=BETTER, worse=worse)


def test_the_pair_is_the_first_answer_that_differs_after_what_both_share():
    row = dpo(versions(with_message(2, call(1, "get_loan", loan_id="L-8")), "The loan is L-7."))
    assert [each["role"] for each in row["prompt"]] == ["system", "user"]
    assert [each["tool_calls"][0]["function"]["arguments"] for each in (*row["chosen"], *row["rejected"])] == [
        {"loan_id": "L-7"}, {"loan_id": "L-8"}
    ]  # fmt: skip
    assert [tool["function"]["name"] for tool in json.loads(row["tools"])] == ["get_loan", "renew_loan"]
    assert (row["kind"], row["reason"], row["segment_id"]) == ("revised", "The loan is L-7.", "s1")


def test_for_a_reward_model_whole_conversations_differ_anywhere():
    row = reward(versions(with_message(1, say("user", "Look at L-7!"))))
    assert [len(row[name]) for name in ("chosen", "rejected")] == [5, 5]
    assert (row["chosen"][1]["content"], row["rejected"][1]["content"]) == ("Please look at loan L-7.", "Look at L-7!")
    assert reward(versions(BETTER)) == "equal"
    assert reward(versions(with_message(2, call(1, "close_loan", loan_id="L-7")))) == "another_tool"


@pytest.mark.parametrize(
    ("worse", "why"),
    [
        (BETTER, "equal"),
        (with_message(2, call(9, "get_loan", loan_id="L-7")), "equal"),  # only the id of the call is another
        (with_message(1, say("user", "Look at L-7!")), "another_context"),
        (with_message(3, result(1, "{}")), "another_context"),
        (with_message(4, say("user", "Well?")), "another_context"),
        (make_trajectory(*MESSAGES[:4]), "another_context"),
        (with_message(2, call(1, "close_loan", loan_id="L-7")), "another_tool"),
    ],
    ids=["itself", "ids", "user", "result", "role", "shorter", "tool"],
)
def test_what_differs_elsewhere_is_no_pair(worse, why):
    assert dpo(versions(worse)) == why


def test_personal_data_of_the_source_is_replaced_alike_in_both_versions_and_in_the_reason():
    text = "Write to anna.schmidt@uni-muenster.de about loan L-7."
    segment = make_segment(text)
    worse = with_message(4, say("assistant", "Write to anna.schmidt@uni-muenster.de!"))
    better = with_message(4, say("assistant", "Write to anna.schmidt@uni-muenster.de."))
    found = _clean(segment, "revised", 'judge: quoted "anna.schmidt@uni-muenster.de"', better, worse)
    assert "anna" not in found.model_dump_json()
    address = found.better.messages[4].content.removeprefix("Write to ").rstrip(".")
    assert address in found.reason
    assert found.worse.messages[4].content == f"Write to {address}!"
