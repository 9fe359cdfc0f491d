"""The report of a run as Markdown, for people. Pure."""

from collections.abc import Iterable, Iterator

from gem_tasks.domain.base import Json
from gem_tasks.domain.evaluation import EvalReport, Score
from gem_tasks.evals.stats import most_first


def render(report: EvalReport) -> str:
    """Scores with intervals, confused kinds, faults, and what does not count."""
    return "\n\n".join(_parts(report)) + "\n"


def _parts(report: EvalReport) -> Iterator[str]:
    own, found = report.settings, report.measures
    yield f"# Next-action accuracy of {_plain(report.model)}"
    thinking, temperature = (
        "the server's default" if each is None else each for each in (own.thinking, own.temperature)
    )
    yield (
        f"{len(report.cases)} turns of {found['conversations']} conversations (`{own.subset}`), {own.mode} calls, "
        f"temperature: {temperature}, seed {own.seed}, thinking: {thinking}; {own.version}; {report.seconds:.0f} s."
    )
    yield _table(("turns", "share", "%", "95 %, by conversation", "of"), map(_row, report.scores))
    yield (
        "`action`: of the turns at which the reference or the model calls, the share in which both make the same "
        "calls. `decision`: to call or to speak, 0 for a constant answer. `exact`: the same JSON; `equal`: the same in "
        "what the schema means. `kind`: ask, refuse or report, which is guessed from the words and is no main figure."
    )
    yield "## What the model did instead"
    yield _table(("reference", "model, by number of turns"), map(_confusion, sorted(found["confusion"].items())))
    faults = _counts(found["faults"]) or "none"
    yield f"Unusable answers: {faults}. Answers that ran on into others' turns, cut there: {found['ran_on']}."
    if report.errors:
        first = next(case.error for case in report.cases if case.error)
        yield f"**{report.errors} turns failed outside the model and count as 0**, such as: {_plain(first or '')}"
    if left_out := found["left_out"]:
        yield "## What does not count"
        counts = most_first({reason: each["count"] for reason, each in left_out.items()})
        rows = ((name, str(count), _plain("; ".join(left_out[name]["examples"]))) for name, count in counts.items())
        yield _table(("reason", "number", "such as"), rows)
    tokens = found["tokens"]
    cached = f"{tokens['cached_tokens']} of them cached"
    yield f"Tokens: {tokens['prompt_tokens']} of prompts, {cached}, and {tokens['completion_tokens']} of answers."


def _row(score: Score) -> tuple[str, ...]:
    interval = " to ".join(f"{100 * each:.1f}" for each in score.interval) if score.interval else "-"
    return score.category, score.metric, f"{100 * score.value:.2f}", interval, str(score.cases)


def _confusion(found: tuple[str, Json]) -> tuple[str, str]:
    return found[0], _counts(found[1])


def _counts(found: Json) -> str:
    return ", ".join(f"{name} {count}" for name, count in most_first(found).items())


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _plain(text: str) -> str:
    """A text of others in a table: no markup, one line."""
    kept = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")
    return "".join(f"\\{each}" if each in "|\\`*_[]#!~" else each for each in kept)
