"""What the checks find in realistic conversations, whole and bent in every place."""

from collections.abc import Iterator

from gem_tasks.checks import run_checks
from gem_tasks.checks.reading.case import Evidence
from gem_tasks.domain.trajectory import Message, Trajectory
from tests.factories import make_trajectory
from tests.realistic import FILES, load

ODD = "ZX-4711"


def outputs() -> dict[str, object]:
    """Findings by conversation and bend."""
    found: dict[str, object] = {"plain": _findings(make_trajectory(), Evidence())}
    for path in FILES:
        trajectory, evidence = load(path)
        found[path.stem] = _findings(trajectory, evidence)
        found[f"{path.stem}: without a source"] = _findings(trajectory, Evidence())
        for name, messages in _bent(trajectory.messages):
            bent = trajectory.model_copy(update={"messages": tuple(messages)})
            found[f"{path.stem}: {name}"] = _findings(bent, evidence)
    return found


def _bent(messages: tuple[Message, ...]) -> Iterator[tuple[str, list[Message]]]:
    for at, message in enumerate(messages):
        yield f"without message {at}", [*messages[:at], *messages[at + 1 :]]
        if message.content:
            said = message.model_copy(update={"content": f"{message.content} {ODD} on Friday, for 73 euros."})
            yield f"more in message {at}", [*messages[:at], said, *messages[at + 1 :]]
        for number, call in enumerate(message.tool_calls):
            for key in call.arguments:
                odd = call.model_copy(update={"arguments": {**call.arguments, key: ODD}})
                calls = (*message.tool_calls[:number], odd, *message.tool_calls[number + 1 :])
                changed = message.model_copy(update={"tool_calls": calls})
                yield f"call {at}.{number} with another {key}", [*messages[:at], changed, *messages[at + 1 :]]


def _findings(trajectory: Trajectory, evidence: Evidence) -> list[object]:
    return [finding.model_dump(mode="json") for finding in run_checks(trajectory, evidence)]
