"""The report on a synthesizer in the pipeline, as Markdown."""

from collections.abc import Iterator

from gem_tasks.distill.markdown import as_counts, as_number, as_table
from gem_tasks.evals.in_use import DROP, Group, InUse, Totals

_COST = ("", "texts", "accepted", "share", "calls", "tokens / accepted", "seconds / accepted", "USD / accepted")
_GROUPS = ("group", "samples", "synthesizer", "pipeline", "drop", "decision", "alone", "accepted")


def report(found: InUse) -> str:
    """Decisions and validity by group, costs of both ways, what was saved, and reasons."""
    return "\n\n".join(_parts(found)) + "\n"


def _parts(found: InUse) -> Iterator[str]:
    yield f"# Synthesizer {found.model} in the pipeline"
    yield f"Recipe {found.recipe}. {found.sample:.0%} of the documents go both ways: these are the samples."
    if not (found.groups or found.alone.texts):
        yield "No text went through it yet."
        return
    yield "## Cost of one accepted trajectory"
    rows = (("synthesizer", found.synthesizer), ("pipeline", found.pipeline), ("synthesizer, alone", found.alone))
    yield as_table(_COST, [_cost(name, way) for name, way in rows])
    yield (
        "The first two rows are about the same texts, which went both ways to the end, the third about texts that only"
        " the synthesizer had. Texts that gave no trajectory are in the cost of the others. Seconds are those of the"
        " requests, one after the other; the filter, which both ways share, is not counted."
    )
    yield _saved(found)
    yield "## Where it is good"
    yield as_table(_GROUPS, [_group(group) for group in found.groups])
    yield from _flags(found)
    if found.refused:
        yield "## Why texts have no synthesized trajectory"
        yield f"{as_counts(found.refused)}. `group_closed` and `already_extracted` cost no request."


def _cost(name: str, way: Totals) -> tuple[str, ...]:
    each = way.per_accepted
    return (
        name,
        str(way.texts),
        str(way.accepted),
        _share(way.share),
        str(way.calls),
        as_number(each.tokens, 0),
        as_number(each.seconds, 1),
        as_number(each.usd, 5),
    )


def _saved(found: InUse) -> str:
    spared, spent = found.spared, found.alone
    if not spared.texts:
        return "No text was spared the other stages yet."
    money = "" if spared.usd is None else f", {as_number(spared.usd, 2)} USD"
    own = "" if spent.usd is None else f", {as_number(spent.usd, 2)} USD"
    return (
        f"The synthesizer spared the other stages {spared.texts} texts, at their average about {spared.calls} calls,"
        f" {as_number(spared.tokens, 0)} tokens{money}. It took {spent.calls} calls, {as_number(spent.tokens, 0)}"
        f" tokens{own} for {spent.texts} texts; {spent.texts - spent.accepted} of them went through the other stages"
        " after all."
    )


def _group(group: Group) -> tuple[str, ...]:
    return (
        group.name,
        str(group.synthesizer.texts),
        _share(group.synthesizer.share),
        _share(group.pipeline.share),
        f"{group.drop:.0%}{' !' if group.flagged else ''}" if group.drop is not None else "-",
        group.decision,
        str(group.alone.texts),
        str(group.alone.accepted),
    )


def _flags(found: InUse) -> Iterator[str]:
    yield (
        "A decision is made after the filter of a partition, with the samples until then; `gem gates` lists their"
        " figures."
    )
    yield "The drop compares the synthesizer's share of accepted samples with that of all other groups together."
    for group in found.groups:
        if group.flagged:
            yield f"**{group.name}: a drop of {group.drop:.0%}, more than {DROP:.0%}: it does not carry over.**"


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"
