"""No document in two splits, every stratum in proportion, and what is held out stays held out."""

from collections import Counter, defaultdict

from hypothesis import given
from hypothesis import strategies as st

from gem_tasks.distill.split import assign, choose
from gem_tasks.domain.distill import Candidate, SetSpec


def candidate(number, *, group=None, source="a", domain="x", partition="2026-01-01T00:00"):
    return Candidate(
        trajectory_id=f"t{number}",
        segment_id=f"d{number}.0-9",
        version="v",
        partition=partition,
        shard=0,
        document_uri=group or f"doc-{number}",
        group=group or f"doc-{number}",
        source=source,
        domain=domain,
        recipes={},
    )


members = st.lists(st.tuples(st.integers(0, 30), st.sampled_from("ab"), st.sampled_from("xyz")), max_size=60)


@given(members, st.integers(0, 5))
def test_a_group_is_in_one_split_whatever_the_order_in_which_it_is_read(found, seed):
    pool = [candidate(n, group=f"g{g}", source=s, domain=d) for n, (g, s, d) in enumerate(found)]
    spec = SetSpec(kind="agent", seed=seed)
    splits = assign(pool, spec)
    assert set(splits) == {each.group for each in pool}
    assert assign(pool[::-1], spec) == splits


def test_every_stratum_has_the_shares_that_were_asked_for():
    pool = [candidate(n, source="ab"[n % 2], domain="xyz"[n % 3]) for n in range(600)]
    splits = assign(pool, SetSpec(kind="agent", test_share=0.1, validation_share=0.05))
    by = defaultdict(Counter)
    for each in pool:
        by[each.stratum][splits[each.group]] += 1
    assert len(by) == 6
    for counts in by.values():
        assert abs(counts["test"] - 10) <= 2
        assert abs(counts["validation"] - 5) <= 2


def test_documents_that_come_later_move_none_that_came_before():
    old = [candidate(n, domain="xyz"[n % 3]) for n in range(100)]
    new = [candidate(n, domain="xyz"[n % 3], partition="2026-01-01T01:00") for n in range(100, 300)]
    spec = SetSpec(kind="agent")
    before, after = assign(old, spec), assign([*new, *old], spec)
    assert {group: after[group] for group in before} == before


def test_another_seed_holds_out_others():
    pool = [candidate(n) for n in range(200)]
    one, other = (assign(pool, SetSpec(kind="agent", seed=seed)) for seed in (0, 1))
    assert one != other


def test_a_smaller_set_is_part_of_a_larger_one_and_keeps_the_proportions():
    pool = [candidate(n, domain="x" if n % 4 else "y") for n in range(400)]
    small, large = (choose(pool, SetSpec(kind="agent", size=size)) for size in (40, 200))
    assert {each.trajectory_id for each in small} < {each.trajectory_id for each in large}
    assert (len(small), len(large)) == (40, 200)
    assert abs(sum(each.domain == "y" for each in small) - 10) <= 1
