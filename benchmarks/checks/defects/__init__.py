"""Defects that models make, injected into sound trajectories: one function a kind, named as it is reported.

Each takes a `Sample` and a random generator and returns the spoilt sample, or None where it has nothing to spoil. What
is put in is drawn at random, never from what the checks look for; `KINDS` says which check ought to notice.
"""

from defects.claims import false_refusal, misquoted_amount, misquoted_id
from defects.consistency import (
    altered_detail,
    altered_fact,
    altered_status,
    lost_write,
    not_json,
    other_thing_answered,
    unstable_answer,
    wrong_echo,
)
from defects.grounding import (
    id_of_another_kind,
    invented_contact,
    invented_date,
    invented_id,
    invented_name,
    invented_number,
    mistyped_id,
    premature_call,
)
from defects.policy import altered_rule, broken_order, invented_rule, loosened_limit, misquoted_rule, unasked_deed
from defects.schema import (
    broken_definition,
    broken_limit,
    changed_type,
    dropped_required,
    renamed_function,
    unknown_property,
)
from defects.structure import (
    call_after_final,
    call_as_text,
    claimed_deed,
    double_tool_message,
    drop_call_message,
    drop_system,
    drop_tool_message,
    drop_user_turn,
    empty_message,
    end_on_tool,
    leaked_tag,
    other_speaker,
    repeated_call_id,
    swap_roles,
    wrong_answer_id,
)

KINDS = {
    "structure": (swap_roles, drop_tool_message, drop_call_message, drop_user_turn, drop_system, end_on_tool,
                  call_after_final, double_tool_message, repeated_call_id, wrong_answer_id, empty_message, leaked_tag,
                  other_speaker, call_as_text, claimed_deed),
    "schema": (renamed_function, changed_type, dropped_required, unknown_property, broken_limit, broken_definition),
    "grounding": (invented_id, mistyped_id, id_of_another_kind, premature_call, invented_number, invented_date,
                  invented_name, invented_contact),
    "consistency": (altered_fact, altered_status, altered_detail, unstable_answer, other_thing_answered, not_json,
                    lost_write, wrong_echo),
    "policy": (broken_order, loosened_limit, unasked_deed, altered_rule, misquoted_rule),
    "fidelity": (invented_rule,),
    "claims": (misquoted_id, misquoted_amount, false_refusal),
}  # fmt: skip
OWNERS = {
    "structure": {"structure", "leak", "claims"},
    "leaked_tag": {"leak"},
    "other_speaker": {"leak"},
    "call_as_text": {"claims"},
    "claimed_deed": {"claims"},
    "schema": {"schema"},
    "grounding": {"grounding"},
    "consistency": {"realism"},
    "policy": {"policy", "confirmation"},
    "fidelity": {"fidelity", "policy"},
    "claims": {"claims"},
}
"""Checks that count as having noticed, by family; by kind where the family would be too generous."""
