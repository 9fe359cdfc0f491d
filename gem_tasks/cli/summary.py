"""The summary of a run: funnel, cost, sizes before and after refinement, and the location of the dataset."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from rich.table import Table

from gem_tasks.cli.terminal import Terminal
from gem_tasks.domain.base import Json
from gem_tasks.domain.stage import ACCEPTING, ASKS_LIKE, StageName
from gem_tasks.lineage.failures import FailedCount
from gem_tasks.lineage.reports import NOT_READ, DocumentCounts, PartitionSummary, StageCounts
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.visible import visible

_SHOWN = 5
_MEASURES = ("messages", "tools", "calls")


class RunSummary(NamedTuple):
    """What a run left of a partition."""

    numbers: PartitionSummary
    failures: Sequence[FailedCount]
    store: str
    airflow: str | None

    def plain(self) -> Json:
        """For `--json`."""
        return {
            **self.numbers.model_dump(mode="json"),
            "failures": [each._asdict() for each in self.failures],
            "store": self.store,
            "airflow": self.airflow,
        }


def summarise(work: Workspace, partition: str, run_id: str | None, worlds_run: str | None = None) -> RunSummary:
    """The numbers of a partition; calls and tokens are those of the run, and of the run for conversations in worlds."""
    with work.ledger() as ledger:
        numbers = ledger.reports.summary(partition, work.recipes_of(*work.chain.line), run_id)
        for line in (*work.lines()[1:], *filter(None, [work.with_synthesizer])):
            own: list[StageName] = [stage for stage in line.chain.line if stage not in work.chain.line]
            in_run = worlds_run if "world" in own and worlds_run else run_id
            stages = ledger.reports.summary(partition, line.recipes_of(*own), in_run).stages
            numbers = numbers.model_copy(update={"stages": (*numbers.stages, *stages)})
        failed = ledger.failures.counts(work.every_recipe_id(), partition=partition)
    return RunSummary(numbers, failed, work.settings.store_root, work.settings.airflow_url)


def held_lines(held: Mapping[str, int]) -> Iterator[str]:
    """What quotas hold, in one line of text; none if they hold nothing."""
    if held:
        named = ", ".join(f"{quota} {texts}" for quota, texts in sorted(held.items(), key=lambda item: -item[1]))
        yield f"Held by quotas before extraction: {sum(held.values())} ({named}). Show them: gem quotas"


def ask_again(work: Workspace, partition: str) -> str:
    """Failures of the partition under the current recipes, by class, and how to retry; empty if there are none."""
    with work.ledger() as ledger:
        return failure_lines(partition, ledger.failures.counts(work.every_recipe_id(), partition=partition))


def failure_lines(partition: str, failed: Sequence[FailedCount]) -> str:
    """Failures in lines of text.

    Args:
        partition: its key.
        failed: counts by stage and class, how many of them are set aside, and an example of the message.
    """
    if not failed:
        return ""
    ordered = sorted(failed, key=lambda row: (-row.segments, row.stage, row.error_class))
    lines = [_failure_line(row) for row in ordered]
    option = f" --partition {partition}"
    return "\n".join([*lines, f"Show them:    gem failures{option}", f"Retry them:   gem retry{option}"])


def excluded_line(excluded: Mapping[str, int]) -> str:
    """Why a dataset has fewer trajectories than were accepted; empty if it has all."""
    reasons = ", ".join(f"{reason} {count}" for reason, count in excluded.items() if count)
    return f"  {sum(excluded.values())} left out: {reasons}" if reasons else ""


def alike_lines(diversity: Mapping[str, Any]) -> Iterator[str]:
    """What recurs in a dataset, in lines of text; none for a version that was published before it was measured."""
    for role, phrases in diversity.get("phrases", {}).items():
        if phrases:
            first, share = next(iter(phrases.items()))
            said = f'the {role} says "{visible(first)}", the most common four words'
            yield f"  {share:.0%} of conversations: {said}"
    if (spread := diversity.get("spread")) is not None:
        yield f"  Spread {spread}: 1 where conversations have nothing in common, near 0 where they are the same"


def _failure_line(row: FailedCount) -> str:
    said = next(iter(row.example.splitlines()), "")[:200]
    aside = f" [{row.set_aside} set aside]" if row.set_aside else ""
    return f"{row.segments} failed in {row.stage} ({row.error_class}){f': {said}' if said else ''}{aside}"


def print_summary(summary: RunSummary, console: Terminal, *, nothing_new: bool = False) -> None:
    """Prints the summary for people."""
    numbers = summary.numbers
    if nothing_new:
        console.print("Nothing to do: every document is known and every result is current. No model was called.")
    console.print(_funnel(numbers))
    for line in _unreadable(numbers.documents):
        console.print(line, soft_wrap=True, markup=False, highlight=False)
    for line in (_cost(numbers.stages), _cached(numbers.stages), _spared(numbers.stages[0])):
        if line:
            console.print(line, highlight=False)
    for line in held_lines(numbers.held):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    if failed := failure_lines(numbers.partition, summary.failures):
        console.print(failed, highlight=False, markup=False, soft_wrap=True)
    if dataset := numbers.dataset:
        console.print(_sizes(dataset.manifest["means"]))
        console.print(f"Dataset {dataset.version}: {dataset.trajectories} trajectories", highlight=False)
        for line in _about(dataset.manifest):
            console.print(line, highlight=False, markup=False, soft_wrap=True)
        console.print(f"  {summary.store}/datasets/{dataset.version}/", soft_wrap=True, highlight=False)
        console.print(f"Show one:      gem show {dataset.example}", highlight=False)
        console.print("Export all:    gem export --out data", highlight=False)


def _about(manifest: Mapping[str, Any]) -> Iterator[str]:
    """What a dataset has and lacks, in lines of text."""
    if worlds := manifest.get("worlds"):
        yield f"  worlds: {worlds['worlds']}, with {worlds['executed']} executed conversations"
    if synthesizer := manifest.get("synthesizer"):
        yield f"  made by the synthesizer {synthesizer['model']}: {synthesizer['trajectories']} (gem synthesizer)"
    if left := excluded_line(manifest.get("excluded", {})):
        yield left
    yield from alike_lines(manifest.get("diversity", {}))


def _funnel(summary: PartitionSummary) -> Table:
    table = Table(title=f"Partition {summary.partition}", title_justify="left", min_width=60)
    for column, justify in (("", "left"), ("in", "right"), ("accepted", "right"), ("not", "right"), ("calls", "right")):
        table.add_column(column, justify=justify)  # pyright: ignore[reportArgumentType]
    table.add_column("why not")
    documents = summary.documents
    left_out = sum(documents.reasons.values())
    table.add_row(
        "documents",
        str(documents.total),
        str(documents.total - left_out),
        str(left_out),
        "",
        _reasons(documents.reasons),
    )
    for stage in summary.stages:
        lost = stage.rejected + stage.failed
        total = str(stage.accepted + lost)
        if total == "0" and stage.stage in ASKS_LIKE:  # nothing was rejected
            continue
        table.add_row(stage.stage, total, str(stage.accepted), str(lost), str(stage.calls), _reasons(stage.reasons))
    return table


def _unreadable(documents: DocumentCounts) -> list[str]:
    """The first objects that could not be read, with reasons."""
    named = [f"Not read: {visible(each.uri)} ({visible(each.detail)})" for each in documents.unreadable]
    more = sum(documents.reasons.get(reason, 0) for reason in NOT_READ) - _SHOWN
    return named[:_SHOWN] + ([f"Not read: {more} more (`gem run --json` lists up to 20)"] if more > 0 else [])


def _cost(stages: Sequence[StageCounts]) -> str:
    """Cost of the run, and per accepted trajectory; empty if no price is known."""
    prices = {stage.stage: stage.usd for stage in stages if stage.usd}
    total = sum(prices.values())
    if not total:
        return ""
    parts = ", ".join(f"{name} ${usd:.2f}" for name, usd in prices.items())
    accepted = sum(each.accepted for each in stages if each.stage in ACCEPTING)
    each = f", ${total / accepted:.4f} per accepted trajectory" if accepted else ""
    return f"Cost ${total:.2f} ({parts}){each}"


def _cached(stages: Sequence[StageCounts]) -> str:
    """Share of prompt tokens that the endpoint had cached, by stage; empty if it reports none."""
    found = {each.stage: each.cached_tokens / each.prompt_tokens for each in stages if each.cached_tokens}
    return (
        f"Cached {', '.join(f'{name} {share:.0%}' for name, share in found.items())} of prompt tokens" if found else ""
    )


def _spared(stage: StageCounts) -> str:
    """Calls that a prefilter saved in this partition; empty if none was in use."""
    if not (count := stage.reasons.get("prefilter", 0)):
        return ""
    total = stage.accepted + stage.rejected + stage.failed
    money = f", about ${count * stage.usd / stage.calls:.2f}" if stage.usd and stage.calls else ""
    return f"Prefilter: {count} of {total} filter calls saved{money} (gem prefilter status)"


def _reasons(reasons: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(reasons.items(), key=lambda item: -item[1]))


def _sizes(means: dict[str, dict[str, float]]) -> Table:
    table = Table(title="Mean per trajectory", title_justify="left")
    table.add_column("")
    for measure in _MEASURES:
        table.add_column(measure, justify="right")
    for label, key in (("before refinement", "draft"), ("after", "refined")):
        table.add_row(label, *(f"{means[key][measure]:.1f}" for measure in _MEASURES))
    return table
