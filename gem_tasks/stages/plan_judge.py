"""The question what a conversation is like, and its answer. The judge does not see the plan. Pure."""

from collections.abc import Sequence
from typing import Any, cast

from gem_tasks.domain.base import Json
from gem_tasks.domain.chat import ChatMessage, Sampling
from gem_tasks.domain.realised import OTHER, Found
from gem_tasks.domain.trajectory import Message
from gem_tasks.plans import Menus
from gem_tasks.plans.section import TITLES
from gem_tasks.prompts import Prompt, load
from gem_tasks.prompts.dialogue import render_trajectory
from gem_tasks.prompts.tags import TagError, json_object_in, parse_json, strip_thinking

NAME = "plan_judge"
"""Of the prompt, in the lineage too."""
SAMPLING = Sampling(temperature=0, max_tokens=2048, least=384)
BY_CODE = ("language", "parallel_calls", "length")
"""Menus that need no judge."""
ERROR_RECOVERY = "error_recovery"
_LONGEST = 80


def prompt() -> Prompt:
    """GEM's own."""
    return load(NAME)


def asked_menus(menus: Menus) -> dict[str, dict[str, str]]:
    """The menus that a judge answers: words by option."""
    return {
        menu: {name: option.says for name, option in menus.by_name[menu].items()}
        for menu in TITLES
        if menu not in BY_CODE
    }


def request(menus: Menus, messages: Sequence[Message]) -> tuple[ChatMessage, ...]:
    """Sends the menus and the conversation, with numbered messages."""
    return prompt().messages(menus=_menus(menus), conversation=render_trajectory(messages, numbered=True))


def answer_schema(menus: Menus) -> Json:
    """JSON schema of the answer, strict."""
    choices: Json = {
        menu: {"type": "string", "enum": [*options, OTHER]} for menu, options in asked_menus(menus).items()
    }
    patterns: Json = {name: {"type": "integer"} for name in menus.patterns}
    return _object({"choices": _object(choices), "patterns": _object(patterns)})


def parse(text: str, menus: Menus, messages: Sequence[Message], *, tool_error: bool) -> Found:
    """Reads an answer. What it lacks, or what cannot be so, is unreadable with a reason; the rest counts.

    Args:
        text: the completion.
        menus: those of the request.
        messages: the conversation.
        tool_error: whether a result reports an error.

    Raises:
        TagError: all of it is unreadable; the message is for the model.
    """
    found = parse_json(json_object_in(strip_thinking(text)), "the answer")
    parts = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
    choices, patterns = parts.get("choices"), parts.get("patterns")
    if not isinstance(choices, dict) or not isinstance(patterns, dict):
        raise TagError('the answer must be an object with the objects "choices" and "patterns"')
    unreadable: dict[str, str] = {}
    chosen = _choices(cast("dict[str, Any]", choices), menus, unreadable)
    places = _patterns(cast("dict[str, Any]", patterns), menus, messages, unreadable)
    if places.get(ERROR_RECOVERY) and not tool_error:
        unreadable[ERROR_RECOVERY] = f"message {places.pop(ERROR_RECOVERY)}, but no result reports an error"
    if not chosen and not places:
        raise TagError('"choices" and "patterns" hold none of the menus and patterns asked for')
    return Found(choices=chosen, patterns=places, unreadable=unreadable)


def _choices(given: dict[str, Any], menus: Menus, unreadable: dict[str, str]) -> dict[str, str]:
    chosen: dict[str, str] = {}
    for menu, options in asked_menus(menus).items():
        option = given.get(menu)
        if isinstance(option, bool):  # `yes` and `no` of YAML, and of models
            option = "yes" if option else "no"
        option = option.strip().lower() if isinstance(option, str) else option
        if option in (*options, OTHER):
            chosen[menu] = option
        else:
            unreadable[menu] = "no answer" if option is None else f"{_short(option)} is no option"
    return chosen


def _patterns(
    given: dict[str, Any], menus: Menus, messages: Sequence[Message], unreadable: dict[str, str]
) -> dict[str, int]:
    places: dict[str, int] = {}
    for name in menus.patterns:
        at = given.get(name)
        if isinstance(at, str) and at.strip().isdecimal() and len(at) < 6:
            at = int(at)
        if type(at) is not int:
            unreadable[name] = "no answer" if at is None else f"{_short(at)} is no number of a message"
        elif not 0 <= at < len(messages):
            unreadable[name] = f"there is no message {at}"
        else:
            places[name] = at
    return places


def _short(given: object) -> str:
    return repr(given)[:_LONGEST]


def _menus(menus: Menus) -> str:
    lines: list[str] = []
    for menu, options in asked_menus(menus).items():
        lines += [f"{menu} ({TITLES[menu]}), one of:", *(f"- {name}: {says}" for name, says in options.items())]
    return "\n".join([*lines, "patterns, each by itself:", *_pattern_lines(menus)])


def _pattern_lines(menus: Menus) -> list[str]:
    return [f"- {name}: {option.says}" for name, option in menus.patterns.items()]


def _object(properties: Json) -> Json:
    return {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}
