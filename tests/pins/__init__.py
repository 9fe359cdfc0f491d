"""Recipes must not lie: what stages, checks and segmenter make of fixed inputs is pinned to their versions.

A result's recipe names the versions of the code that made it. So code that makes something else of the same input needs
another version, or old and new results share a recipe. `pins.json` keeps a hash of every output, and
`tests/unit/test_pins.py` compares. After a change that is meant:

    raise the constant that the failing test names, then `python -m tests.pins`

which refuses to pin a changed output under the same version. New inputs can be added at any time.
"""

import json
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from gem_tasks.checks import CHECKS_VERSION
from gem_tasks.corpus.segment import SEGMENT_VERSION
from gem_tasks.prefilter.features import FEATURES_VERSION
from gem_tasks.stages import STAGES, SYNTHESIZER_STAGES, WORLD_STAGES
from tests.pins import checks, corpus, stages

FILE = Path(__file__).with_name("pins.json")
Outputs = Mapping[str, str]
"""A hash of what comes of each input, by the input's name."""


class Subject(NamedTuple):
    """Some code with a version."""

    version: int | None
    """None for what needs none, because its results are named by their content."""
    constant: str
    """What to raise."""
    outputs: Callable[[], dict[str, object]]


class Pin(NamedTuple):
    """What is pinned of a subject."""

    version: int | None
    outputs: Outputs


SUBJECTS: dict[str, Subject] = {
    "checks": Subject(CHECKS_VERSION, "CHECKS_VERSION in gem_tasks/checks/__init__.py", checks.outputs),
    "segment": Subject(SEGMENT_VERSION, "SEGMENT_VERSION in gem_tasks/corpus/segment.py", corpus.segments),
    "features": Subject(FEATURES_VERSION, "FEATURES_VERSION in gem_tasks/prefilter/features.py", corpus.hashed),
    "normalise": Subject(None, "nothing", corpus.documents),
} | {
    each.name: Subject(
        each.version, f"`version` in gem_tasks/stages/{each.name}.py", lambda each=each: stages.outputs(each)
    )
    for each in (*STAGES, *WORLD_STAGES, *SYNTHESIZER_STAGES)
    if each.name in stages.WHOLE
}


def now(name: str) -> Pin:
    """What a subject makes of the inputs today."""
    subject = SUBJECTS[name]
    return Pin(subject.version, {key: _hash(value) for key, value in subject.outputs().items()})


def pinned() -> dict[str, Pin]:
    """What is pinned."""
    found = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    return {name: Pin(each["version"], each["outputs"]) for name, each in found.items()}


def changed(before: Pin, after: Pin) -> list[str]:
    """Inputs of which something else is made."""
    return sorted(
        key for key in before.outputs.keys() & after.outputs.keys() if before.outputs[key] != after.outputs[key]
    )


def complaint(name: str, before: Pin, after: Pin) -> str:
    """What is wrong, and what to do; empty when the pin holds."""
    keys, version = changed(before, after), SUBJECTS[name].version
    such = ", ".join(keys[:5])
    if keys and version is not None and version == before.version:
        return (
            f"{name} makes something else of {len(keys)} inputs ({such}), and its version is still {version}:"
            f" raise {SUBJECTS[name].constant}, then run `python -m tests.pins`"
        )
    if keys or before.version != version or before.outputs.keys() != after.outputs.keys():
        return f"the pin of {name} is out of date ({such or 'version or inputs'}): run `python -m tests.pins`"
    return ""


def _hash(value: object) -> str:
    text = json.dumps(value, ensure_ascii=True, sort_keys=True)
    return sha256(text.encode()).hexdigest()[:16]
