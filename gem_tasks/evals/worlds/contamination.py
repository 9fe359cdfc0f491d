"""Tasks of texts that a model was trained on say nothing about it: they are left out."""

from collections.abc import Sequence

from gem_tasks.domain.distill import Model
from gem_tasks.errors import UserError
from gem_tasks.evals.worlds.cases import Case
from gem_tasks.lineage import Ledger

_WHY = "the model was trained on the document"


def untrained(ledger: Ledger, model: Model, cases: Sequence[Case]) -> tuple[list[Case], dict[str, str]]:
    """Cases of documents outside the model's training set, and why others are left out, by case.

    A document is also known by its address and its copies. Of worlds from elsewhere the lineage knows nothing.

    Raises:
        UserError: no case is left.
    """
    if model.set_id is None:
        return list(cases), {}
    documents = {case.case_id: case.shelf.segment_id.rpartition(".")[0] for case in cases}
    trained = ledger.evaluations.trained_on(model.set_id, sorted(set(documents.values())))
    left_out = {case_id: _WHY for case_id, document in documents.items() if document in trained}
    found = [case for case in cases if case.case_id not in left_out]
    if not found:
        raise UserError(
            f"{model.model_id} was trained on the documents of all tasks",
            "Name the set that it was trained on: its test split is held out.",
        )
    return found, left_out
