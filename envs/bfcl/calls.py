"""Calls that a model under test wrote, carried out without evaluating text as Python.

bfcl-eval builds `instance.method(name=value, …)` from what the model returned and gives it to `eval`, so a "name" such as
`open('x').read() or str` is a program. Here the text has to be one call of a public method of one of the case's objects, with
arguments by name or position that are literals; anything else is an invalid call, which the model is told and scored by.
"""

import ast
import inspect
import json
from collections.abc import Callable, Mapping

MOST_CHARACTERS = 100_000


class InvalidCall(Exception):
    """The model's text is not a method call with literals."""


def arguments(text: str) -> tuple[str, list[object], dict[str, object]]:
    """The dotted name, the arguments by position and those by name.

    Raises:
        InvalidCall: it is something else than a name with literals.
    """
    if len(text) > MOST_CHARACTERS:
        raise InvalidCall(f"a call of more than {MOST_CHARACTERS} characters")
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise InvalidCall("not a function call") from None
    if not isinstance(node, ast.Call):
        raise InvalidCall("not a function call")
    by_name: dict[str, object] = {}
    for each in node.keywords:
        if each.arg is None or each.arg in by_name:
            raise InvalidCall("arguments have to be named one by one")
        by_name[each.arg] = literal(each.value)
    return dotted(node.func), [literal(each) for each in node.args], by_name


def dotted(node: ast.expr) -> str:
    """`name`, or `instance.name`.

    Raises:
        InvalidCall: it is not a name.
    """
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{node.value.id}.{node.attr}"
    raise InvalidCall("the function of a call has to be a name")


def literal(node: ast.expr | str) -> object:
    """A value that is written out, as JSON could; also in place of the `eval` with which bfcl-eval reads arithmetic.

    Raises:
        InvalidCall: it has to be computed, or is a set, bytes, a number without end and the like, which bfcl-eval cannot
            write down.
    """
    try:
        found = ast.literal_eval(node)
        json.dumps(found, allow_nan=False)
        return found
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise InvalidCall("arguments have to be literals") from None


def caller(instances: Mapping[str, object], known: Callable[[object], bool]) -> Callable[[str], object]:
    """In place of `eval` where bfcl-eval carries out a call.

    Args:
        instances: objects by name, which grow as cases begin.
        known: whether an object is one of the case's, not something else of that module.
    """

    def call(text: str) -> object:
        name, by_position, by_name = arguments(text)
        instance, _, method = name.rpartition(".")
        target = instances.get(instance)
        if target is None or not known(target):
            raise NameError(f"name '{method}' is not defined")
        found = None if method.startswith("_") else inspect.getattr_static(type(target), method, None)
        if not inspect.isfunction(found):
            raise NameError(f"name '{method}' is not defined")
        return getattr(target, method)(*by_position, **by_name)

    return call
