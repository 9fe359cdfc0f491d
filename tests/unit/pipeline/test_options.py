"""Options of a run: read leniently, refused clearly, merged so that current work gets done."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_tasks.domain.stage import STAGE_NAMES
from gem_tasks.errors import UserError
from gem_tasks.pipeline.options import RunOptions, merged

OPTIONS = st.builds(
    RunOptions,
    stages=st.lists(st.sampled_from(STAGE_NAMES), unique=True).map(tuple),
    sources=st.lists(st.sampled_from(("a", "b")), unique=True).map(tuple),
    limit=st.none() | st.integers(1, 9),
    budget_usd=st.none() | st.floats(0.1, 9),
    prompts=st.dictionaries(st.sampled_from(STAGE_NAMES), st.sampled_from(("00", "11")), max_size=1),
)


@given(OPTIONS)
def test_what_is_packed_is_read_back(options):
    assert RunOptions.read(options.packed()) == options
    assert RunOptions.read({**options.packed(), "source": "x", "ingest_run_id": "y"}) == options


@given(OPTIONS)
def test_one_announcement_is_what_it_is(options):
    assert merged([options]) == options


@given(st.lists(OPTIONS, min_size=1, max_size=4))
def test_several_announcements_are_covered(every):
    options = merged(every)
    plain = [each for each in every if not each.override]
    assert (options.override is None) == bool(plain)
    for each in plain:
        assert all(options.asks_for(stage) for stage in STAGE_NAMES if each.asks_for(stage))
        assert not options.sources or (set(each.sources) <= set(options.sources) and each.sources)
        assert options.limit is None or (each.limit and each.limit <= options.limit)


@pytest.mark.parametrize(
    "given", [{"stages": ["poem"]}, {"limit": -1}, {"budget_usd": "much"}, {"models": {"poem": "m"}}]
)
def test_what_makes_no_sense_is_one_line(given):
    with pytest.raises(UserError, match=next(iter(given))):
        RunOptions.read(given)
