"""The parts of BFCL V4: which categories each has, and how their scores make one.

As in `eval_runner_helper.py` of bfcl-eval: non-live takes the three languages of simple calls together, live weighs
cases alike, the other parts weigh categories alike. BFCL's overall score needs all of them and web search, whose cases
ask a paid search engine that the sandbox cannot reach. So GEM reports the parts by name, and no score over all of them.
"""

from collections.abc import Mapping, Sequence
from math import sqrt
from types import MappingProxyType

from gem_tasks.domain.evaluation import Score

MULTI_TURN = "multi_turn"
PARTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        MULTI_TURN: ("multi_turn_base", "multi_turn_miss_func", "multi_turn_miss_param", "multi_turn_long_context"),
        "non_live": (
            "simple_python",
            "simple_java",
            "simple_javascript",
            "multiple",
            "parallel",
            "parallel_multiple",
        ),
        "live": ("live_simple", "live_multiple", "live_parallel", "live_parallel_multiple"),
        "hallucination": ("irrelevance", "live_irrelevance"),
        "relevance": ("live_relevance",),
        "memory": ("memory_kv", "memory_rec_sum"),
    }
)
"""BFCL counts relevance in no total. Its third memory, `vector`, needs an embedding model that no package has."""
COLLECTIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        **PARTS,
        "single_turn": tuple(
            each for name in ("non_live", "live", "hallucination", "relevance") for each in PARTS[name]
        ),
        "all": tuple(each for categories in PARTS.values() for each in categories),
    }
)
"""Names that stand for several categories."""


def expanded(names: Sequence[str]) -> tuple[str, ...]:
    """The categories that names of categories and collections stand for, each once."""
    return tuple(dict.fromkeys(each for name in names for each in COLLECTIONS.get(name, (name,))))


def holding(ids: Sequence[str]) -> tuple[str, ...]:
    """The categories of cases by their ids, in BFCL's order; all of multi-turn if there are no others."""
    every = COLLECTIONS["all"]
    found = {max((each for each in every if case.startswith(f"{each}_")), key=len, default="") for case in ids}
    others = found - set(PARTS[MULTI_TURN])
    return tuple(each for each in every if each in found) if others & set(every) else PARTS[MULTI_TURN]


def part_of(category: str) -> str:
    """The part that a category belongs to; the category itself if it is in none."""
    return next((name for name, categories in PARTS.items() if category in categories), category)


def weights(counts: Mapping[str, int]) -> dict[str, float]:
    """The weight of each category in one score; all together weigh 1.

    Args:
        counts: cases by category.
    """
    if set(counts) == set(PARTS["live"]):
        return {category: count / sum(counts.values()) for category, count in counts.items()}
    if set(counts) == set(PARTS["non_live"]):
        return {category: 1 / 12 if category.startswith("simple_") else 1 / 4 for category in counts}
    return dict.fromkeys(counts, 1 / len(counts))


def by_part(scores: Sequence[Score]) -> tuple[Score, ...]:
    """A score for each part whose categories are all there, then those of the categories."""
    by = {score.category: score for score in scores}
    found = [
        _part(name, [by[each] for each in categories])
        for name, categories in PARTS.items()
        if len(categories) > 1 and set(categories) <= set(by)
    ]
    return (*found, *scores)


def _part(name: str, scores: Sequence[Score]) -> Score:
    weigh = weights({score.category: score.cases for score in scores})
    errors = [(weigh[score.category], score.standard_error) for score in scores]
    known = [weight * error for weight, error in errors if error is not None]
    return Score(
        category=name,
        metric=scores[0].metric,
        value=sum(weigh[score.category] * score.value for score in scores),
        standard_error=sqrt(sum(each**2 for each in known)) if len(known) == len(errors) else None,
        cases=sum(score.cases for score in scores),
    )
