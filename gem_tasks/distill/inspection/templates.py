"""Chat templates, which are programs: read for what no template needs, then tried on a short conversation.

They are rendered with the sandbox, tags and functions that Transformers gives them. A template that only attacks
certain texts passes here; its server runs confined.
"""

import json
import signal
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any, cast

from jinja2 import TemplateError, nodes
from jinja2.exceptions import SecurityError, TemplateSyntaxError
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from gem_tasks.distill.inspection.refused import RefusedError

_MOST_CHARACTERS = 1 << 20
_CPU_S = 5.0
_CALL = {"id": "call00001", "type": "function", "function": {"name": "look_up", "arguments": {"key": "a b"}}}
_PARAMETERS = {"type": "object", "properties": {"key": {"type": "string"}}, "required": ["key"]}
_TOOLS = [{"type": "function", "function": {"name": "look_up", "description": "Looks up.", "parameters": _PARAMETERS}}]
_TURNS: list[dict[str, Any]] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "What is under a b?"},
    {"role": "assistant", "content": "", "tool_calls": [_CALL]},
    {"role": "tool", "name": "look_up", "tool_call_id": "call00001", "content": '{"found": 7}'},
    {"role": "assistant", "content": "Seven."},
]
_NAMES = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
_TRIALS: list[dict[str, Any]] = [
    {"messages": _TURNS, "tools": _TOOLS, "add_generation_prompt": False},
    {"messages": _TURNS[:2], "tools": _TOOLS, "add_generation_prompt": True},
    {"messages": [_TURNS[1], _TURNS[4]], "tools": None, "add_generation_prompt": False},
    {"messages": _TURNS[1:2], "tools": None, "add_generation_prompt": True, "enable_thinking": False},
]


class _Generation(Extension):
    """The tag with which templates mark what an assistant says."""

    tags = {"generation"}  # noqa: RUF012 - as Jinja declares it

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def texts(data: object) -> Iterator[str]:
    """All templates in a JSON file: under `chat_template`, alone, in a list of named ones, or by name."""
    waiting = [data]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            known = cast("dict[str, Any]", value)
            if "chat_template" in known:
                yield from _strings(known["chat_template"])
            waiting += [each for key, each in known.items() if key != "chat_template"]
        elif isinstance(value, list):
            waiting += cast("list[Any]", value)


def _strings(value: object) -> Iterator[str]:
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, dict | list):
            waiting += cast("dict[str, Any]", each).values() if isinstance(each, dict) else cast("list[Any]", each)


def check(name: str, text: str) -> None:
    """Reads and tries a template.

    Raises:
        RefusedError: it reaches for Python, for other files, or for too much time or memory.
    """
    if len(text) > _MOST_CHARACTERS:
        raise RefusedError(f"the template in {name} has over {_MOST_CHARACTERS} characters")
    try:
        with _limited(_CPU_S):
            environment = _environment()
            _refuse_reaching(name, environment.parse(text))
            template = environment.from_string(text)
            for trial in _TRIALS:
                _render(name, lambda trial=trial: template.render(**_NAMES, **trial))
    except TemplateSyntaxError as error:
        raise RefusedError(f"the template in {name} is not Jinja: {str(error)[:100]}") from None
    except _TooSlowError:
        raise RefusedError(f"the template in {name} takes over {_CPU_S:.0f} s for a short conversation") from None
    except (MemoryError, OverflowError, RecursionError) as error:
        raise RefusedError(f"the template in {name} asks for too much ({type(error).__name__})") from None


def _render(name: str, render: Callable[[], str]) -> None:
    try:
        said = render()
    except SecurityError:
        raise RefusedError(f"the template in {name} reaches for Python's insides") from None
    except (MemoryError, OverflowError, RecursionError, TemplateSyntaxError):
        raise
    except (TemplateError, TypeError, ValueError, AttributeError, LookupError, ArithmeticError):
        return  # this conversation does not suit it: whether those of a set do is said when they are rendered
    if len(said) > _MOST_CHARACTERS:
        raise RefusedError(f"the template in {name} makes {len(said)} characters of a short conversation")


def _refuse_reaching(name: str, tree: nodes.Template) -> None:
    """No template of a conversation names private attributes or other templates.

    Raises:
        RefusedError: this one does.
    """
    for each in tree.find_all((nodes.Getattr, nodes.Getitem, nodes.Filter, nodes.Include, nodes.Import,
                               nodes.FromImport, nodes.Extends)):  # fmt: skip
        if isinstance(each, nodes.Getattr):
            found = each.attr
        elif isinstance(each, nodes.Getitem):
            found = each.arg.value if isinstance(each.arg, nodes.Const) else ""
        elif isinstance(each, nodes.Filter):
            found = "__" if each.name == "attr" else ""
        else:
            raise RefusedError(f"the template in {name} reads another template")
        if isinstance(found, str) and found.startswith("__"):
            raise RefusedError(f"the template in {name} reaches for Python's insides")


def _environment() -> ImmutableSandboxedEnvironment:
    made = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, loopcontrols])
    made.filters.update(tojson=_tojson)
    made.globals.update(raise_exception=_raise, strftime_now=lambda form: str(form)[:100])  # pyright: ignore[reportArgumentType, reportCallIssue]
    return made


def _tojson(value: Any, indent: int | None = None, **ignored: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _raise(message: object) -> None:
    raise TemplateError(str(message)[:200])


class _TooSlowError(BaseException):
    """Not an `Exception`, so that nothing within Jinja takes it for a fault of the template."""


@contextmanager
def _limited(seconds: float) -> Generator[None]:
    """Raises `_TooSlowError` in the block after this CPU time."""

    def stop(*_: object) -> None:
        raise _TooSlowError

    signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
