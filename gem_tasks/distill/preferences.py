"""Preferences from stored results: rejected and revised answers, drafts and refined versions, rollouts with different
verdicts, and people's edits.

`dpo`: two answers of the assistant at the same point of one conversation, so that a preference loss covers only the
assistant's choice. If two versions first differ in a user's message or a tool's result, their contexts differ, and
there is no pair. `reward`: whole conversations, for a model that scores them.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Set
from pathlib import Path
from typing import Literal

from gem_tasks.dataset.changed import Changed
from gem_tasks.dataset.names import named
from gem_tasks.dataset.privacy import scrub
from gem_tasks.dataset.select import PERSONS_NAMED, index_of
from gem_tasks.distill.formats.conversation import Conversation, dump
from gem_tasks.distill.formats.openai_messages import trl
from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.corpus import Segment
from gem_tasks.domain.outcome import Outcome
from gem_tasks.domain.take import Take
from gem_tasks.domain.trajectory import Message, Trajectory
from gem_tasks.errors import UserError
from gem_tasks.files import json_line, replacing
from gem_tasks.pipeline.judging.revisions import Revision, refused_for_good, revisions_of_shard
from gem_tasks.pipeline.shard.records import accepted, ended, finals, outcomes_of, output_of, segments_of
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.stages.revise import faults
from gem_tasks.worlds.played import Played

Kind = Literal["revised", "refined", "rollout", "edited", "attempt"]


class Versions(Value):
    """A conversation and the worse one that it replaced, both without the personal data of the source."""

    segment_id: str
    kind: Kind
    """`revised`: the worse one was refused by a check or the judge. `refined`: it is the draft. `rollout`: it is a
    refused conversation about the same workflow. `edited`: a person edited it. `attempt`: it is a conversation in a
    world that missed the goal that the better one reached."""
    reason: str
    """The faults of the worse one, one finding per line; empty for others."""
    better: Trajectory
    worse: Trajectory
    names: tuple[str, ...] = ()
    """Names of persons that any of these took from the source."""


class Written(Value):
    """The file, its preferences by kind, and the conversations without one by reason."""

    path: Path
    kinds: dict[str, int]
    left_out: dict[str, int]


def dpo(found: Versions) -> Json | str:
    """TRL's conversational preference format with tools; arguments of calls are objects.

    Returns:
        `prompt`, `chosen`, `rejected`, or the reason why there is no pair: `equal`, `another_context` (the versions
        first differ in another role's message) or `another_tool` (the rejected answer calls a tool that the better
        conversation does not have).
    """
    better, worse = found.better.messages, found.worse.messages
    at = next(
        (place for place, (good, bad) in enumerate(zip(better, worse, strict=False)) if not _same(good, bad)), None
    )
    if at is None:
        return "equal" if len(better) == len(worse) else "another_context"
    chosen, rejected = better[at], worse[at]
    if not chosen.role == rejected.role == "assistant":
        return "another_context"
    if _other_tools(found.better, (rejected,)):
        return "another_tool"
    parts = {"prompt": better[:at], "chosen": (chosen,), "rejected": (rejected,)}
    return _row(found, {name: _messages(part) for name, part in parts.items()})


def reward(found: Versions) -> Json | str:
    """TRL's format for reward models: `chosen` and `rejected` are whole conversations, or why there is no pair."""
    better, worse = found.better.messages, found.worse.messages
    if len(better) == len(worse) and all(map(_same, better, worse)):
        return "equal"
    if _other_tools(found.better, worse):
        return "another_tool"
    return _row(found, {"chosen": _messages(better), "rejected": _messages(worse)})


LEFT_OUT = {
    "vetoed": "people vetoed them",
    "contaminated": "they contain test items of benchmarks",
    PERSONS_NAMED: "they name persons of their source",
    "equal": "both versions are the same",
    "another_context": "the versions first differ in what the user says or a tool returns",
    "another_tool": "the worse version calls a tool that the better one does not have",
}
"""Why conversations give no preference, by reason."""
PREFERENCES: dict[str, Callable[[Versions], Json | str]] = {"dpo": dpo, "reward": reward}


def versions(work: Workspace, partition: str, left_out: Counter[str] | None = None) -> Iterator[Versions]:
    """Yields the accepted conversations of a partition under the current recipes, each with its worse version.

    What people vetoed gives none and is counted; what they edited is better than it was before.
    """
    left_out = Counter() if left_out is None else left_out
    with work.ledger() as ledger:
        shards = [number for number, _ in ledger.ingestion.shards(partition)]
    for shard in shards:
        for take in work.each_take():
            yield from _of_take(take, partition, shard, left_out)
        yield from _rollouts(work, partition, shard)
        for worlds in work.lines()[1:]:
            yield from _attempts(worlds, partition, shard)


def _of_take(work: Workspace, partition: str, shard: int, left_out: Counter[str]) -> Iterator[Versions]:
    """Versions of one conversation of each text."""
    revised = {each.segment_id: each for each in revisions_of_shard(work, partition, shard) if _passed(each)}
    drafts = _drafts(work, partition, shard)
    changed = Changed.of(work, [*revised, *drafts])
    for segment in segments_of(work, partition, shard) if revised or drafts else ():
        key = segment.segment_id
        made = revised[key].revised if key in revised else drafts[key][0] if key in drafts else None
        found = changed.at(key, made) if made else None
        if made is None or found is None:
            continue
        if found.veto:
            left_out["vetoed"] += 1
        elif found.edit:
            yield _clean(segment, "edited", "", found.trajectory, made)
        elif each := revised.get(key):
            yield _clean(segment, "revised", "\n".join(each.findings), each.revised, each.refused)
        else:
            yield _clean(segment, "refined", "", *drafts[key])


def _rollouts(work: Workspace, partition: str, shard: int) -> Iterator[Versions]:
    """Refused conversations, each with the first accepted one about the same workflow that people did not veto."""
    if work.settings.rollouts == 1:
        return
    kept = finals(work, partition, shard)
    changed = Changed.of(work, list(kept))
    for take in work.each_take():
        refused = {each.segment.segment_id: each for each in refused_for_good(take, partition, shard)}
        for key, record in refused.items():
            mine = (each for each in kept.get(key, ()) if each.take.workflow == take.chain.take.workflow)
            found = (changed.at(key, each.trajectory) for each in mine)
            if best := next((each for each in found if not each.veto), None):
                worse = record.needed("refine", Trajectory)
                yield _clean(record.segment, "rollout", "\n".join(faults(record)), best.trajectory, worse)


def _attempts(work: Workspace, partition: str, shard: int) -> Iterator[Versions]:
    """Conversations in worlds that missed their goal, each with the first that reached it and people did not veto."""
    kept = finals(work, partition, shard)
    changed = Changed.of(work, list(kept))
    for take in work.each_take() if kept else ():
        mine = take.chain.take
        for segment, missed in _missed(take, partition, shard, kept.keys()):
            same = (each for each in kept[segment.segment_id] if _same_task(each.take, mine))
            found = (changed.at(segment.segment_id, each.trajectory) for each in same)
            if best := next((each for each in found if not each.veto), None):
                yield _clean(segment, "attempt", missed.detail, best.trajectory, _played(missed))


def _same_task(one: Take, other: Take) -> bool:
    return (one.workflow, one.task) == (other.workflow, other.task)


def _played(outcome: Outcome) -> Trajectory:
    return Played.model_validate_json(outcome.payload or "").conversation


def _missed(work: Workspace, partition: str, shard: int, wanted: Set[str]) -> Iterator[tuple[Segment, Outcome]]:
    """Results of `simulate` in a take that have a conversation and were refused."""
    refused = ended(work, "simulate", "rejected", partition, shard) & wanted
    results = outcomes_of(work, "simulate", partition, shard) if refused else {}
    for segment in segments_of(work, partition, shard) if refused else ():
        if segment.segment_id in refused and (found := results[segment.segment_id]).payload:
            yield segment, found


def write_preferences(work: Workspace, name: str, out: Path, partitions: Iterable[str]) -> Written:
    """Writes `NAME.jsonl`.

    Args:
        work: workspace to read from.
        name: one of `PREFERENCES`.
        out: folder; created if it does not exist.
        partitions: in this order.

    Raises:
        UserError: there is none, or the folder cannot be written.
    """
    path, left_out, kinds = out / f"{name}.jsonl", Counter[str](), Counter[str]()
    index = None if work.settings.keep_contaminated else index_of(work)
    try:
        out.mkdir(parents=True, exist_ok=True)
        with replacing(path) as part:
            with part.open("w", encoding="utf-8") as file:
                for found in (each for partition in partitions for each in versions(work, partition, left_out)):
                    # Drafts and refused conversations were not compared before.
                    contaminated = index and (index.overlap(found.better) or index.overlap(found.worse))
                    persons = work.settings.exclude_names and found.names
                    reason = "contaminated" if contaminated else PERSONS_NAMED if persons else None
                    row = reason or PREFERENCES[name](found)
                    if isinstance(row, str):
                        left_out[row] += 1
                    else:
                        kinds[found.kind] += 1
                        file.write(json_line(row))
            if not kinds:
                why = "; ".join(f"{count} left out: {LEFT_OUT[reason]}" for reason, count in left_out.items())
                fix = "Run more texts with `gem run SOURCE`."
                raise UserError(f"There are no preferences ({why or 'no conversation was accepted'})", fix)
    except OSError as error:
        raise UserError(f"{out} cannot be written: {error.strerror}", "Choose another --out.") from error
    return Written(path=path, kinds=dict(kinds), left_out=dict(left_out))


def _passed(revision: Revision) -> bool:
    return revision.verdict is not None and revision.verdict.kind == "accepted"


def _drafts(work: Workspace, partition: str, shard: int) -> dict[str, tuple[Trajectory, Trajectory]]:
    """Refined conversations that were accepted at once, each with its draft."""
    passed = accepted(work, "validate", partition, shard)
    if not passed:
        return {}
    refined, drafts = (output_of(work, name, partition, shard) for name in ("refine", "generate"))
    return {key: (refined[key], drafts[key]) for key in passed}


def _same(good: Message, bad: Message) -> bool:
    """Compares without the ids of calls, which a model chose freely."""
    return _told(good) == _told(bad)


def _told(message: Message) -> str:
    calls = [(call.name, call.arguments) for call in message.tool_calls]
    return json.dumps([message.role, message.content or "", calls], sort_keys=True)


def _other_tools(better: Trajectory, messages: Iterable[Message]) -> bool:
    return any(better.tool(call.name) is None for message in messages for call in message.tool_calls)


def _messages(messages: Iterable[Message]) -> list[Json]:
    return trl(Conversation([each.to_openai() for each in messages], []))["messages"]


def _row(found: Versions, parts: dict[str, list[Json]]) -> Json:
    tools = dump([tool.to_openai() for tool in found.better.tools])
    return {**parts, "tools": tools, **found.model_dump(include={"segment_id", "kind", "reason"})}


def _clean(segment: Segment, kind: Kind, reason: str, better: Trajectory, worse: Trajectory) -> Versions:
    """Scrubs both and the reason, which quotes them, in one go, so that equal values are replaced alike."""
    quoting = Message(role="user", content=reason)
    together = Trajectory(tools=better.tools, messages=(quoting, *better.messages, *worse.messages))
    clean = scrub(together, segment.text, segment.language).trajectory
    quoted, *messages = clean.messages
    size = len(better.messages)
    return Versions(
        segment_id=segment.segment_id,
        kind=kind,
        reason=quoted.content or "",
        better=Trajectory(tools=clean.tools, messages=tuple(messages[:size])),
        worse=Trajectory(tools=worse.tools, messages=tuple(messages[size:])),
        names=named(clean, segment.text),
    )
