"""The name of a tool's function in the code."""

import re
from collections.abc import Iterable

HELPERS = (
    "fail", "failKeeping", "nextId", "clone", "values", "filterBy", "sortBy", "page", "addSeconds",
)  # fmt: skip
"""What the runtime gives to the code."""
_LANGUAGE = frozenset(
    "arguments await break case catch class const continue debugger default delete do else enum eval export extends "
    "false finally for function if implements import in instanceof interface let new null package private protected "
    "public return static super switch this throw true try typeof undefined var void while with yield "
    "NaN Infinity globalThis Array BigInt Boolean Error JSON Map Math Number Object RegExp Set String Symbol".split()
)
_TAKEN = _LANGUAGE | frozenset(HELPERS)


def function_name(tool: str) -> str:
    """The function of a tool: `_` for each `-`, `_` before a digit, and `_` after a word with another meaning.

    `get-order` is `get_order`, `2fa` is `_2fa`, `delete` is `delete_`, `page` is `page_`.
    """
    name = re.sub(r"^(?=\d)", "_", tool.replace("-", "_"))
    return f"{name}_" if name in _TAKEN else name


def collision(tools: Iterable[str]) -> str | None:
    """Two tools that would have the same function, for people to read, or None."""
    seen: dict[str, str] = {}
    for tool in tools:
        name = function_name(tool)
        if name in seen:
            return f"the tools {seen[name]} and {tool} would both be the function {name}"
        seen[name] = tool
    return None
