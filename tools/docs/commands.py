"""Generates the page of commands from the command-line application."""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

from gem_tasks.cli.main import app
from tools.docs.markdown import code, prose, table

_EXAMPLES = "Examples:"
_HEAD = """# Commands

`gem COMMAND --help` shows the same. The exit code is 0 after success, 2 for an error
that you can fix (one line says what is wrong, and what to do), and 1 if GEM or a run failed.
With `--json`, a command prints only JSON.

"""


def page() -> str:
    """All commands with their arguments and options; in panels, if the application has any."""
    group: Any = typer.main.get_command(app)
    found = list(group.commands.items())
    panels = dict.fromkeys(_panel(command) for _, command in found)
    parts = [_HEAD]
    for panel in panels:
        if panel:
            parts.append(f"## {panel}\n\n")
        level = 3 if panel else 2
        for name, command in found:
            if _panel(command) == panel and not command.hidden:
                parts.extend(_sections(f"gem {name}", command, level))
    return "".join(parts)


def _panel(command: Any) -> str | None:
    panel = getattr(command, "rich_help_panel", None)
    return panel if isinstance(panel, str) else None


def _sections(name: str, command: Any, level: int) -> Iterator[str]:
    yield f"{'#' * level} {name}\n\n{_help(command)}"
    if parameters := [row for row in map(_parameter, command.params) if row]:
        yield table(("option", "value", "meaning"), parameters) + "\n"
    for child, below in getattr(command, "commands", {}).items():
        yield from _sections(f"{name} {child}", below, min(level + 1, 4))


def _help(command: Any) -> str:
    text, _, examples = inspect.cleandoc(command.help or "").partition(_EXAMPLES)
    shown = f"{prose(text.strip())}\n\n"
    if examples.strip():
        shown += f"```bash\n{inspect.cleandoc(examples).strip()}\n```\n\n"
    return shown


def _parameter(parameter: Any) -> tuple[str, str, str] | None:
    if parameter.name == "help" or getattr(parameter, "hidden", False):
        return None
    names = ", ".join(code(name) for name in (*parameter.opts, *parameter.secondary_opts))
    if parameter.param_type_name == "argument":
        names = code(parameter.metavar or parameter.name.upper().strip("_"))
    words = prose(getattr(parameter, "help", None) or "")
    default = parameter.default
    if default not in (None, False, "", ()) and not callable(default):
        words = f"{words} Default: {code(default)}."
    if parameter.required:
        words = f"{words} Required."
    return names, _value(parameter), words.strip()


def _value(parameter: Any) -> str:
    """The value of an option; empty for a flag."""
    if getattr(parameter, "is_flag", False):
        return ""
    kind = parameter.type_descriptor.annotation
    metavar = parameter.metavar if parameter.param_type_name == "option" else None
    return metavar or _KINDS.get(kind, getattr(kind, "__name__", str(kind)).lower())


_KINDS: dict[Any, str] = {str: "text", int: "integer", float: "number", Path: "path"}
