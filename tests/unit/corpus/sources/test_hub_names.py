"""A name that the Hub's client refuses by its own rules."""

import pytest

from gem_tasks.corpus.sources.listing import list_objects
from gem_tasks.errors import UserError


@pytest.mark.parametrize("name", ["a/b--c", "-a/b", "a/b..c"])
def test_a_name_against_the_hub_s_rules_is_one_line(name):
    with pytest.raises(UserError, match=f"hf://datasets/{name} cannot be listed"):
        next(list_objects(f"hf://datasets/{name}"))
