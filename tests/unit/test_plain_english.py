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
    r"whatever": "regardless of, for every, everything that",
    r"however (many|much|large|long|old|late|often|far)": "regardless of, even if",
    r"(is|are|was|were) taken for none": "not recognised",
    r"(is|are|be) asked (for )?again": "GEM retries",
    r"asked for again": "requested again",
    r"(is|are|was|were) taken for": "counts as",
    r"as ever": "as usual",
    r"of late": "recent",
    r"some \d[\d,.]*": "about N",
    r"amongst|whilst|amid": "among, while, during",
    r"for instance": "for example, such as",
    r"hold(s|ing)? (a model|the code|them|it) to": "restrict, compare with",
    r"deal(s|t|ing)? with": "process, handle",
    r"(came|come|comes) of (it|them)": "name the result",
    r"nothing of (it|them|its own)": "none of",
    r"at hand": "available",
    r"knows? nothing of": "does not know",
    r"under way": "running, unfinished, in flight",
    r"below GEM_HOME": "in GEM_HOME",
    r"beside each other": "side by side",
    r"the (newest|oldest|latest) first": "newest first",
    r"begins? so": "has this prefix",
    r"where there (is|are)": "if",
    r"(lies|lie|lay) (below|beside|there)": "is in, is at",
    r"what (is|was|were) (given|drawn|recorded|remembered|asked|read|done|left) (?!to)": "name the thing",
    r"lets? go": "release",
    r"goes away": "is removed",
}
"""Regular expressions and what to write instead."""

FOLDERS = {
    "dags": (".py",),
    "plugins/gem_console": (".py", ".html"),
    "envs": (".py",),
    "docs": (".md",),
    "gem_tasks": (".py",),
}
"""Folders that follow the list, with the suffixes of the files to read. Prompts are exempt, as parts of recipes."""

ALLOWED = (
    'postgres", "nobody"',  # a user of the operating system
    "nobody speaks of it",  # a finding, which recorded results contain
    "Go on",  # the button of a gate, which open gates and clients know
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


@pytest.mark.parametrize("text", ["it goes on", "Whoever comes", "so many documents", "a pool of its own", "some 20"])
def test_a_phrase_is_found(text: str) -> None:
    assert _FORBIDDEN.search(text)
