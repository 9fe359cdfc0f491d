"""What one turn is remembered by: what the model did there, and in which respects it is the reference's action."""

from collections.abc import Sequence
from typing import Literal, Self

from pydantic import Field

from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.chat import Completion, Usage
from gem_tasks.domain.evaluation import CaseScore
from gem_tasks.evals.calls.answers import Fault, read_action
from gem_tasks.evals.calls.kinds import CALLING, Kind, kind_of_words
from gem_tasks.evals.calls.matching import Called, same_exactly, same_functions, same_in_meaning
from gem_tasks.evals.calls.turns import Turn
from gem_tasks.evals.tries import Try
from gem_tasks.redaction import beginning

_SHOWN = 2000


class MadeCall(Value):
    """A call of the model."""

    name: str
    arguments: Json | None
    """None if they cannot be read."""


class Attempt(Try):
    """The model's action at one turn; `category` is the kind of the reference's."""

    called: bool = False
    """Whether it called, or tried to."""
    spoke: bool = False
    """Whether it spoke to the user instead; neither, if the answer is unusable."""
    kind: Kind | None = None
    """The kind of its action; None if the answer is unusable."""
    functions: bool = False
    """Whether it called the reference's functions, each as often."""
    exact: bool = False
    """Whether the arguments are the same as well."""
    equal: bool = False
    """Whether they are the same in what the schemas mean."""
    fault: Fault | Literal["too_long"] = ""
    """Why the answer is unusable; `too_long`: the model's window is too small for the turn."""
    ran_on: bool = False
    """Whether it also wrote others' turns."""
    calls: tuple[MadeCall, ...] = ()
    words: str = ""
    """Their beginning."""
    usage: Usage = Field(default_factory=Usage)
    seconds: float = 0.0
    not_sent: tuple[str, ...] = ()
    """Settings that the endpoint refused, so that its answer is without them."""

    @property
    def calling(self) -> bool:
        """Whether the reference calls."""
        return self.category in CALLING

    @property
    def right(self) -> bool:
        """Whether it did what the reference does: the same calls, or words."""
        return self.equal if self.calling else self.spoke

    @property
    def brief(self) -> Self:
        """Without words and arguments, which the journal has."""
        calls = tuple(MadeCall(name=call.name, arguments=None) for call in self.calls)
        return self.model_copy(update={"calls": calls, "words": ""})

    @property
    def score(self) -> CaseScore:
        """For the report."""
        return CaseScore(
            case_id=self.case_id, category=self.category, score=float(self.right), epoch=self.epoch, error=self.error
        )


def judged(turn: Turn, answer: Completion) -> Attempt:
    """Compares an answer with the reference."""
    action = read_action(answer)
    wanted = [Called(call.name, call.arguments) for call in turn.reference.tool_calls]
    made, tools = action.calls, turn.conversation.trajectory.tools
    called = bool(made) and all(call.arguments is not None for call in made)
    readable = bool(wanted) and (called or not made)
    return Attempt(
        case_id=turn.case_id,
        category=turn.kind,
        called=action.called,
        spoke=action.spoke,
        kind=_kind(made) if called else kind_of_words(action.words) if action.spoke else None,
        functions=bool(wanted) and same_functions(wanted, made),
        exact=readable and same_exactly(wanted, made),
        equal=readable and same_in_meaning(wanted, made, tools),
        fault=action.fault,
        ran_on=action.ran_on,
        calls=tuple(MadeCall(name=call.name, arguments=call.arguments) for call in made),
        words=beginning(action.words, _SHOWN),
        usage=answer.usage,
        seconds=answer.latency_s,
    )


def _kind(made: Sequence[Called]) -> Kind:
    return "parallel" if len(made) > 1 else "single"
