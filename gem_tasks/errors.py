"""The error model: what went wrong, who has to act, and how to fix it.

GemError
├── UserError                   the person who typed the command can fix it: one line, exit code 2, no traceback
│   ├── EmptySourceError        a source has no file that GEM reads (corpus.sources.listing)
│   ├── BudgetSpentError        the next call could cost more than is left (pipeline.shard.budget)
│   ├── ConflictError           someone else changed the conversation since it was opened (edits.make)
│   ├── NothingNewError         the change is there already (edits.make)
│   ├── FaultyEditError         the checks find errors in an edit (edits.make)
│   ├── UnavailableError        a service does not answer, and may come back by itself: tasks are retried
│   └── UntrueUsageError        an endpoint's token counts cannot be true, so they enforce no budget (llm.usage.metered)
├── EndpointError               the LLM endpoint answered with a fault, or not at all (carries an ErrorClass)
├── StoreError                  an object could not be read or written
├── HaltedError                 a gate ended the run (in_process)
├── HarnessError                a harness exited with an error (evals.child)
├── TamperedError               a confined program left a link out of its folder (confine.results)
└── ReconcileError              counts do not add up: a bug, never swallowed

A bad document or a bad completion is *data*, not an exception: it becomes an `Outcome` with a reason or an
`ErrorClass`, stored as a row in Postgres. Exceptions are for faults that stop a whole task.
"""

from enum import StrEnum
from typing import NamedTuple

from gem_tasks.redaction import message


class ErrorClass(StrEnum):
    """Why a (segment, recipe) failed. The value is what Postgres, logs and pages show."""

    MALFORMED = "malformed"
    TRUNCATED = "truncated"
    REFUSED = "refused"
    EMPTY = "empty"
    BAD_REQUEST = "bad_request"
    CONTEXT_LENGTH = "context_length"
    FORBIDDEN = "forbidden"
    AUTH = "auth"
    NO_CREDIT = "no_credit"
    UNKNOWN_MODEL = "unknown_model"
    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    TIMEOUT = "timeout"
    CONNECTION = "connection"


# Worth retrying later with the very same request: the segment did not cause them.
RETRYABLE = frozenset({ErrorClass.RATE_LIMITED, ErrorClass.SERVER_ERROR, ErrorClass.TIMEOUT, ErrorClass.CONNECTION})
# Every further call would end the same way: stop the task and report to the user.
CONFIGURATION = frozenset({ErrorClass.AUTH, ErrorClass.NO_CREDIT, ErrorClass.UNKNOWN_MODEL})
# The segment's fault if the endpoint answers others, and the configuration's if it answers none.
DOUBTFUL = frozenset({ErrorClass.BAD_REQUEST, ErrorClass.FORBIDDEN})
# A completion arrived, but GEM could not use it.
UNUSABLE = frozenset({ErrorClass.MALFORMED, ErrorClass.TRUNCATED, ErrorClass.REFUSED, ErrorClass.EMPTY})


class GemError(Exception):
    """Base of all of GEM's exceptions. It removes all known secrets from its text, regardless of their origin."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*(message(each) if isinstance(each, str) else each for each in arguments))


class UserError(GemError):
    """Something the user can fix. `str()` is one line: the cause, then the fix."""

    def __init__(self, cause: str, fix: str) -> None:
        super().__init__(f"{cause.rstrip('.')}. {fix}")
        self.cause = message(cause)
        self.fix = message(fix)


class UnavailableError(UserError):
    """A service does not answer. It may come back by itself, so a task that meets this is retried."""


class Complaint(NamedTuple):
    """An endpoint's description of a fault; empty if it gives none."""

    message: str = ""
    code: str = ""
    type: str = ""
    param: str = ""
    """The field of the request that it names."""
    text: str = ""
    """The whole body."""


class EndpointError(GemError):
    """A call to the LLM endpoint without a completion.

    Attributes:
        error_class: the canonical class, see `ErrorClass`.
        retry_after_s: seconds that the endpoint asked to wait, if it did.
        faults: requests made before giving up, by class, this one included.
        overloaded: whether the endpoint asked for fewer requests at a time.
        complaint: the endpoint's own description, if any.
        parameter: a field of every request that the endpoint refuses: the configuration's fault, not the segment's.
    """

    def __init__(self, error_class: ErrorClass, detail: str, retry_after_s: float | None = None) -> None:
        super().__init__(f"{error_class}: {detail}")
        self.error_class = error_class
        self.detail = message(detail)
        self.retry_after_s = retry_after_s
        self.faults = {error_class: 1}
        self.overloaded = False
        self.complaint = Complaint()
        self.parameter = ""

    @property
    def calls(self) -> int:
        """HTTP requests made before giving up."""
        return sum(self.faults.values())


class StoreError(GemError):
    """An object store operation failed, for a reason other than a missing object."""


class ReconcileError(GemError):
    """Inputs and outcomes of a shard do not add up."""


def first_line(error: BaseException) -> str:
    """The error's message on one line of up to 300 characters; the name of its type if it has no message."""
    said = message(str(error))
    return next((line.strip() for line in said.splitlines() if line.strip()), type(error).__name__)[:300]
