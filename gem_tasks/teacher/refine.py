"""Refine: the draft's business again, with more tools, longer answers, a changing wish, pitfalls and honest limits."""

import random

from gem_tasks.domain.workflow import ToolSpec
from gem_tasks.prompts.dialogue import parse_tools, parse_trajectory, render_tools, render_trajectory
from gem_tasks.teacher.analyse import Analysis, analyse
from gem_tasks.teacher.conversation import Talk
from gem_tasks.teacher.generate import settle
from gem_tasks.teacher.neighbours import neighbours
from gem_tasks.teacher.plan import from_draft
from gem_tasks.teacher.rich_scenes import (
    ask_everything,
    change_mind,
    guide,
    note_down,
    reach_limits,
    tell_apart,
    verify,
)
from gem_tasks.teacher.scenes import (
    CONFIRM_RULE,
    NO_GUESSING_RULE,
    RULES_SHOWN,
    Stage,
    carry_out,
    forbidden,
)
from gem_tasks.teacher.world import World, thing_of

_WANTED_TOOLS = 9
_EXTRA_TOOLS = 4


def answer(sections: dict[str, str], seed: int) -> str:
    """The `<toolsets>` and `<trajectory>` of `prompts/refine.md`."""
    rng = random.Random(seed)  # noqa: S311 - reproducible, not secret
    given = parse_tools(sections.get("tools", "[]"))
    draft = parse_trajectory(sections.get("trajectory", ""), given)
    found = analyse(sections.get("text", ""))
    plan = from_draft(draft)
    main = plan.lookups[0][0][0] if plan.lookups else (plan.writes[0][0] if plan.writes else given[0].name)
    extra = neighbours(thing_of(main), given, min(_EXTRA_TOOLS, max(2, _WANTED_TOOLS - len(given))))
    tools = (*given, *extra)
    world = World(tools, rng, rich=True)
    plan = settle(plan, world, rng)
    stage = Stage(Talk(_system(found, tools, world)), world, plan, found, rng)
    tell_apart(stage)
    stumbles_at = rng.randrange(len(plan.writes)) if plan.writes else -1
    for index, call in enumerate(plan.writes):
        carry_out(stage, call, fails_first=index == stumbles_at)
        if index == 0:
            verify(stage)
            forbidden(stage)
        if index == 1:
            change_mind(stage, call)
    reach_limits(stage)
    guide(stage)
    note_down(stage, extra)
    ask_everything(stage, extra)
    return f"<toolsets>{render_tools(tools)}</toolsets>\n{render_trajectory(stage.talk.messages)}"


def _system(found: Analysis, tools: tuple[ToolSpec, ...], world: World) -> str:
    """Rules numbered and grouped, then the data behind the tools."""
    own = [f"A{number}. {rule}" for number, rule in enumerate(found.rules[:RULES_SHOWN], start=1)]
    general = [f"B{number}. {rule}" for number, rule in enumerate((CONFIRM_RULE, NO_GUESSING_RULE), start=1)]
    tables = sorted({thing_of(tool.name).replace(" ", "_") for tool in tools})[:8]
    data = [f"- {table}({table}_id, name, status, owner, last_changed)" for table in tables]
    keys = ", ".join(sorted(world.ids)[:8])
    parts = ["You are an assistant that works with the tools you are given. Keep to the rules."]
    parts += ["", "A. Rules of the procedure", *own] if own else []
    parts += ["", "B. General rules", *general, "", "Data", *data]
    parts += [f"Identifiers are given out by the system: {keys}."] if keys else []
    parts += ["A record is open, or has the state that the last operation left it in."]
    return "\n".join(parts)
