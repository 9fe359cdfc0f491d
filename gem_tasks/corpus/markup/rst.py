"""reStructuredText to Markdown, with docutils; directives and roles of Sphinx and others keep their text.

Nothing outside the text is read: docutils may insert no files and no raw HTML.
"""

import re
from io import StringIO
from typing import Any, ClassVar, cast

from docutils import core as _core
from docutils import nodes as _nodes
from docutils.parsers.rst import Directive, directives, roles
from docutils.parsers.rst.languages import en as _english
from docutils.writers.html5_polyglot import Writer as _Writer

from gem_tasks.corpus.documents.numerals import numeral
from gem_tasks.corpus.html.page import read_whole

core, nodes, english, Writer = (cast("Any", each) for each in (_core, _nodes, _english, _Writer))

_DIRECTIVE = re.compile(r"^[ \t]*\.\. (?:\|[^|\n]{1,100}\| )?([A-Za-z][\w:.+-]{0,60})::(?:[ \t]|$)", re.MULTILINE)
_ROLES = re.compile(r"(?<![\w:.+-])[\w:.+-]++(?<=:)`")
"""What stands before a backquote, perhaps the name of a role."""
_ROLE = re.compile(r":([A-Za-z][\w:.+-]*+)")
_LONGEST_ROLE = 60
_CODE = frozenset("code-block sourcecode prompt console literalinclude doctest testcode testoutput ipython".split())
_SILENT = frozenset(
    """toctree index highlight image module currentmodule automodule autoclass autofunction automethod autosummary
    raw include meta contents sectnum role default-role program tabularcolumns graphviz""".split()
)
"""Without text, or with the text of other files."""
_FORMS = {
    "loweralpha": "lowerLetter",
    "upperalpha": "upperLetter",
    "lowerroman": "lowerRoman",
    "upperroman": "upperRoman",
}
_SETTINGS = {
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "_disable_config": True,
    "report_level": 1,
    "halt_level": 6,
    "line_length_limit": 1_000_000,
    "embed_stylesheet": False,
    "syntax_highlight": "none",
    "math_output": "LaTeX",
    "smart_quotes": False,
}


class _AnyOptions(dict[str, Any]):
    """Accepts every option of a directive."""

    def __missing__(self, name: str) -> Any:
        return directives.unchanged


class _Foreign(Directive):
    """A directive that docutils does not know: its argument and its content are text."""

    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar[Any] = _AnyOptions(name=directives.unchanged)

    def run(self) -> list[Any]:
        """The nodes that take its place."""
        name = self.name.rpartition(":")[2].lower()
        if name in _SILENT:
            return []
        if name in _CODE:
            text = "\n".join(self.content)
            return [nodes.literal_block(text, text)] if text.strip() else []
        found = nodes.container()
        if self.arguments:
            inline, messages = self.state.inline_text(self.arguments[0], self.lineno)
            found += [nodes.paragraph(self.arguments[0], "", *inline), *messages]
        self.state.nested_parse(self.content, self.content_offset, found)
        return [found]


def _foreign_role(role: str, rawtext: str, text: str, *_: Any, **__: Any) -> tuple[list[Any], list[Any]]:
    """A role that docutils does not know: the text that its readers see."""
    title, opened, target = text[:-1].rpartition("<")
    titled = opened and text.endswith(">") and title.strip() and ">" not in target
    shown = title.rstrip() if titled else text.lstrip("!~")
    return [nodes.inline(rawtext, shown.replace("\x00", ""))], []


def rst_to_markdown(text: str) -> str:
    """The text of a page.

    Raises:
        Exception: docutils' own, on input that no person wrote.
    """
    for name in set(_DIRECTIVE.findall(text)):
        if name.lower() not in english.directives or name in _SILENT or name in _CODE:
            directives.register_directive(name.lower(), _Foreign)
    for name in _roles(text):
        if name.lower() not in english.roles:
            roles.register_local_role(name, cast("Any", _foreign_role))
    settings = _SETTINGS | {"warning_stream": StringIO()}
    tree = core.publish_doctree(text, settings_overrides=settings)
    for message in list(tree.findall(nodes.system_message)):
        # What docutils could not read is in the message.
        message.parent.replace(message, [each for each in message.children if isinstance(each, nodes.literal_block)])
    for listed in list(tree.findall(nodes.enumerated_list)):
        _keep_letters(listed)
    writer = Writer()
    core.publish_from_doctree(tree, writer=writer, settings_overrides=settings)
    return read_whole(writer.parts["html_body"])


def _roles(text: str) -> set[str]:
    """Names of the roles, and of what looks like one."""
    found = (_ROLE.search(match[0][:-2]) for match in _ROLES.finditer(text))
    return {match[1] for match in found if match and len(match[1]) <= _LONGEST_ROLE}


def _keep_letters(listed: Any) -> None:
    """Puts letters into the items' text: HTML has them in a style only."""
    form = _FORMS.get(listed["enumtype"])
    if form is None:
        return
    for number, item in enumerate(listed.children, start=int(listed.get("start", 1))):
        label = f"{listed.get('prefix', '')}{numeral(number, form)}{listed.get('suffix', '.')} "
        first = next((each for each in item.findall(nodes.paragraph)), None)
        if first is None:
            continue
        first.insert(0, nodes.Text(label))
    listed.replace_self(nodes.bullet_list("", *listed.children))
