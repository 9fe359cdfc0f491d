"""Trains a prefilter, when it is due, on the filter's own verdicts in Postgres and their texts in the store."""

import logging
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.recipe import Recipe
from gem_tasks.domain.record import Record
from gem_tasks.errors import StoreError
from gem_tasks.lineage.prefilters import PrefilterHistory, VerdictCounts, VerdictRow
from gem_tasks.pipeline.shard.prefilter import switch_off_drifted, text_of
from gem_tasks.pipeline.shard.records import segments_of
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.prefilter import recall
from gem_tasks.prefilter.features import FEATURES_VERSION
from gem_tasks.prefilter.learn import Report, Verdict, learn
from gem_tasks.prefilter.model import digest
from gem_tasks.store import keys

logger = logging.getLogger(__name__)

_MOST = 10_000
"""Number of the newest verdicts of each kind to learn from: 10,000 texts took 0.34 GB, and 103 s on a busy machine."""
_NONE = VerdictCounts(0, 0)
_GROWTH = 1.5
"""GEM replaces a prefilter once there are this many times the accepted segments that it was trained on."""


class Training(Value):
    """Result of an attempt to train."""

    state: str
    """`trained`, `kept` (the one in use is good enough), `too_few`, `not_worth_it`, or `off` by the settings."""
    reason: str
    prefilter: str | None = None
    report: Report | None = None


def train(work: Workspace, *, force: bool = False) -> Training:
    """Trains on the current filter's verdicts and puts the result to use, if it is due and there are enough verdicts.

    Args:
        work: workspace with the current filter.
        force: train even if the prefilter in use is recent, or the settings say `off` (GEM then does not use the
            result).

    Raises:
        StoreError: texts cannot be read.
    """
    if work.settings.prefilter == "off" and not force:
        return Training(state="off", reason="GEM_PREFILTER is off")
    recipe = work.chain.by_stage["filter"]
    switch_off_drifted(work)
    with work.ledger() as ledger:
        since = ledger.prefilters.last_drift(recipe.recipe_id)
        unbiased = ledger.prefilters.verdict_counts(recipe.recipe_id, since).get(True, _NONE).unbiased
        row = ledger.prefilters.current(recipe.recipe_id)
    if row and not force and unbiased < _GROWTH * row.report["unbiased_accepted"]:
        known = row.report["unbiased_accepted"]
        return _said(
            Training(state="kept", reason=f"{known} accepted segments then, {unbiased} now", prefilter=row.prefilter_id)
        )
    if unbiased < recall.needed():  # only half of them are held out: the count alone decides, no text is read
        reason = (
            f"{unbiased} accepted segments, of which about half are held out; the held-out half needs {recall.needed()}"
        )
        return _said(Training(state="too_few", reason=reason))
    model, report = learn(_verdicts(work, recipe.recipe_id, since))
    if model is None or report.threshold is None:
        state = "too_few" if report.saved_of_rejected is None else "not_worth_it"
        return _said(Training(state=state, reason=report.reason, report=report))
    data = model.encode()
    own = _recipe(recipe, digest(data), report)
    key = keys.prefilter_key(digest(data))
    with work.ledger() as ledger, ledger.retention.writing():
        work.store.put(key, data)
        ledger.prefilters.use(recipe, own, key, digest(data), _kept(report, unbiased))
    reason = (
        f"recall at least {report.recall_at_least:.1%} ({report.missed} of {report.held_out_accepted} held-out accepted"
        f" segments missed), {report.saved_of_rejected:.1%} of the calls on rejected segments saved"
    )
    return _said(Training(state="trained", reason=reason, prefilter=own.recipe_id, report=report))


def status(work: Workspace) -> Json:
    """The available verdicts, the prefilter in use, and what each prefilter saved and missed."""
    recipe_id = work.chain.id_of("filter")
    with work.ledger() as ledger:
        since = ledger.prefilters.last_drift(recipe_id)
        counts = ledger.prefilters.verdict_counts(recipe_id, since)
        history = ledger.prefilters.history(recipe_id)
        withdrawn = ledger.prefilters.withdrawn_rejections(recipe_id)
    accepted, rejected = counts.get(True, _NONE), counts.get(False, _NONE)
    in_use = next((row.prefilter_id for row in history if row.retired_at is None), None)
    return {
        "setting": work.settings.prefilter,
        "filter_recipe": recipe_id,
        "in_use": in_use if work.settings.prefilter != "off" else None,
        "verdicts": {
            "accepted": accepted.verdicts,
            "rejected": rejected.verdicts,
            "unbiased_accepted": accepted.unbiased,
        },
        "needed_held_out_accepted": recall.needed(),
        "saved_calls": sum(row.saved_calls for row in history),
        "usd_saved": sum((row.usd_saved or 0.0) for row in history) or None,
        "withdrawn_rejections": sum(withdrawn.values()),
        "prefilters": [_plain(row) for row in history],
    }


def recheck(work: Workspace, *, dry_run: bool) -> dict[str, int]:
    """Marks the rejections of switched-off prefilters for the model; returns their number by partition."""
    recipe_id = work.chain.id_of("filter")
    with work.ledger() as ledger, ledger.transaction():
        found = ledger.prefilters.withdrawn_rejections(recipe_id)
        if not dry_run:
            ledger.prefilters.ask_withdrawn(recipe_id)
    return found


def _verdicts(work: Workspace, recipe_id: str, since: datetime | None) -> list[Verdict]:
    """The newest verdicts with their texts; skips shards that no longer exist."""
    wanted: dict[tuple[str, int], dict[str, tuple[bool, VerdictRow]]] = defaultdict(dict)
    with work.ledger() as ledger:
        for accepted, outcome in ((True, "accepted"), (False, "rejected")):
            for row in ledger.prefilters.newest_verdicts(recipe_id, outcome, since, _MOST):  # pyright: ignore[reportArgumentType]
                wanted[row.partition, row.shard][row.segment_id] = (accepted, row)
    return [verdict for place, rows in sorted(wanted.items()) for verdict in _of_shard(work, *place, rows)]


def _of_shard(
    work: Workspace, partition: str, shard: int, rows: dict[str, tuple[bool, VerdictRow]]
) -> Iterator[Verdict]:
    try:
        for segment in segments_of(work, partition, shard):
            if found := rows.get(segment.segment_id):
                accepted, row = found
                yield Verdict(
                    text=text_of(Record(segment=segment)),
                    document_id=row.document_id,
                    accepted=accepted,
                    unbiased=row.unbiased,
                )
    except StoreError as error:
        logger.warning("training skips its verdicts: %s", error)


def _recipe(parent: Recipe, model: str, report: Report) -> Recipe:
    """The identity of a prefilter: its training data, its weights, and its threshold."""
    return Recipe(
        stage="prefilter",
        version=FEATURES_VERSION,
        model=f"sha256:{model}",
        params={"threshold": report.threshold, "target": recall.TARGET},
        parent=parent.recipe_id,
    )


def _kept(report: Report, unbiased: int) -> Json:
    return {**report.model_dump(), "unbiased_accepted": unbiased}


def _said(training: Training) -> Training:
    logger.info("prefilter %s: %s", training.state, training.reason)
    return training


def _plain(row: PrefilterHistory) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row._asdict().items()}
