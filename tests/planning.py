"""What a run does before its stages: registers its recipes, and plans."""

from gem_tasks.pipeline.rebuild import plan as planning
from gem_tasks.pipeline.run_recipes import register_recipes
from gem_tasks.pipeline.workspace import Workspace


def plan(work: Workspace, partition: str) -> list[planning.ShardRef]:
    """The shards with work left, under registered recipes."""
    register_recipes(work)
    return planning.plan(work, partition)
