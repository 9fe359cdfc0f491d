"""Models that need no endpoint: an oracle that carries out the reference, and one that only apologises.

They test the benchmark, not models: the oracle must score 100 %, the apology 0 %. Both meet a scripted user, who says
and does in order what the reference has.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat

from gem_tasks.domain.chat import ChatRequest, Completion
from gem_tasks.worlds.steps import Call, Deed, Step, Turn
from gem_tasks.worlds.task import Task

POLICIES = ("oracle", "apology")
"""Names that `--model` takes without an endpoint."""
SCRIPTED = "scripted"
"""The name of the user whom they meet."""
_STOP = "<stop>"


class Script:
    """A `ChatClient` that gives prepared answers in order, regardless of the request; then empty ones."""

    def __init__(self, answers: Iterable[str]) -> None:
        self._answers = iter(answers)

    async def complete(self, request: ChatRequest) -> Completion:
        """The next answer."""
        del request
        return Completion(text=next(self._answers, ""), finish_reason="stop")


def oracle(reference: Sequence[Step]) -> Script:
    """Makes the reference's calls, each after the same message of the user.

    Args:
        reference: the variant's reference, with the ids of the try's seed.
    """
    return Script(_replayed(reference))


def apology() -> Script:
    """Apologises, and does nothing."""
    return Script(repeat("I am sorry, but I cannot help you with this."))


def user(task: Task, reference: Sequence[Step]) -> Script:
    """Says the wishes in order, does the reference's deeds, and stops after its last message."""
    return Script(said(task, reference))


def _replayed(reference: Sequence[Step]) -> Iterator[str]:
    heard = False
    for step in reference:
        if isinstance(step, Turn):
            if heard:
                yield "That is done. What is next?"
            heard = True
        elif isinstance(step, Call):
            body = json.dumps({"name": step.name, "arguments": step.arguments}, ensure_ascii=False)
            yield "<func>" + body.replace("<", "\\u003c") + "</func>"
    yield from repeat("That is done.")


def said(task: Task, reference: Sequence[Step]) -> Iterator[str]:
    """What that user answers, in the form of a simulated user: deeds and the end as tags."""
    deeds: list[str] = []
    for number, step in enumerate(step for step in reference if not isinstance(step, Call)):
        if isinstance(step, Deed):
            deeds.append(f"<deed>{step.name}</deed>")
        else:
            wish = task.wishes[min(number, len(task.wishes) - 1)].text
            yield f"{''.join(deeds)}{number + 1}. {wish}"
            deeds = []
    yield f"{''.join(deeds)}Thank you, that was all. {_STOP}" if deeds else _STOP
