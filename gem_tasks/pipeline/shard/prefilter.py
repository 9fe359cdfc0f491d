"""The prefilter in use: loaded once per shard, monitored, and applied before the filter.

It belongs to one recipe of the filter: learned from that recipe's verdicts, and applied to segments without a result
under it. Before every shard GEM counts its misses on the random share. If they prove that its recall is below the
target, GEM switches it off for good (`switch_off_drifted`), and all segments go to the model again.
"""

import logging
from collections.abc import Iterator
from hashlib import sha256
from itertools import islice

from gem_tasks.domain.record import PrefilterScore, Record
from gem_tasks.domain.stage import StageName
from gem_tasks.errors import StoreError
from gem_tasks.lineage import Ledger
from gem_tasks.lineage.prefilters import CurrentPrefilter
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.prefilter.model import DamagedModelError, Model, digest
from gem_tasks.prefilter.recall import TARGET, upper_bound

logger = logging.getLogger(__name__)

SHARE = 20
"""One segment in this many goes to the model regardless of the prefilter."""
WINDOW = 300
"""Recall is measured on this many of the share's newest accepted segments."""

_CHUNK = 64


class Prefilter:
    """A model, its threshold, and the recipe id of its rejections."""

    def __init__(self, prefilter_id: str, model: Model, threshold: float) -> None:
        self._id, self._model, self._threshold = prefilter_id, model, threshold

    def scored(self, records: Iterator[Record]) -> Iterator[Record]:
        """The same records, each with the prefilter's score."""
        while chunk := list(islice(records, _CHUNK)):
            scores = self._model.scores(text_of(record) for record in chunk)
            for record, score in zip(chunk, scores.tolist(), strict=True):
                found = PrefilterScore(
                    prefilter=self._id,
                    score=score,
                    threshold=self._threshold,
                    share=in_share(record.segment.segment_id),
                )
                yield record.model_copy(update={"prefilter_score": found})


def scored(work: Workspace, stage: StageName, records: Iterator[Record]) -> Iterator[Record]:
    """Adds the prefilter's scores to records of the filter; records of other stages stay as they are.

    Raises:
        StoreError: as `current`.
    """
    prefilter = current(work) if stage == "filter" else None
    return prefilter.scored(records) if prefilter else records


def current(work: Workspace) -> Prefilter | None:
    """The prefilter of the current filter; None if there is none, it is switched off, or it has drifted.

    Raises:
        StoreError: its object is missing or damaged.
    """
    if work.settings.prefilter == "off":
        return None
    recipe_id = work.chain.id_of("filter")
    with work.ledger() as ledger:
        row = ledger.prefilters.current(recipe_id)
        if row is None or _drift(ledger, recipe_id, row):
            return None
    data = work.fetch(row.object_key)
    try:
        if digest(data) != row.sha256:
            raise DamagedModelError("the file does not match the recorded SHA-256")
        model = Model.decode(data)
    except DamagedModelError as error:
        raise StoreError(f"{work.store.url(row.object_key)} is not a usable prefilter: {error}") from error
    return Prefilter(row.prefilter_id, model, row.report["threshold"])


def switch_off_drifted(work: Workspace) -> None:
    """Switches the prefilter in use off for good if its misses prove that it has drifted."""
    if work.settings.prefilter == "off":
        return
    recipe_id = work.chain.id_of("filter")
    with work.ledger() as ledger:
        row = ledger.prefilters.current(recipe_id)
        if row and (fault := _drift(ledger, recipe_id, row)):
            ledger.prefilters.switch_off(recipe_id, fault)
            logger.warning("prefilter %s is switched off: %s", row.prefilter_id, fault)


def _drift(ledger: Ledger, recipe_id: str, row: CurrentPrefilter) -> str:
    return drift(*ledger.prefilters.share(recipe_id, row.prefilter_id, WINDOW))


def drift(accepted: int, missed: int) -> str:
    """Why a prefilter with this many misses in the share has to stop; empty if its misses prove no fault."""
    most = upper_bound(accepted - missed, accepted)
    if most >= TARGET:
        return ""
    return (
        f"of {accepted} segments in the random share that the filter accepted it would have rejected {missed}:"
        f" its recall is below {most:.1%} (95 % confidence), but must be at least {TARGET:.0%}"
    )


def in_share(segment_id: str) -> bool:
    """Whether a segment always goes to the model; the answer is the same everywhere and for every prefilter."""
    return int.from_bytes(sha256(f"prefilter share {segment_id}".encode()).digest()[:4], "big") % SHARE == 0


def text_of(record: Record) -> str:
    """The text that the prefilter reads, which is what the filter reads."""
    segment = record.segment
    return f"{segment.title}\n\n{segment.text}" if segment.title else segment.text
