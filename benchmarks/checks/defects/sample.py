"""A trajectory to spoil, with what every kind of defect needs to choose its place."""

import re
from dataclasses import dataclass, replace
from functools import cached_property

from gem_tasks.checks.reading.case import Case, Evidence, objects
from gem_tasks.domain.trajectory import ToolCall, Trajectory

FIRST = "Aurelio Brigitta Cosmin Dragana Eluned Fiorella Gunnar Hyacinth Ignatius Jadwiga".split()
LAST = "Abernathy Bolzano Czerny Dvorakova Eskildsen Falkenrath Grimaldi Hofstetter Iwanow Jankowska".split()
ID = re.compile(r"(?:^|_)(?:id|number|code|ref|reference)$")


@dataclass(frozen=True)
class Sample:
    trajectory: Trajectory
    evidence: Evidence

    @property
    def messages(self):
        return list(self.trajectory.messages)

    @cached_property
    def case(self):
        return Case(self.trajectory, self.evidence)

    @cached_property
    def good(self):
        """Exchanges that succeeded."""
        return [item for item in self.case.exchanges if not item.failed and item.answer_index is not None]

    def having(self, messages, tools=None):
        made = Trajectory(tools=self.trajectory.tools if tools is None else tuple(tools), messages=tuple(messages))
        return replace(self, trajectory=made)

    def with_message(self, index, **update):
        messages = self.messages
        messages[index] = messages[index].model_copy(update=update)
        return self.having(messages)

    def with_call(self, exchange, *, name=None, arguments=None):
        def changed(call):
            if call is not exchange.call:
                return call
            given = call.arguments if arguments is None else arguments
            return ToolCall(id=call.id, name=name or call.name, arguments=given)

        calls = tuple(changed(call) for call in self.trajectory.messages[exchange.index].tool_calls)
        return self.with_message(exchange.index, tool_calls=calls)


def pick(rng, options):
    options = list(options)
    return rng.choice(options) if options else None


def at(sample, *roles, calls=None, first=1):
    return [
        index
        for index, message in enumerate(sample.trajectory.messages)
        if index >= first and message.role in roles and (calls is None or bool(message.tool_calls) == calls)
    ]


def good(sample):
    return sample.good


def argument(sample, rng, wanted):
    found = []
    for item in good(sample):
        properties = sample.case.tools[item.call.name].parameters.get("properties", {})
        found += [(item, key) for key, value in item.call.arguments.items() if wanted(value, properties.get(key, {}))]
    return rng.choice(found) if found else (None, None)


def other_digits(digits, rng):
    return "".join(str((int(sign) + rng.randint(1, 9)) % 10) for sign in digits)


def keys_of(value):
    return {
        str(part) for _, row in objects(value) for key, part in row.items()
        if ID.search(key) and isinstance(part, str | int)
    }  # fmt: skip
