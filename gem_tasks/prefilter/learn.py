"""From verdicts to a model and a threshold that provably keeps the target recall.

A hash divides documents at random: one half is for fitting the model (logistic regression), the other for setting
its threshold. Segments of a document stay together, and the two halves share no text. The threshold counts only
verdicts that no earlier prefilter influenced; otherwise it would be measured on segments that passed one.
"""

from collections.abc import Sequence
from hashlib import sha256

import numpy as np

from gem_tasks.domain.base import Value
from gem_tasks.prefilter import recall, regression
from gem_tasks.prefilter.features import rows
from gem_tasks.prefilter.model import Model

_C = 100.0
"""Little regularisation: chosen on random halves of the open corpus, where 10 to 1000 differ by 4 % of the savings."""
_WORTH = 0.05
"""Minimum share of calls on rejected segments that a prefilter has to save to be worth its misses."""


class Verdict(Value):
    """The verdict of the filter's model on a segment."""

    text: str
    document_id: str
    accepted: bool
    unbiased: bool = True
    """Whether no prefilter influenced the choice of the segment."""


class Report(Value):
    """The outcome of a training."""

    verdicts: int
    accepted: int
    held_out_accepted: int
    """Number of unbiased, held-out accepted segments for the threshold."""
    needed: int
    threshold: float | None = None
    """None if the model must not be used, for the reason below."""
    missed: int | None = None
    """Recall over the held-out accepted segments."""
    recall_at_least: float | None = None
    """Lower bound of recall with 95 % confidence."""
    saved_of_rejected: float | None = None
    """Share of held-out rejected segments that need no model call."""
    reason: str = ""


def in_training(document_id: str) -> bool:
    """Whether a document is in the training half; the others are held out."""
    return sha256(f"prefilter half {document_id}".encode()).digest()[0] % 2 == 0


def learn(verdicts: Sequence[Verdict]) -> tuple[Model | None, Report]:
    """A model and its threshold; no model if there are too few verdicts, or nothing to gain."""
    training = [verdict for verdict in verdicts if in_training(verdict.document_id)]
    held_out = [verdict for verdict in verdicts if verdict.unbiased and not in_training(verdict.document_id)]
    positives = sum(verdict.accepted for verdict in held_out)
    report = Report(
        verdicts=len(verdicts),
        accepted=sum(verdict.accepted for verdict in verdicts),
        held_out_accepted=positives,
        needed=recall.needed(),
    )
    if recall.allowed_misses(positives) is None:
        reason = f"{positives} accepted segments are held out, and {report.needed} are needed to prove 98 % recall"
        return None, report.model_copy(update={"reason": reason})
    if len({verdict.accepted for verdict in training}) < 2:
        return None, report.model_copy(update={"reason": "all verdicts to learn from are equal"})
    model = fit([verdict.text for verdict in training], [verdict.accepted for verdict in training])
    return _judged(model, held_out, report)


def fit(texts: Sequence[str], accepted: Sequence[bool]) -> Model:
    """Fits a model of accepted segments; needs examples of both kinds."""
    weights, intercept = regression.fit(regression.Rows(*rows(texts)), np.array(accepted), _C)
    return Model(weights.astype(np.float32), intercept)


def _judged(model: Model, held_out: Sequence[Verdict], report: Report) -> tuple[Model | None, Report]:
    scores = model.scores(verdict.text for verdict in held_out)
    accepted = np.array([verdict.accepted for verdict in held_out])
    threshold = recall.threshold(scores[accepted].tolist())
    if threshold is None:
        raise ValueError("the caller has to pass enough verdicts")
    total, allowed = int(accepted.sum()), recall.allowed_misses(int(accepted.sum())) or 0
    rejected = scores[~accepted]
    saved = float((rejected < threshold).mean()) if len(rejected) else 0.0
    report = report.model_copy(
        update={
            "threshold": threshold,
            "missed": int((scores[accepted] < threshold).sum()),
            "recall_at_least": recall.lower_bound(total - allowed, total),
            "saved_of_rejected": saved,
        }
    )
    if saved < _WORTH:
        reason = f"it would save {saved:.1%} of the calls on rejected segments only"
        return None, report.model_copy(update={"threshold": None, "reason": reason})
    return model, report
