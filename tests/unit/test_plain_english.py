"""Phrases that the project does not use: they are vague, or hide the actor. Each has a plain replacement.

The lists are data: a folder of `FOLDERS` is held to all phrases, in every file with one of the suffixes.
"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PHRASES = {
    r"mend(s|ed|ing)?": "fix",
    r"(go(es)?|went|going) on": "continue, resume",
    r"whoever|whomever": "name the actor",
    r"(some|any|no|every)body('s)?": "name the actor, or: a person, another program, none",
    r"so many": "up to N, this many",
    r"all the same": "still, anyway",
    r"of (its|their|his|her|our|your|one's|GEM's) own(?! (machine|deployment|API))": "its own X, a separate X",
    r"(is|are|be|was|were) meant( to)?": "state the intention directly",
    r"(is|are|be|was|were|stays?) away": "unavailable",
    r"as far as (it|they) can be": "state the limit",
    r"anew": "again",
    r"whatever (the|their|its|our)": "regardless of, for every",
    r"(is|are|was|were) taken for none": "not recognised",
    r"(is|are) asked again": "GEM retries",
}
"""Regular expressions and what to write instead."""

FOLDERS = {
    "dags": (".py",),
    "plugins/gem_console": (".py",),
    "envs": (".py",),
    "docs": (".md",),
    "gem_tasks/audit": (".py",),
    "gem_tasks/confine": (".py",),
    "gem_tasks/dataset": (".py",),
    "gem_tasks/distill": (".py",),
    "gem_tasks/evals": (".py",),
    "gem_tasks/gates": (".py",),
    "gem_tasks/lint": (".py",),
    "gem_tasks/live_apis": (".py",),
    "gem_tasks/local": (".py",),
    "gem_tasks/prefilter": (".py",),
    "gem_tasks/redaction": (".py",),
}
"""Folders that follow the list, with the suffixes of the files to read. A folder joins once it is reworded."""

ALLOWED = (
    'postgres", "nobody"',  # a user of the operating system
    "*Go on*",  # the button of a gate, which open gates and clients know
)
_FORBIDDEN = re.compile(rf"\b({'|'.join(PHRASES)})\b", re.IGNORECASE)


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_file_uses_a_forbidden_phrase(folder: str) -> None:
    files = [path for path in sorted((ROOT / folder).rglob("*")) if path.suffix in FOLDERS[folder]]
    assert files, f"{folder} has no such files"

    assert "\n".join(found for path in files for found in _found(path)) == ""


def _found(path: Path) -> list[str]:
    """`file:line: phrase (replacement)` for each forbidden phrase."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [
        f"{path.relative_to(ROOT)}:{number}: {match[0]} ({_instead(match[0])})"
        for number, line in enumerate(lines, start=1)
        if not any(part in line for part in ALLOWED)
        for match in _FORBIDDEN.finditer(line)
    ]


def _instead(found: str) -> str:
    return next(new for phrase, new in PHRASES.items() if re.fullmatch(phrase, found, re.IGNORECASE))


@pytest.mark.parametrize("text", ["it goes on", "Whoever comes", "so many documents", "a pool of its own"])
def test_a_phrase_is_found(text: str) -> None:
    assert _FORBIDDEN.search(text)
