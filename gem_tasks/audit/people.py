"""Agreement of checks and judge with people, by kind of finding, and advice. Pure.

Published and rejected conversations are rated in separate samples, which are rarely in proportion, so every rated one
has the weight of the conversations that it represents (`Rated.weight`). Shares and kappa use the weights, intervals use
the effective number of items (`Counted.effective`); counts are unweighted.
"""

from collections.abc import Callable, Iterable, Sequence

from gem_tasks.audit.kappa import weighted_kappa
from gem_tasks.checks.faults import CONSTRUCTED, Fault
from gem_tasks.domain.base import Value
from gem_tasks.domain.interval import wilson
from gem_tasks.domain.people import Counted, Rated, counted

NEEDED = 0.95
"""Minimum measured precision of an error."""
LEAST = 5
"""Minimum number of flagged conversations for advice."""
CHECKS, JUDGE = "checks", "judge"
"""All errors of the checks together, and all verdicts of the judge."""

Flags = Callable[[Rated], bool]


class Share(Value):
    """A share with its 95 % interval, and the counts behind it."""

    hits: int
    items: int
    share: float
    low: float
    high: float


class KindReport(Value):
    """One kind of finding, or rule of the judge, compared with people."""

    kind: str
    """`check/kind`, a slug of the judge such as `judge_r3`, or `checks` or `judge` for all kinds together."""
    severity: str
    """`error`, `open`, `warning`, or `judge`."""
    precision: Share
    """Share of the flagged conversations that people reject."""
    recall: Share | None
    """Share of the conversations rejected by people that it flags; None unless both samples were rated."""
    kappa: float | None
    """Cohen's kappa of flagged and rejected by people; None if it is undefined, or not both samples were rated."""
    kappa_low: float | None = None
    kappa_high: float | None = None
    advice: str | None = None


class PeopleReport(Value):
    """The report over all rated conversations, published and rejected."""

    published: int
    """Published conversations with ratings."""
    refused: int
    """Rejected conversations with ratings."""
    people_refuse: int
    """Number of both that people reject."""
    kinds: tuple[KindReport, ...] = ()
    """Totals first, then the kinds that flag something, most frequent first."""

    @property
    def advice(self) -> tuple[str, ...]:
        """Recommendations, one line per kind of finding."""
        return tuple(each.advice for each in self.kinds if each.advice)


def people_report(rated: Sequence[Rated], needed: float = NEEDED) -> PeopleReport:
    """The report over all rated conversations.

    Args:
        rated: conversations with the opinions of people, checks and judge.
        needed: minimum precision of an error.
    """
    samples = [each.sample for each in rated]
    both = len(set(samples)) == 2
    severities = {f"{fault.check}/{fault.kind}": str(fault.severity) for fault in Fault}
    errors = {kind for kind, severity in severities.items() if severity == "error"}
    asked = [each for each in rated if each.judged]
    sums = [
        _kind(CHECKS, "error", rated, lambda each: not errors.isdisjoint(each.kinds), both=both),
        _kind(JUDGE, "judge", asked, lambda each: bool(each.faults), both=both),
    ]
    kinds = [
        *(_kind(kind, severities.get(kind, "retired"), rated, _finds(kind), both=both) for kind in _names(rated)),
        *(
            _kind(slug, "judge", asked, _faults(slug), both=both)
            for slug in sorted(_all(each.faults for each in rated))
        ),
    ]
    found = sorted((each for each in kinds if each), key=lambda each: (-each.precision.items, each.kind))
    return PeopleReport(
        published=samples.count("trajectories"),
        refused=samples.count("refused"),
        people_refuse=sum(each.refused for each in rated),
        kinds=(*filter(None, sums), *(each.model_copy(update={"advice": advice(each, needed)}) for each in found)),
    )


def advice(found: KindReport, needed: float = NEEDED) -> str | None:
    """The advice from the numbers: open an error, let an open kind refuse, or reword a rule of the judge."""
    share = found.precision
    if share.items < LEAST:
        return None
    bounds = f"{100 * share.low:.0f} to {100 * share.high:.0f} %"
    agrees = f"{found.kind} agrees with people in {share.hits} of {share.items} ({bounds})"
    if found.severity == "open" and share.hits == share.items:
        return f"{agrees}: may refuse"
    if share.high < needed and found.severity == "error" and found.kind.partition("/")[0] not in CONSTRUCTED:
        return f"{agrees}: open it instead"
    if share.high < needed and found.severity == "judge":
        return f"{agrees}: review the judge's prompt or model"
    return None


def _kind(name: str, severity: str, rated: Sequence[Rated], flags: Flags, *, both: bool) -> KindReport | None:
    """None for a kind that flags nothing."""
    hit = _share(counted((each.weight, each.refused) for each in rated if flags(each)))
    if hit is None:
        return None
    if not both:
        return KindReport(kind=name, severity=severity, precision=hit, recall=None, kappa=None)
    cells = [(each.weight, flags(each), each.refused) for each in rated]
    kappa, low, high = weighted_kappa(cells) or (None, None, None)
    recall = _share(counted((weight, flagged) for weight, flagged, refused in cells if refused))
    return KindReport(
        kind=name, severity=severity, precision=hit, recall=recall, kappa=kappa, kappa_low=low, kappa_high=high
    )


def _share(found: Counted) -> Share | None:
    if found.share is None:
        return None
    low, high = wilson(found.share * found.effective, found.effective)
    return Share(hits=found.hits, items=found.items, share=found.share, low=low, high=high)


def _names(rated: Iterable[Rated]) -> list[str]:
    return sorted(_all(each.kinds for each in rated))


def _all(sets: Iterable[frozenset[str]]) -> set[str]:
    return {name for names in sets for name in names}


def _finds(kind: str) -> Flags:
    return lambda each: kind in each.kinds


def _faults(slug: str) -> Flags:
    return lambda each: slug in each.faults
