"""Where a model came from, as `gem lineage` shows it."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from rich.markup import escape
from rich.tree import Tree

from gem_tasks.domain.base import Value
from gem_tasks.domain.distill import Model
from gem_tasks.domain.promotion import Promotion
from gem_tasks.lineage import EvaluationRow, Ledger
from gem_tasks.lineage.evaluations import OriginDocument, OriginRecipe
from gem_tasks.visible import visible

_SHOWN = 20


class Origin(Value):
    """A model with its data, evaluations and decisions."""

    model: Model
    recipes: tuple[OriginRecipe, ...]
    documents: tuple[OriginDocument, ...]
    evaluations: tuple[EvaluationRow, ...]
    decisions: tuple[Promotion, ...]


def model_origin(ledger: Ledger, id_: str) -> Origin | None:
    """That of the model of that id or name; None if there is none."""
    found = [model for model in ledger.distill.find_models(id_) if id_ in (model.model_id, model.name)]
    if not found:
        return None
    model_id = found[0].model_id
    return Origin(
        model=found[0],
        recipes=tuple(ledger.evaluations.origin_recipes(model_id)),
        documents=tuple(ledger.evaluations.origin_documents(model_id)),
        evaluations=tuple(ledger.evaluations.find(model_id=model_id)),
        decisions=tuple(ledger.evaluations.promotions(model_id)),
    )


def origin_tree(origin: Origin) -> Tree:
    """From the model down to the documents."""
    model = origin.model
    tree = Tree(f"[bold]model {model.model_id}[/] {escape(model.name)}: {model.status}")
    tree.add(escape(f"base {model.base}, profile {model.profile}, at {model.location}"))
    data = tree.add(f"trained on set {model.set_id}")
    for version, rows in groupby(origin.recipes, key=lambda row: row.version):
        _version(data, version, list(rows))
    branch = tree.add(f"{len(origin.documents)} documents")
    for row in origin.documents[:_SHOWN]:
        branch.add(escape(f"{visible(row.uri)} ({row.license or 'no licence'}): {row.trajectories} trajectories"))
    for line in (*_evaluated(origin.evaluations), *_decided(origin.decisions)):
        tree.add(line)
    return tree


def _version(branch: Tree, version: str, rows: Sequence[OriginRecipe]) -> None:
    node = branch.add(
        escape(f"dataset {version}: {rows[0].trajectories} trajectories of {rows[0].documents} documents")
    )
    for row in rows:
        prompt = f", prompt {row.prompt} {row.prompt_sha256[:12]}" if row.prompt and row.prompt_sha256 else ""
        made_by = f", model {row.made_by}" if row.made_by else ""
        node.add(escape(f"{row.stage}: recipe {row.recipe_id}{made_by}{prompt}"))


def _evaluated(rows: Iterable[EvaluationRow]) -> list[str]:
    return [f"evaluation {row.evaluation_id}: {row.harness} {_score(row)}, {row.settings['subset']}" for row in rows]


def _score(row: EvaluationRow) -> str:
    return f"{100 * row.scores[0]['value']:.2f} {row.scores[0]['metric']}" if row.scores else "no score"


def _decided(rows: Iterable[Promotion]) -> list[str]:
    # Written as in the JSON: with a T between day and hour.
    plain = [row.model_dump(mode="json") for row in rows]
    return [escape(f"{row['outcome']} at {row['decided_at']} by {row['decided_by']}: {row['why']}") for row in plain]
