"""A synthesizer in the pipeline, measured: cost and validity of both ways on the same texts, from the lineage."""

from collections.abc import Iterable, Sequence

from gem_tasks.domain.base import Value
from gem_tasks.domain.costs import total_cost
from gem_tasks.domain.synthesis import GroupState, Sampled, state_of
from gem_tasks.errors import UserError
from gem_tasks.lineage.synthesizer import Refused, Synthesizer, WayCost
from gem_tasks.pipeline.synthesizer.groups import groups_in, two_ways
from gem_tasks.pipeline.workspace import Workspace

DROP = 0.2
"""A validity that is lower by more than this share than that of the other groups does not carry over."""


class PerAccepted(Value):
    """Cost of one accepted trajectory, with the texts that gave none; None without one, or without prices."""

    tokens: float | None
    seconds: float | None
    usd: float | None


class Totals(Value):
    """What one way made of texts, and what it cost."""

    texts: int = 0
    accepted: int = 0
    calls: int = 0
    tokens: int = 0
    seconds: float = 0.0
    usd: float | None = None

    @property
    def share(self) -> float | None:
        """Accepted trajectories per text; None without texts."""
        return self.accepted / self.texts if self.texts else None

    @property
    def per_accepted(self) -> PerAccepted:
        """Divided by the accepted trajectories."""
        by = self.accepted or None
        tokens, seconds = (value / by if by else None for value in (self.tokens, self.seconds))
        return PerAccepted(tokens=tokens, seconds=seconds, usd=self.usd / by if by and self.usd is not None else None)


class Group(Value):
    """A group of texts."""

    name: str
    state: GroupState
    """As it was last decided."""
    opens: bool
    """Whether it would be open if that was decided now."""
    synthesizer: Totals
    """On the samples."""
    pipeline: Totals
    """On the same texts."""
    alone: Totals
    """Texts that only the synthesizer had; those that it failed went through the other stages afterwards."""
    drop: float | None = None
    """How much lower the synthesizer's validity on the samples is than in all other groups together, as a share of
    theirs; None if one of the two is unknown."""
    enough: bool = False
    """Whether there are enough samples to flag a drop."""

    @property
    def decision(self) -> str:
        """Whether it is open, and what the next decision, after the filter of the next partition, would change."""
        words = {True: "open", False: "closed"}
        then = f"; {words[self.opens]} from the next partition on" if self.opens is not self.state.open else ""
        return f"{words[self.state.open]}{then}"

    @property
    def flagged(self) -> bool:
        """Whether what the synthesizer learned does not carry over to this group."""
        return self.enough and self.drop is not None and self.drop > DROP


class InUse(Value):
    """The synthesizer in the pipeline under the current recipes."""

    model: str
    recipe: str
    sample: float
    groups: tuple[Group, ...]
    synthesizer: Totals
    """On all samples."""
    pipeline: Totals
    alone: Totals
    refused: dict[str, int]
    """Texts without a synthesized trajectory, by `stage: reason`."""

    @property
    def spared(self) -> Totals:
        """What the texts that the other stages were spared would have cost, at the average of the sampled ones."""
        if not self.pipeline.texts:
            return Totals()
        times = self.alone.accepted / self.pipeline.texts
        usd = None if self.pipeline.usd is None else self.pipeline.usd * times
        return Totals(
            texts=self.alone.accepted,
            calls=round(self.pipeline.calls * times),
            tokens=round(self.pipeline.tokens * times),
            seconds=self.pipeline.seconds * times,
            usd=usd,
        )


def in_use(work: Workspace) -> InUse:
    """Measures the synthesizer over all partitions; calls no model.

    Raises:
        UserError: it is off.
    """
    with work.ledger() as ledger:
        return in_use_by(work, ledger.synthesizer)


def in_use_by(work: Workspace, lineage: Synthesizer) -> InUse:
    """The same, over a connection of the caller; raises as `in_use`."""
    line = work.with_synthesizer
    if line is None:
        raise UserError("GEM_SYNTHESIZER is off", "Set GEM_SYNTHESIZER=model and GEM_LLM_MODEL_SYNTHESIZE.")
    ways, states = two_ways(work), groups_in(work, lineage)
    both, alone, refused = lineage.costs(ways), lineage.alone(ways), lineage.refused(ways)
    newest = {each.group: each for each in lineage.sampled(ways, work.settings.synthesizer_window)}
    minimum = work.settings.synthesizer_minimum
    names = sorted({row.group for row in (*both, *alone)} | {state.group for state in states.states})
    groups = [
        Group(
            name=name,
            state=(state := states.of(name)),
            opens=state_of(newest.get(name) or Sampled(group=name), minimum, was_open=state.open).open,
            synthesizer=_sum(both, "synthesizer", name),
            pipeline=_sum(both, "pipeline", name),
            alone=_sum(alone, "synthesizer", name),
        )
        for name in names
    ]
    recipe = line.chain.by_stage["synthesize"]
    return InUse(
        model=recipe.model or "",
        recipe=recipe.recipe_id,
        sample=work.settings.synthesizer_sample,
        groups=tuple(_compared(groups, minimum)),
        synthesizer=_sum(both, "synthesizer"),
        pipeline=_sum(both, "pipeline"),
        alone=_sum(alone, "synthesizer"),
        refused=_named(refused),
    )


def _sum(rows: Iterable[WayCost], way: str, group: str | None = None) -> Totals:
    found = [row for row in rows if row.way == way and group in (None, row.group)]
    return Totals(
        texts=sum(row.texts for row in found),
        accepted=sum(row.accepted for row in found),
        calls=sum(row.calls for row in found),
        tokens=sum(row.tokens for row in found),
        seconds=sum(row.seconds for row in found),
        usd=total_cost(found),
    )


def _compared(groups: Sequence[Group], minimum: int) -> Iterable[Group]:
    """The groups with their drops against all others together."""
    for group in groups:
        others = [each.synthesizer for each in groups if each is not group]
        texts, accepted = sum(each.texts for each in others), sum(each.accepted for each in others)
        own = group.synthesizer.share
        drop = None if own is None or not accepted else 1 - own / (accepted / texts)
        yield group.model_copy(update={"drop": drop, "enough": group.synthesizer.texts >= minimum})


def _named(refused: Sequence[Refused]) -> dict[str, int]:
    return {f"{each.stage}: {each.reason}": each.texts for each in refused}
