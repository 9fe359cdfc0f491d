"""Lineage of prompts: every version, the versions of each run, and segments to try a candidate on."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from gem_tasks.domain.recipe import Recipe, Recorded
from gem_tasks.lineage.connection import Part
from gem_tasks.prompts import Prompt


class PromptVersion(NamedTuple):
    """A text of a prompt that a run has used."""

    name: str
    sha256: str
    chars: int
    first_seen_at: datetime
    last_used_at: datetime | None
    recipes: int
    """Number of recipes with this version."""


class StoredPrompt(NamedTuple):
    """A prompt that a run has used."""

    name: str
    text: str
    sha256: str


class StoredSegment(NamedTuple):
    """A segment, with where it lies."""

    segment_id: str
    partition: str
    shard: int
    uri: str


class Prompts(Part):
    """Records and queries of `pipeline.prompt_files` and `pipeline.upkeep.trial`."""

    def versions(self) -> list[PromptVersion]:
        """All used versions, with first and last use."""
        return self._db.all(PromptVersion, "prompt_versions")

    def find(self, prefix: str, name: str | None = None) -> list[StoredPrompt]:
        """Up to five versions whose hash has this prefix."""
        return self._db.all(StoredPrompt, "find_prompts", prefix=prefix, name=name)

    def of_run(self, run: str) -> list[Prompt]:
        """The prompts that a run started with; empty if it has not started."""
        return self._db.all(Prompt, "run_prompts", run=run)

    def pin(self, run: str, prompts: Collection[Prompt]) -> None:
        """Records the prompts that a run starts with, unless it has started."""
        with self._db.transaction():
            self._db.run("lock_run_prompts", run=run)
            for prompt in prompts:
                self._db.run("insert_prompts", sha256=prompt.sha256, name=prompt.name, text=prompt.text)
            columns = {name: [getattr(prompt, name) for prompt in prompts] for name in ("name", "sha256", "origin")}
            self._db.run("pin_prompts", run=run, **columns)

    def by_hash(self, hashes: Sequence[str]) -> dict[str, str]:
        """Texts of stored prompts by SHA-256."""
        return {row["sha256"]: row["text"] for row in self._db.rows("prompts_by_hash", hashes=list(hashes))}

    def run_recipes(self, run: str) -> list[Recorded]:
        """The recipes that a run started with; empty if it recorded none."""
        return self._db.all(Recorded, "run_recipes", run=run)

    def pin_recipes(self, run: str, recipes: Sequence[Recipe]) -> None:
        """Records the recipes that a run starts, or restarts, with."""
        values = {"stage": [each.stage for each in recipes], "recipe_id": [each.recipe_id for each in recipes]}
        self._db.run("pin_recipes", run=run, **values)

    def find_segments(self, id_: str, limit: int) -> list[StoredSegment]:
        """Segments that belong to a segment, document or trajectory id."""
        return self._db.all(StoredSegment, "find_segments", id=id_, limit=limit)

    def result_object(self, segment_id: str, recipe_id: str) -> str | None:
        """Key of the object with the result of a stage for a segment; None if there is none, or it was removed."""
        found = self._db.rows("result_object", segment_id=segment_id, recipe_id=recipe_id)
        return found[0]["object_key"] if found else None
