"""Tools and their functions."""

import pytest
from pydantic import ValidationError

from gem_tasks.worlds.names import function_name
from gem_tasks.worlds.world import Tool, World


@pytest.mark.parametrize(
    ("tool", "function"),
    [
        ("get_order", "get_order"),
        ("get-order", "get_order"),
        ("2fa-reset", "_2fa_reset"),
        ("-", "_"),
        ("delete", "delete_"),
        ("default", "default_"),
        ("page", "page_"),
        ("failKeeping", "failKeeping_"),
        ("JSON", "JSON_"),
        ("Delete", "Delete"),
        ("constructor", "constructor"),
    ],
)
def test_a_tools_function_is_a_name_of_the_language_that_has_no_other_meaning(tool, function):
    assert function_name(tool) == function


@pytest.mark.parametrize("names", [("get-order", "get_order"), ("delete", "delete_"), ("2fa", "_2fa"), ("a", "a")])
def test_two_tools_of_one_function_are_refused_with_both_names(names):
    with pytest.raises(ValidationError, match=f"the tools {names[0]} and {names[1]} would both be the function"):
        World(state={}, code="", tools=tuple(Tool(name=name, parameters={}) for name in names))


@pytest.mark.parametrize("name", ["", "a.b", "a b", "x" * 65, "ä", "a\n"])
def test_names_that_the_api_refuses_are_refused(name):
    with pytest.raises(ValidationError, match="String should match pattern"):
        Tool(name=name, parameters={})
