"""Texts that no person wrote, and places of a conversation where they may stand."""

import json
from collections.abc import Callable
from typing import Any

from gem_tasks.checks import run_checks
from gem_tasks.checks.reading.case import Evidence
from gem_tasks.dataset.privacy import scrub
from gem_tasks.domain.trajectory import Trajectory
from tests.factories import call, make_trajectory, result, say

PIECES = (
    "1", "12 ", "1,", "1.", "1-", "2026-01-01 ", "10:30 ", "/", "1/", "-", "a", "A", "Ab ", "a ", "A-1 ", "A1",
    "_1", " ", '\t', '\n', ". ", "a. ", "(", "[", "{", "<", '"', "“", "“a", "'", "`", "@", "a@b.", "a@b.de ", "+",
    "+49 ", "(1", "€1 ", "$", '\\', "é", "中", "😀", "I have ", "I've cancelled ", "not ", "if ", "twenty ",
    "5 million ", "Monday ", "the 1st of May ", "http://a", "a_b", "aA", "a1", "get_loan(", '"name": "get_loan',
    "AB-{} ", "{}.37 ", "created {} ", "It has been frobbed{}. ", "w{}x ", "a{}@b.de ", "C{}-1 ", "{}/3/2024 ",
)  # fmt: skip
"""Repeated to any length, those with `{}` with a number that is another each time."""


def repeated(piece: str, size: int) -> str:
    """About `size` characters."""
    if "{}" not in piece:
        return piece * (size // len(piece))
    return "".join(map(piece.format, range(size // (len(piece) + 2))))


def _in(place: str) -> Callable[[str], tuple[Trajectory, Evidence]]:
    def made(text: str) -> tuple[Trajectory, Evidence]:
        words = {name: "words" for name in ("system", "user", "assistant", "value", "result")} | {place: text}
        made = make_trajectory(
            say("system", words["system"]),
            say("user", words["user"]),
            call(1, "get_loan", loan_id=words["value"]),
            result(1, json.dumps({"status": words["result"], "loan_id": words["value"]})),
            say("assistant", words["assistant"]),
        )
        return made, Evidence(text) if place == "text" else Evidence("Words of the text.")

    return made


PLACES = {place: _in(place) for place in ("system", "user", "assistant", "value", "result", "text")}
"""Where a text may stand: `(trajectory, evidence)` with it."""


def checked(place: str) -> Callable[[str], Any]:
    """What is measured: all checks."""
    return lambda text: run_checks(*PLACES[place](text))


def scrubbed(place: str) -> Callable[[str], Any]:
    """What is measured: personal data taken out."""

    def run(text: str) -> Any:
        trajectory, evidence = PLACES[place](text)
        return scrub(trajectory, evidence.text or "", "en")

    return run
