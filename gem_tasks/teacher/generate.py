"""Generate: a conversation that carries the workflow out: a clarification, a refusal, an error recovered from."""

import json
import random
from typing import Any

from gem_tasks.prompts.dialogue import parse_tools, render_trajectory
from gem_tasks.teacher.analyse import Analysis, analyse
from gem_tasks.teacher.conversation import Talk
from gem_tasks.teacher.plan import Plan, from_workflow
from gem_tasks.teacher.scenes import (
    CONFIRM_RULE,
    NO_GUESSING_RULE,
    RULES_SHOWN,
    Stage,
    ask_state,
    carry_out,
    forbidden,
    known_name,
    open_and_find,
)
from gem_tasks.teacher.world import World


def answer(sections: dict[str, str], seed: int) -> str:
    """The `<trajectory>` of `prompts/generate.md`."""
    rng = random.Random(seed)  # noqa: S311 - reproducible, not secret
    tools = parse_tools(sections.get("tools", "[]"))
    workflow: dict[str, Any] = json.loads(sections.get("workflow") or "{}")
    found = analyse(sections.get("text", ""))
    world = World(tools, rng)
    plan = settle(from_workflow(workflow, tools, rng), world, rng)
    stage = Stage(Talk(_system(found, str(workflow.get("description", "")))), world, plan, found, rng)
    open_and_find(stage)
    stumbles_at = rng.randrange(len(plan.writes)) if plan.writes else -1
    for index, call in enumerate(plan.writes):
        carry_out(stage, call, fails_first=index == stumbles_at)
        if index == 0:
            forbidden(stage)
    ask_state(stage)
    return render_trajectory(stage.talk.messages)


def settle(plan: Plan, world: World, rng: random.Random) -> Plan:
    """The plan with the world's identifiers in every call, and the world named after what is looked for."""
    settled = Plan(
        [[(name, world.settle(name, arguments)) for name, arguments in node] for node in plan.lookups],
        [(name, world.settle(name, arguments)) for name, arguments in plan.writes],
    )
    world.name = known_name(settled, world, rng)
    return settled


def _system(found: Analysis, purpose: str) -> str:
    rules = [*found.rules[:RULES_SHOWN], CONFIRM_RULE, NO_GUESSING_RULE]
    lines = "\n".join(f"{number}. {rule}" for number, rule in enumerate(rules, start=1))
    return f"You are an assistant that works with the tools you are given. Your task: {purpose}\n\nRules:\n{lines}"
