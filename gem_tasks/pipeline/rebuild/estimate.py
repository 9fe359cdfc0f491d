"""Estimates the cost of work from similar past work: averages per stage and model, measured pace, known prices.

Nothing is made up. If a stage has no results of its model, those of other models stand in for calls and tokens, and the
estimate states it. If it has none at all, one call per segment is assumed; tokens, money and time stay unknown.
"""

from collections.abc import Mapping, Sequence

from gem_tasks.domain.base import Value
from gem_tasks.domain.chat import Usage
from gem_tasks.domain.stage import StageName
from gem_tasks.lineage import Ledger
from gem_tasks.lineage.stale import HistoryRow, PaceRow
from gem_tasks.llm.usage.prices import pricing
from gem_tasks.pipeline.workspace import Workspace


class Estimate(Value):
    """Cost of some segments in one stage, or summed over stages. None: unknown."""

    segments: float = 0
    calls: float = 0
    prompt_tokens: float | None = 0
    completion_tokens: float | None = 0
    usd: float | None = 0
    seconds: float | None = 0
    """At the pace of the runs so far, one partition after another."""

    def __add__(self, other: "Estimate") -> "Estimate":
        """The sum; unknown if either is."""
        mine, theirs = self.model_dump(), other.model_dump()
        return Estimate.model_validate(
            {name: None if None in (a, theirs[name]) else a + theirs[name] for name, a in mine.items()}
        )


class Rate(Value):
    """Cost of one segment in a stage, and the shares of its outcomes."""

    accepted_share: float = 1.0
    rejected_share: float = 0.0
    calls: float = 1.0
    prompt_tokens: float | None = None
    completion_tokens: float | None = None
    usd: float | None = None
    seconds: float | None = None
    basis: str
    """Source of the figures, in words."""

    def share(self, outcome: str) -> float:
        """Expected share of segments with this outcome."""
        return {"accepted": self.accepted_share, "rejected": self.rejected_share}.get(outcome, 0.0)

    def of(self, segments: float) -> Estimate:
        """Estimate for this number of segments."""
        each = self.model_dump(include=set(Estimate.model_fields))
        took = {name: None if one is None else one * segments for name, one in each.items()}
        return Estimate.model_validate({"segments": segments, **took})


def rates(work: Workspace, ledger: Ledger) -> dict[StageName, Rate]:
    """One rate per stage of the lines that are on."""
    history, pace = ledger.stale.history(), ledger.stale.pace()
    return {stage: _rate(work, stage, history, pace) for line in work.lines() for stage in line.chain.line}


def _rate(work: Workspace, stage: StageName, history: Sequence[HistoryRow], pace: Mapping[str, PaceRow]) -> Rate:
    model = work.settings.model_for(stage)
    rows = [row for row in history if row.stage == stage]
    own = [row for row in rows if row.model == model]
    row = max(own or rows, key=lambda row: row.results, default=None)
    if row is None:
        return Rate(basis="no history: one call per segment assumed")
    took = pace.get(stage)
    return Rate(
        **row.model_dump(include={"accepted_share", "rejected_share", "calls", "prompt_tokens", "completion_tokens"}),
        usd=(row.usd if own else None) or _priced(work, stage, row),
        seconds=took.seconds if took else None,
        basis=f"{row.results} results" + ("" if own else f" of {row.model}, none of {model}"),
    )


def _priced(work: Workspace, stage: StageName, row: HistoryRow) -> float | None:
    """Cost of these tokens in USD at the current price; None if the price is unknown."""
    settings = work.settings
    price = pricing(settings.model_for(stage), settings.endpoint_for(stage), settings.llm_prices)
    if price is None:
        return None
    return price(Usage(prompt_tokens=round(row.prompt_tokens), completion_tokens=round(row.completion_tokens)))
