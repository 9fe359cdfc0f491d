"""Every kind of fault that the checks know, and its effect on a trajectory.

An error rejects without a judge. A kind may be an error only if the conversation itself proves it: by construction (the
protocol or a schema is broken), or because its measured precision on conversations of real models is at least 0.95;
`severities.toml` has the measurements, and a test compares this table with them. In doubt a kind is open.
"""

from enum import Enum

from gem_tasks.domain.finding import Finding, Severity

E, O, W = Severity.ERROR, Severity.OPEN, Severity.WARNING  # noqa: E741  # one letter, for the table below
_LONGEST = 400
"""Maximum length of a stored detail or path, in characters."""


# fmt: off
class Fault(Enum):
    """Check, kind and severity."""

    ROLE_ORDER = "structure", "role_order", E
    UNANSWERED_CALL = "structure", "unanswered_call", E
    ENDING = "structure", "ending", E
    EMPTY = "structure", "empty", E
    CALLER = "structure", "caller", E
    STRAY_ANSWER_ID = "structure", "stray_answer_id", E
    STRAY_ANSWER = "structure", "stray_answer", E
    EMPTY_ID = "structure", "empty_id", E
    DOUBLED_ID = "structure", "doubled_id", E
    PARROT = "structure", "echo", E

    TOOL_DEFINITION = "schema", "tool_definition", E
    UNDEFINED = "schema", "undefined", E
    WRONG_TYPE = "schema", "wrong_type", E
    MISSING = "schema", "missing", E
    UNKNOWN_PROPERTY = "schema", "unknown_property", E
    SHAPE = "schema", "shape", E
    LIMIT = "schema", "limit", E
    FORMAT = "schema", "format", O
    """Draft 2020-12 treats `format` as an annotation: a time without its zone proves nothing."""
    REFUSED_LIMIT = "schema", "refused_limit", W
    """The call got an error for it, which is how conversations teach recovery."""

    TOKEN = "leak", "token", E
    ROLE_LABEL = "leak", "role_label", E
    PROMPT_TALK = "leak", "prompt_talk", O

    PROSE_CALL = "claims", "prose_call", E
    REPORTED_DEED = "claims", "reported_deed", O
    """A claimed deed that the assistant may also have read or heard of."""
    CLAIMED_LOOKUP = "claims", "claimed_lookup", O
    CLAIMED_DEED = "claims", "claimed_deed", E
    UNKNOWN_ID = "claims", "unknown_id", O
    UNSOURCED_AMOUNT = "claims", "amount", O
    FALSE_REFUSAL = "claims", "false_refusal", O

    INVENTED_ID = "grounding", "invented_id", E
    PREMATURE_ID = "grounding", "premature_id", E
    INVENTED_ADDRESS = "grounding", "invented_address", E
    ASSEMBLED_ID = "grounding", "assembled_id", O
    """All its parts were said: a rule may tell how to combine them."""
    PREMATURE = "grounding", "premature", O
    UNSOURCED_ADDRESS = "grounding", "address", O
    UNSOURCED_CODE = "grounding", "code", O
    UNSOURCED_DATE = "grounding", "date", O
    UNSOURCED_NUMBER = "grounding", "number", O
    UNSOURCED_TIME = "grounding", "time", O
    UNSOURCED_WORDS = "grounding", "words", O
    WRONG_SOURCE = "grounding", "wrong_source", O

    NOT_JSON = "realism", "not_json", E
    OTHER_THING = "realism", "other_thing", E
    OTHER_RESULT = "realism", "other_result", O
    MISCOUNTED = "realism", "miscounted", O
    ECHO = "realism", "echo", O
    CHANGED = "realism", "changed", O
    CHANGED_AT_ONCE = "realism", "changed_at_once", E
    WRITE_LOST = "realism", "write_lost", O

    ORDER = "policy", "order", O
    BEYOND_LIMIT = "policy", "limit", O
    LIMIT_ALTERED = "policy", "limit_altered", O
    LIMIT_DROPPED = "policy", "limit_dropped", W
    STATED_BOUND = "policy", "stated_bound", O
    MISQUOTED = "policy", "misquoted", O
    CONTRADICTS_TEXT = "policy", "contradicts_text", O

    UNCONFIRMED = "confirmation", "unconfirmed", O
    INSTRUCTED_ONLY = "confirmation", "instructed_only", O

    NUMBER = "fidelity", "number", O
    TOOL_NUMBER = "fidelity", "tool_number", W
    STEP = "fidelity", "step", W
    TOOL = "fidelity", "tool", W
    SCHEMA_LIMIT = "fidelity", "limit", O

    FUTURE_ID = "thoughts", "future_id", O
    """A private thought has an identifier, code or address that only a later result or turn brings."""
    FUTURE = "thoughts", "future", O
    """The same of an amount, date, name or state, which the assistant may also guess."""
    THOUGHT_OF_MAKING = "thoughts", "prompt_talk", O

    TOO_FEW = "complexity", "too_few", E
    TOO_MUCH = "complexity", "too_much", E
    # fmt: on

    def __init__(self, check: str, kind: str, severity: Severity) -> None:
        self.check = check
        self.kind = kind
        self.severity = severity

    @property
    def slug(self) -> str:
        """`check.kind`, the key in `severities.toml`."""
        return f"{self.check}.{self.kind}"


CONSTRUCTED = frozenset({"structure", "schema", "complexity"})
"""Checks whose errors need no measurement: they apply protocol, schemas and GEM's own minimum literally."""


SETTLED = frozenset((fault.check, fault.kind) for fault in Fault if fault.check == "realism" or fault is Fault.ORDER)
"""`(check, kind)` of faults that a world settles once a replay gives the same results.

- All of `realism` asks whether results could come from one real system: they came from one.
- `policy.order` asks whether a call that succeeded was allowed: the world refuses calls whose preconditions do not hold
  in its state, which also knows what was so before the conversation.

Others stay: the origin of arguments, because a guess that happens to be right is a guess; what the assistant claims;
and what the text says, because no run of a world shows where its rules come from.
"""


def refusing() -> frozenset[str]:
    """`check/kind` of the errors that rest on measurements, not on the protocol: people's ratings may overrule them."""
    errors = (fault for fault in Fault if fault.severity is Severity.ERROR and fault.check not in CONSTRUCTED)
    return frozenset(f"{fault.check}/{fault.kind}" for fault in errors)


def finding(fault: Fault, detail: str, index: int | None = None, path: str = "") -> Finding:
    """A fault at its place, with the severity of its kind."""
    return Finding(
        check=fault.check,
        severity=fault.severity,
        kind=fault.kind,
        detail=detail[:_LONGEST],
        message_index=index,
        json_path=path[:_LONGEST],
    )
