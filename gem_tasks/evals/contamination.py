"""Cases of texts that a model was trained on say nothing about it: they are left out."""

from collections.abc import Mapping, Set

from gem_tasks.domain.distill import Model
from gem_tasks.errors import UserError
from gem_tasks.lineage import Ledger

_WHY = "the model was trained on the document"


def untrained(ledger: Ledger, model: Model, documents: Mapping[str, str | None]) -> tuple[Set[str], dict[str, str]]:
    """Cases of documents outside the model's training set, and why others are left out, by case.

    A document is also known by its address and its copies. Of documents from elsewhere the lineage knows nothing.

    Args:
        ledger: the lineage.
        model: the model to measure.
        documents: the document of each case; None if it is not known.

    Raises:
        UserError: no case is left.
    """
    if model.set_id is None:
        return documents.keys(), {}
    known = sorted(set(filter(None, documents.values())))
    trained = ledger.evaluations.trained_on(model.set_id, known)
    left_out = {case: _WHY for case, document in documents.items() if document in trained}
    if len(left_out) == len(documents):
        raise UserError(
            f"{model.model_id} was trained on the documents of all cases",
            "Name the set that it was trained on: its test split is held out.",
        )
    return documents.keys() - left_out.keys(), left_out
