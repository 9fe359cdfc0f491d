"""Where a model came from, as `gem lineage` shows it."""

from itertools import groupby
from typing import Any

from rich.markup import escape
from rich.tree import Tree

from gem_tasks.domain.base import Json
from gem_tasks.lineage import Ledger
from gem_tasks.visible import visible

_SHOWN = 20


def model_origin(ledger: Ledger, id_: str) -> Json | None:
    """The model of that id or name with its data, evaluations and decisions; None if there is none."""
    found = [model for model in ledger.distill.find_models(id_) if id_ in (model.model_id, model.name)]
    if not found:
        return None
    model_id = found[0].model_id
    return {
        "model": found[0].model_dump(mode="json"),
        **ledger.evaluations.model_origin(model_id),
        "evaluations": [row.model_dump(mode="json") for row in ledger.evaluations.find(model_id=model_id)],
        "decisions": [each.model_dump(mode="json") for each in ledger.evaluations.promotions(model_id)],
    }


def origin_tree(origin: Json) -> Tree:
    """From the model down to the documents."""
    model: Json = origin["model"]
    tree = Tree(f"[bold]model {model['model_id']}[/] {escape(model['name'])}: {model['status']}")
    tree.add(escape(f"base {model['base']}, profile {model['profile']}, at {model['location']}"))
    data = tree.add(f"trained on set {model['set_id']}")
    for version, rows in groupby(origin["recipes"], key=lambda row: row["version"]):
        _version(data, version, list(rows))
    documents: list[dict[str, Any]] = origin["documents"]
    branch = tree.add(f"{len(documents)} documents")
    for row in documents[:_SHOWN]:
        branch.add(
            escape(f"{visible(row['uri'])} ({row['license'] or 'no licence'}): {row['trajectories']} trajectories")
        )
    for row in origin["evaluations"]:
        overall: Json = row["scores"][0] if row["scores"] else {}
        score = f"{100 * overall['value']:.2f} {overall['metric']}" if overall else "no score"
        tree.add(f"evaluation {row['evaluation_id']}: {row['harness']} {score}, {row['settings']['subset']}")
    for row in origin["decisions"]:
        tree.add(escape(f"{row['outcome']} at {row['decided_at']} by {row['decided_by']}: {row['why']}"))
    return tree


def _version(branch: Tree, version: str, rows: list[dict[str, Any]]) -> None:
    head = f"dataset {version}: {rows[0]['trajectories']} trajectories of {rows[0]['documents']} documents"
    node = branch.add(escape(head))
    for row in rows:
        prompt = f", prompt {row['prompt']} {row['prompt_sha256'][:12]}" if row["prompt"] else ""
        made_by = f", model {row['made_by']}" if row["made_by"] else ""
        node.add(escape(f"{row['stage']}: recipe {row['recipe_id']}{made_by}{prompt}"))
