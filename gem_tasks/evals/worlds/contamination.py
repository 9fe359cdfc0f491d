"""Tasks of texts that a model was trained on are left out."""

from collections.abc import Sequence

from gem_tasks.domain.distill import Model
from gem_tasks.evals import contamination
from gem_tasks.evals.worlds.cases import Case
from gem_tasks.lineage import Ledger


def untrained(ledger: Ledger, model: Model, cases: Sequence[Case]) -> tuple[list[Case], dict[str, str]]:
    """Cases of documents outside the model's training set, and why others are left out, by case.

    Raises:
        UserError: no case is left.
    """
    documents = {case.case_id: case.shelf.segment_id.rpartition(".")[0] for case in cases}
    kept, left_out = contamination.untrained(ledger, model, documents)
    return [case for case in cases if case.case_id in kept], left_out
