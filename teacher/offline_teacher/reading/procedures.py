"""The procedures of a text: instructions that stand together under one heading, the most complete first."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from offline_teacher.reading.analyse import Analysis, Step

_FEWEST_STEPS = 3
_ENOUGH_STEPS = 7
"""A shorter procedure is told together with the next one."""
_MOST_PROCEDURES = 3
_ASIDE = re.compile(
    r"\b(?:related|see also|more information|next steps?|learn more|feedback|references?)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Procedure:
    """Instructions for one goal."""

    title: str
    steps: tuple[Step, ...]


def procedures(found: Analysis) -> list[Procedure]:
    """At most three; one with all instructions where no heading has enough of its own."""
    usable = [step for step in found.steps if not step.sentence.note and not _ASIDE.search(step.sentence.heading)]
    sections = [list(group) for _, group in groupby(usable, key=_section)]
    merged = _merge([_essential(section) for section in sections])
    ranked = sorted(merged, key=lambda procedure: (-_weight(procedure), usable.index(procedure.steps[0])))
    enough = [procedure for procedure in ranked if len(procedure.steps) >= _FEWEST_STEPS]
    if enough:
        return enough[:_MOST_PROCEDURES]
    every = usable or list(found.steps)
    return [Procedure(every[0].sentence.heading, tuple(every))] if every else []


def _section(step: Step) -> int | str:
    """Headings that are steps themselves, `Step 2: …`, belong together under the heading above them."""
    return step.sentence.heading or step.sentence.section


def _essential(section: Sequence[Step]) -> Sequence[Step]:
    """The numbered instructions where there are some, with the ones nested in them; else all."""
    ordered = [step for step in section if step.sentence.ordered]
    return ordered if len(ordered) >= _FEWEST_STEPS else section


def _merge(sections: Sequence[Sequence[Step]]) -> list[Procedure]:
    """Joins sections that are too short to stand alone with the one before."""
    merged: list[list[Step]] = []
    for section in sections:
        if merged and (len(section) < _FEWEST_STEPS or len(merged[-1]) < _ENOUGH_STEPS):
            merged[-1] += section
        else:
            merged.append(list(section))
    return [Procedure(_title(steps), tuple(steps)) for steps in merged if steps]


def _title(steps: Sequence[Step]) -> str:
    """The heading, where all stand under one."""
    return steps[0].sentence.heading if len({_section(step) for step in steps}) == 1 else ""


def _weight(procedure: Procedure) -> int:
    """Numbered steps count double, up to what fits into one workflow."""
    return min(24, sum(1 + step.sentence.ordered for step in procedure.steps))
