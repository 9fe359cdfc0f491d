"""Options of one run: part of a partition, other prompts or models than the current ones, a budget.

Backfill runs of `gem_ingest` take them as params and pass them on in the asset event's `extra`; `gem_synthesize` obeys
them. If Airflow puts two events into one run, they are merged so that all current work gets done: see `merged`.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Self

from pydantic import Field, ValidationError

from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.stage import StageName
from gem_tasks.errors import UserError


class RunOptions(Value):
    """Without any option, a run processes everything that is stale under the current recipes."""

    stages: tuple[StageName, ...] = ()
    """Only these stages run. Empty: all."""
    sources: tuple[str, ...] = ()
    """Only documents of these sources, by URI. Empty: all."""
    limit: int | None = Field(default=None, ge=1)
    """Only the first N documents of the partition."""
    budget_usd: float | None = Field(default=None, gt=0)
    purse: str | None = None
    """Runs with the same purse share a budget. None: the budget is for this run alone."""
    quotas: tuple[str, ...] = ()
    """Quotas of this run instead of GEM_QUOTAS."""
    prompts: dict[str, str] = Field(default_factory=dict)
    """Recipe override: SHA-256 (or its beginning) of a stored prompt, by stage or `repair`."""
    models: dict[StageName, str] = Field(default_factory=dict)
    """Recipe override: model by stage."""

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Self:
        """Reads params or an event's extra; empty values count as not given, unknown names are ignored.

        Raises:
            UserError: a value is not valid.
        """
        try:
            return cls.model_validate({name: given[name] for name in cls.model_fields if given.get(name)})
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"])
            raise UserError(f"{name}: {first['msg']}", "Correct the run's params.") from None

    def packed(self) -> Json:
        """Plain JSON of the values that differ from the default."""
        return self.model_dump(mode="json", exclude_defaults=True)

    @property
    def override(self) -> tuple[dict[str, str], dict[StageName, str]] | None:
        """Prompts and models of a recipe other than the current one; None for the current recipe."""
        return (self.prompts, self.models) if self.prompts or self.models else None

    def asks_for(self, stage: StageName) -> bool:
        """Whether the stage runs."""
        return not self.stages or stage in self.stages


def merged(all_options: Iterable[RunOptions]) -> RunOptions:
    """Merges announcements of a partition: as wide as the widest, under the current recipes if any asks so.

    An override that meets an announcement without one is dropped, and the caller reports it: current work comes first.
    The smallest budget applies.
    """
    found = list(all_options)
    plain = [options for options in found if not options.override]
    kept = plain or found[-1:]
    last = kept[-1]
    every: dict[str, Any] = {"stages": (), "sources": ()}
    for name in every:
        if all(getattr(options, name) for options in kept):
            every[name] = tuple(dict.fromkeys(each for options in kept for each in getattr(options, name)))
    limits = [options.limit for options in kept]
    budgets = [options.budget_usd for options in kept if options.budget_usd]
    return last.model_copy(
        update={
            **every,
            "limit": max(limit for limit in limits if limit) if all(limits) else None,
            "budget_usd": min(budgets, default=None),
        }
    )
