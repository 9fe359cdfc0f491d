"""A training set of conversations that a person brings: any format that `gem check` reads, split by document.

GEM checks their form and compares them with the benchmarks' items, and changes nothing in them: personal data,
correctness and licence are the person's business.
"""

import json
from collections.abc import Iterable, Sequence
from hashlib import sha256

from gem_tasks.dataset.select import index_of
from gem_tasks.distill.row import SET_VERSION, row_of
from gem_tasks.distill.sets import Placed, place
from gem_tasks.distill.writing import Writing
from gem_tasks.domain.distill import Candidate, SetSpec, SftSet, Split
from gem_tasks.errors import UserError
from gem_tasks.evals.calls.conversations import Conversation, LeftOut, in_files
from gem_tasks.pipeline.workspace import Workspace

_SOURCE = "imported"


def import_files(work: Workspace, paths: Iterable[str], spec: SetSpec, left_out: LeftOut) -> SftSet:
    """Makes the set of these files, or finds an existing one.

    Args:
        work: where the set is kept.
        paths: files and folders of conversations.
        spec: seed, size and shares of the splits; conversations with the same `document` are in one split.
        left_out: gets what is not in the set.

    Raises:
        UserError: a path does not exist, or there is nothing to train on.
    """
    known = _different(in_files(paths, left_out), left_out)
    if not work.settings.keep_contaminated:
        known = _clean(work, known, left_out)
    placed = place([_candidate(key, each) for key, each in known.items()], spec)
    if not any(split == "train" for _, split in placed):
        why = ", ".join(f"{reason} {count}" for reason, count in left_out.counts.items()) or "too few documents"
        fix = (
            "Give more documents, or hold out a smaller share."
            if known
            else "Give conversations that pass `gem check`."
        )
        raise UserError(f"There is no conversation to train on ({why})", fix)
    set_id = _identity(spec, placed)
    writing = Writing(work, set_id)
    for each, split in placed:
        writing.add(split, row_of(each, "agent", known[each.trajectory_id].trajectory, ""))
    found = writing.finish(spec.model_copy(update={"imported": set_id}), (), dict(left_out.counts), {})
    with work.ledger() as ledger:
        ledger.distill.record_set(found, [])
    return found


def _different(found: Sequence[Conversation], left_out: LeftOut) -> dict[str, Conversation]:
    """By the hash of the conversation: equal ones count once."""
    known: dict[str, Conversation] = {}
    for each in found:
        if not any(message.role == "assistant" for message in each.trajectory.messages):
            left_out.add("no_assistant", each.name)
        elif (key := _key(each)) is None:
            left_out.add("bad_encoding", each.name, "it has half a surrogate pair")
        elif key in known:
            left_out.add("duplicate", each.name, f"equal to {known[key].name}")
        else:
            known[key] = each
    return known


def _clean(work: Workspace, known: dict[str, Conversation], left_out: LeftOut) -> dict[str, Conversation]:
    index = index_of(work)
    kept: dict[str, Conversation] = {}
    for key, each in known.items():
        if overlap := index.overlap(each.trajectory):
            left_out.add("contaminated", each.name, overlap)
        else:
            kept[key] = each
    return kept


def _key(each: Conversation) -> str | None:
    """The hash of the conversation; None if UTF-8 cannot write it."""
    try:
        f"{each.name}{each.document}".encode()
        return sha256(each.trajectory.model_dump_json().encode()).hexdigest()[:24]
    except ValueError:  # of pydantic and of Python
        return None


def _candidate(key: str, each: Conversation) -> Candidate:
    document = each.document or each.name
    return Candidate(
        trajectory_id=key,
        group=document,
        segment_id=f"{document}.0-0",  # in the form of those with texts
        version="",
        partition="",
        shard=0,
        document_uri=document,
        source=_SOURCE,
        domain="",
        recipes={},
    )


def _identity(spec: SetSpec, placed: Placed) -> str:
    items: list[tuple[str, str, Split]] = sorted((each.trajectory_id, each.group, split) for each, split in placed)
    contents = {"version": SET_VERSION, "source": _SOURCE, "kind": spec.kind, "items": items}
    return sha256(json.dumps(contents, sort_keys=True).encode()).hexdigest()[:16]
