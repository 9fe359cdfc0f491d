"""Every regular expression of the packages: compiled at import, written in a call of `re`, made by a function."""

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import gem_tasks
import offline_teacher
from gem_tasks.patterns import IgnoringCase

PACKAGES = (gem_tasks, offline_teacher)
_USES = frozenset({"search", "match", "fullmatch", "finditer", "findall", "sub", "subn", "split", "scanner", "first"})
_ALL = ("search", "match", "fullmatch", "finditer", "sub")
_FLAGS_AT = {
    "compile": 1,
    "search": 2,
    "match": 2,
    "fullmatch": 2,
    "findall": 2,
    "finditer": 2,
    "split": 3,
    "sub": 4,
    "subn": 4,
}


class Found(NamedTuple):
    """A pattern, where it is, and how it is used there."""

    where: str
    pattern: re.Pattern[Any]
    uses: tuple[str, ...]
    folds: bool = False
    """The text is folded before."""


def modules() -> list[ModuleType]:
    """All of both packages, imported."""
    names = (
        each.name for package in PACKAGES for each in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    )
    return [importlib.import_module(name) for name in names if not name.endswith("__main__")]


def patterns() -> list[Found]:
    """One entry for each pattern and module."""
    found: dict[tuple[str, Any, int], Found] = {}
    for module in modules():
        tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
        for each in (*_compiled(module, tree), *_written(module, tree)):
            found.setdefault((module.__name__, each.pattern.pattern, each.pattern.flags), each)
    return list(found.values())


def _compiled(module: ModuleType, tree: ast.Module) -> Iterator[Found]:
    for name, value in list(vars(module).items()):
        for pattern in _within(value):
            uses = tuple(sorted(_uses_of(name, tree) or _uses_of(None, tree))) or _ALL
            folds = isinstance(pattern, IgnoringCase)
            yield Found(f"{module.__name__}.{name}", pattern.compiled if folds else pattern, uses, folds)


def _within(value: Any) -> Iterator[re.Pattern[Any] | IgnoringCase]:
    if isinstance(value, re.Pattern | IgnoringCase):
        yield value
    elif isinstance(value, dict):
        yield from _within(tuple(value.values()))
    elif isinstance(value, list | tuple | set | frozenset):
        for part in value:
            yield from _within(part)


def _uses_of(name: str | None, tree: ast.Module) -> set[str]:
    """How a pattern is used; without a name, how those of a loop are that have no name of their own."""
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in _USES
        for part in ast.walk(node.value)
        if isinstance(part, ast.Name) and (part.id == name if name else part.id.islower() and part.id != "re")
    }


def _written(module: ModuleType, tree: ast.Module) -> Iterator[Found]:
    """Calls such as `re.sub(r"…", …)`, as far as the names of the module say what the pattern is."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
            continue
        if isinstance(node.func.value, ast.Name) and node.func.value.id == "re" and node.func.attr in _FLAGS_AT:
            kind, where = node.func.attr, f"{module.__name__}:{node.lineno}"
            try:
                pattern = _value(node.args[0], module)
                flags = [word.value for word in node.keywords if word.arg == "flags"]
                flags += node.args[_FLAGS_AT[kind] : _FLAGS_AT[kind] + 1]
                made = re.compile(pattern, _value(flags[0], module) if flags else 0)
            except (NameError, TypeError):
                yield Found(where, re.compile(""), ())  # made of what is known at run time only
                continue
            yield Found(where, made, (kind,) if kind != "compile" else _ALL)


def _value(node: ast.expr, module: ModuleType) -> Any:
    return eval(compile(ast.Expression(node), "<pattern>", "eval"), dict(vars(module)))
