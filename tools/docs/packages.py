"""Generates the page of modules: the purpose of each, from the first line of its docstring."""

import ast
from pathlib import Path

from tools.docs.markdown import prose, table

_HEAD = """# Modules

The purpose of each module, for people who change GEM. Only [Python](python.md) lists stable interfaces;
modules listed here may move.

"""


def page(root: Path) -> str:
    """All packages below the root, with their modules."""
    parts = [_HEAD]
    for folder in sorted(path.parent for path in root.rglob("__init__.py")):
        rows = [(f"`{path.stem}`", _first_line(path)) for path in sorted(folder.glob("*.py")) if path.stem[0] != "_"]
        rows += [(f"`{path.stem}`", _first_line(path)) for path in sorted(folder.glob("_[a-z]*.py"))]
        name = ".".join(folder.relative_to(root.parent).parts)
        parts.append(f"## `{name}`\n\n{_first_line(folder / '__init__.py')}\n\n")
        if rows:
            parts.append(table(("module", "purpose"), rows) + "\n")
    return "".join(parts)


def _first_line(path: Path) -> str:
    words = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return prose(words.partition("\n\n")[0].replace("\n", " "))
