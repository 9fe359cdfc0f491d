"""Generates the page of settings from the classes that read them."""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from gem_tasks.domain.request_options import RequestOptions
from gem_tasks.domain.stage import HAVE_SETTINGS
from gem_tasks.domain.stage_settings import StageSettings
from gem_tasks.settings import Settings
from tools.docs.markdown import code, prose, table

_HEAD = """# Settings

Settings are environment variables. GEM reads unset ones from `{GEM_HOME}/services.env`, which `gem up` writes,
and otherwise uses the defaults below. In a deployment, the Airflow Connections `gem_postgres`, `gem_store` and
`gem_llm` may provide addresses and keys ([operations](../operations.md)).

A setting marked **per stage** also exists for single stages: append SUFFIXES to its name.

GEM never logs secrets, stores them in Postgres, or puts them into a URL.

"""
_REQUESTS = """## Request options

These apply to all stages, or **per stage**. The stage decides unset ones.

"""


def page() -> str:
    """All settings, in the order of the code."""
    rows = list(_rows("GEM_", Settings))
    requests = list(_rows("GEM_LLM_", RequestOptions))
    columns = ("variable", "value", "default", "meaning")
    suffixes = ", ".join(code(f"_{name.upper()}") for name in HAVE_SETTINGS)
    return f"{_HEAD.replace('SUFFIXES', suffixes)}{table(columns, rows)}\n{_REQUESTS}{table(columns, requests)}"


def _rows(prefix: str, model: type[BaseModel]) -> Iterator[tuple[str, str, str, str]]:
    words = _docstrings(model)
    for name, field in model.model_fields.items():
        if field.annotation not in _BY_STAGE:
            variable, mark = prefix + name.upper(), " **Per stage.**" if prefix + name in _OWN else ""
            yield code(variable), _type(field), _default(field), prose(words.get(name, "")) + mark


_BY_STAGE: tuple[Any, ...] = (dict[str, RequestOptions], dict[str, StageSettings])
_OWN = {f"GEM_llm_{name}" for name in StageSettings.model_fields}


def _docstrings(model: type[BaseModel]) -> dict[str, str]:
    """The string below each field."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(model))).body[0]
    lines = tree.body if isinstance(tree, ast.ClassDef) else []
    found: dict[str, str] = {}
    for line, below in pairwise(lines):
        match line, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                found[name] = text
            case _:
                pass
    return found


def _type(field: FieldInfo) -> str:
    found = _named(field.annotation)
    bounds = {type(bound).__name__.lower(): bound for bound in field.metadata}
    limits = [f"{sign} {getattr(bounds[name], name)}" for name, sign in _SIGNS.items() if name in bounds]
    return f"{found} {', '.join(limits)}".strip()


_SIGNS = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}
_NAMES: dict[Any, str] = {
    str: "text", int: "integer", float: "number", bool: "true or false", SecretStr: "secret",
}  # fmt: skip


def _named(annotation: Any) -> str:
    """A type in words."""
    if annotation in _NAMES:
        return _NAMES[annotation]
    text = str(annotation)
    if choices := re.findall(r"'([^']*)'", text if "Literal" in text else ""):
        return ", ".join([*(["number"] if "float" in text else []), *map(code, choices)])
    for known, words in (("KeyCommand", "a command"), ("Path", "a path"), ("SecretStr", "secret")):
        if known in text and "dict" not in text:
            return words
    for known, words in (("dict", "a JSON object"), ("float", "number"), ("int", "integer"), ("bool", "true or false")):
        if known in text:
            return words
    return "text"


def _default(field: FieldInfo) -> str:
    return code(field.default) if field.default not in (None, "") and not field.default_factory else ""
