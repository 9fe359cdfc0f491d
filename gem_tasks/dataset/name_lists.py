"""Lists of given names, surnames and ordinary words of about 80 countries, from Faker's data.

Only scripts with capital letters: elsewhere a name cannot be told from the words beside it by lists.
"""

import pkgutil
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any, NamedTuple, cast


class Lists(NamedTuple):
    """Single words, as they are written."""

    given: frozenset[str]
    common: frozenset[str]
    """Those given names that more than one country has."""
    everywhere: frozenset[str]
    """Those that are in no country's list, only in one of all words that were ever a name."""
    surnames: frozenset[str]
    ordinary: frozenset[str]
    """Frequent words that are no names, in lower case."""


@cache
def lists() -> Lists:
    """The lists, read on first use, which takes about half a second."""
    import faker.providers.lorem as lorem
    import faker.providers.person as person

    countries: Counter[str] = Counter()
    surnames: set[str] = set()
    for place, provider in _providers(person):
        given = set(_named(provider, ("first_name", "first_romanized")))
        surnames.update(_named(provider, ("last_name", "last_romanized")))
        # The list without a country has every word that was ever a name.
        countries.update({name: 1 if "_" in place else 0 for name in given})
    common = frozenset(name for name, count in countries.items() if count > 1)
    ordinary = {
        word for _, each in _providers(lorem) for word in _words(getattr(each, "word_list", ())) if word.islower()
    }
    everywhere = frozenset(name for name, count in countries.items() if not count)
    return Lists(frozenset(countries), common, everywhere, frozenset(surnames), frozenset(ordinary))


def _providers(package: ModuleType) -> Iterator[tuple[str, Any]]:
    for each in pkgutil.iter_modules(package.__path__):
        yield each.name, import_module(f"{package.__name__}.{each.name}").Provider


def _named(provider: Any, beginnings: tuple[str, ...]) -> Iterator[str]:
    for name in dir(provider):
        if name.startswith(beginnings):
            yield from _words(getattr(provider, name))


def _words(data: Any) -> Iterator[str]:
    """The words of a list, of a table of their frequencies, or of a list of one name in several scripts."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, list | tuple | set | dict):
        for each in cast("Iterable[Any]", data):
            yield from _words(each)
