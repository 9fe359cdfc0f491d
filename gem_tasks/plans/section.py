"""A plan as a section of a request."""

from gem_tasks.domain.plan import Plan

_DRAFTED = 2 / 3
"""A draft's length by the refined one's: 30 messages of 46 in the paper."""
_SHORTEST = 16
"""Messages of a draft at least, where the plan has as many: a workflow of a handful of calls takes them."""
TITLES = {
    "temper": "The user's temper", "expertise": "Expertise", "verbosity": "Wordiness", "register": "Tone",
    "disclosure": "Details",
    "language": "Language", "opening": "Opening", "ending": "Ending", "change_of_mind": "Change of mind",
    "look_alikes": "Look-alikes", "voice": "The assistant's voice", "system_turn": "Form of the system turn",
    "parallel_calls": "Calls",
}  # fmt: skip
"""Menus that a plan puts into words, in order."""


def render(plan: Plan, *, draft: bool = False) -> str:
    """The section's lines: the person, the course, the length, the patterns.

    Args:
        plan: what was drawn.
        draft: whether it is for the draft, which is shorter than what becomes of it.
    """
    share = _DRAFTED if draft else 1
    messages = max(min(_SHORTEST, plan.messages), round(plan.messages * share))
    turns = max(2, round(plan.user_turns * share))
    lines = [f"- {title}: {plan.words[menu]}" for menu, title in TITLES.items()]
    lines += [f"- Length: about {messages} messages, system turn and tool results counted.", f"- User turns: {turns}."]
    if not plan.patterns:
        return "\n".join([*lines, "- Patterns: none. No call fails, and what the user takes for granted is so."])
    return "\n".join([*lines, "- Patterns, each once:", *(f"  - {plan.words[name]}" for name in plan.patterns)])
