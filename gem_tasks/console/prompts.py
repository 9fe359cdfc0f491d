"""Prompts: versions, differences, use, yields and costs, and stale results."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from gem_tasks.domain.base import Value
from gem_tasks.domain.stage import EVERY_STAGE
from gem_tasks.lineage.console import ConsoleRows
from gem_tasks.lineage.console.prompts import Link, RecipeTotal, StaleTotal
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.prompts.changes import changes


class RecipeYield(Value):
    """A recipe with the counts of its results."""

    recipe_id: str
    stage: str
    version: int
    model: str | None
    parent_id: str | None
    prompt_sha256: str | None
    last_hour: datetime | None
    current: bool
    accepted: int = 0
    rejected: int = 0
    failed: int = 0
    calls: int = 0
    tokens: int = 0
    usd: float | None = None

    @property
    def total(self) -> int:
        """All outcomes."""
        return self.accepted + self.rejected + self.failed

    @property
    def share(self) -> float | None:
        """The yield."""
        return self.accepted / self.total if self.total else None


class PromptVersion(Value):
    """One text of a prompt."""

    sha256: str
    name: str
    chars: int
    first_seen_at: datetime
    current: bool
    recipes: tuple[RecipeYield, ...]


class StaleStage(Value):
    """Results of a stage under other than the current recipes, and their cost."""

    stage: str
    segments: int
    calls: int
    usd: float | None
    first: str
    last: str
    """First and last partition with such results."""


class Prompts(Value):
    """All versions, by name, newest first."""

    prompts: tuple[PromptVersion, ...]
    stale: tuple[StaleStage, ...]
    """Results that a backfill would recompute, with their last cost; `gem stale` is more accurate."""


class DiffLine(Value):
    """A line of a difference: ` `, `+`, `-`, or `@` in place of omitted lines."""

    sign: str
    text: str


class PromptText(Value):
    """A version's text, and its difference from another version."""

    version: PromptVersion
    text: str
    against: str | None
    diff: tuple[DiffLine, ...]
    others: tuple[PromptVersion, ...]


def prompts(db: ConsoleRows, work: Workspace) -> Prompts:
    """Every used prompt, with its results."""
    used = used_recipes(db, work)
    lines = work.lines()
    texts = {sha256 for line in lines for sha256 in line.chain.prompt_texts()}
    versions = [
        PromptVersion(
            **row._asdict(),
            current=row.sha256 in texts,
            recipes=tuple(recipe for recipe in used if recipe.prompt_sha256 == row.sha256),
        )
        for row in db.prompts.used()
    ]
    rows = db.prompts.stale([recipe for line in lines for recipe in line.recipe_ids()])
    stages = dict.fromkeys(stage for line in lines for stage in line.chain.line)
    stale = [_stale(rows[stage]) for stage in stages if stage in rows]
    return Prompts(prompts=tuple(versions), stale=tuple(stale))


def _stale(row: StaleTotal) -> StaleStage:
    usd = row.usd if row.priced else None
    return StaleStage(stage=row.stage, segments=row.segments, calls=row.calls, usd=usd, first=row.first, last=row.last)


def used_recipes(db: ConsoleRows, work: Workspace) -> list[RecipeYield]:
    """Every recipe with its counts: in stage order, current ones first, then the most recently used."""
    found = db.prompts.recipes()
    rows = db.prompts.totals([one.recipe_id for one in found])
    current = {recipe for line in work.lines() for recipe in line.recipe_ids()}
    place = {stage: at for at, stage in enumerate(EVERY_STAGE)}
    made = [_yield(link, rows.get(link.recipe_id), link.recipe_id in current) for link in found]
    made.sort(key=lambda one: place.get(one.stage, -1))
    return sorted(made, key=lambda one: (one.current, str(one.last_hour or "")), reverse=True)  # which keeps it


def _yield(link: Link, row: RecipeTotal | None, current: bool) -> RecipeYield:
    names = ("recipe_id", "stage", "version", "model", "parent_id", "prompt_sha256", "last_hour")
    kept: dict[str, Any] = link.model_dump(include=set(names))
    if row is None:
        return RecipeYield(**kept, current=current)
    return RecipeYield(
        **kept,
        accepted=row.accepted or 0,
        rejected=row.rejected or 0,
        failed=row.failed or 0,
        calls=row.calls or 0,
        tokens=row.tokens or 0,
        current=current,
        usd=row.usd if row.priced else None,
    )


def prompt(db: ConsoleRows, work: Workspace, sha256: str, against: str | None) -> PromptText | None:
    """A version's text with its difference from another version, or from the one before."""
    text = db.prompts.text(sha256)
    if text is None:
        return None
    every = prompts(db, work).prompts
    version = next(each for each in every if each.sha256 == sha256)
    others = [each for each in every if each.name == version.name and each.sha256 != sha256]
    before = [each for each in others if each.first_seen_at <= version.first_seen_at]
    wanted = against or (before[0].sha256 if before else None)
    other = db.prompts.text(wanted) if wanted else None
    lines: Sequence[DiffLine] = () if other is None else diff(other, text)
    return PromptText(
        version=version,
        text=text,
        against=None if other is None else wanted,
        diff=tuple(lines),
        others=tuple(others),
    )


def diff(old: str, new: str) -> Sequence[DiffLine]:
    """Line by line, with three lines around each change."""
    lines = list(changes(old, new))[2:]  # after the names
    return [DiffLine(sign=line[:1] or " ", text="" if line.startswith("@@") else line[1:]) for line in lines]
