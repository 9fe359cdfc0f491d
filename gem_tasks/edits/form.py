"""A conversation as YAML for an editor: texts as blocks, arguments as fields."""

from collections.abc import Iterable, Iterator
from typing import Any

import yaml

from gem_tasks.domain.base import Json
from gem_tasks.domain.trajectory import Message
from gem_tasks.prompts.changes import changes

_HEAD = """\
# {title}
#
# Change what is wrong, save, and close the editor. Lines that begin with # at the left edge above the first message are
# not part of the conversation. To cancel, leave everything as it is. The checks run at once.
{notes}
"""


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Indents lists inside objects, too."""
        del indentless
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        """Writes equal parts out."""
        del data
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def as_form(messages: Iterable[Message], title: str = "", notes: Iterable[str] = ()) -> str:
    """The messages as YAML that `reading.read_conversation` reads back, below a comment."""
    data = [_plain(message) for message in messages]
    body = yaml.dump(data, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=1 << 30)
    lines = "".join(f"# {' '.join(note.split())}\n" for note in notes)
    return (_HEAD.format(title=" ".join(title.split()), notes=lines) if title else "") + body


def difference(before: Iterable[Message], after: Iterable[Message]) -> Iterator[str]:
    """The lines that differ, as `diff -u` writes them, without the names of files."""
    lines = list(changes(as_form(before), as_form(after)))
    yield from lines[2:]


def _plain(message: Message) -> Json:
    known = {"role", "content", "tool_calls", "tool_call_id"}
    plain: Json = {"role": message.role, "content": message.content}
    plain |= message.model_dump(exclude=known, exclude_defaults=True)
    if message.tool_calls:
        plain["tool_calls"] = [call.model_dump() for call in message.tool_calls]
    if message.tool_call_id is not None:
        plain["tool_call_id"] = message.tool_call_id
    return plain
