"""The report on a synthesizer in the pipeline: drops between groups, unknown costs, hostile names."""

import pytest

from gem_tasks.distill.in_use import report
from gem_tasks.domain.costs import total_cost
from gem_tasks.domain.synthesis import GroupState, Sampled, state_of
from gem_tasks.evals.in_use import Group, InUse, Totals, _compared, _sum
from gem_tasks.evals.synthesizer import Answer, yield_of
from gem_tasks.lineage.synthesizer import WayCost


def group(name, texts, accepted, pipeline=None):
    found = Sampled(group=name, texts=texts, synthesizer=accepted, pipeline=pipeline or texts)
    return Group(
        name=name,
        state=GroupState(group=name, sampled=Sampled(group=name)),
        opens=state_of(found, 20, was_open=False).open,
        synthesizer=Totals(texts=texts, accepted=accepted, calls=2 * texts, tokens=3000 * texts, seconds=5.0 * texts),
        pipeline=Totals(texts=texts, accepted=texts, calls=4 * texts, tokens=20000 * texts, seconds=60.0, usd=0.5),
        alone=Totals(),
    )


def used(*groups, **totals):
    both = {"synthesizer": Totals(), "pipeline": Totals(), "alone": Totals()} | totals
    compared = tuple(_compared(groups, 20))
    return InUse(model="m", recipe="r", sample=0.1, groups=compared, refused={"synthesize: malformed": 3}, **both)


def test_a_drop_above_a_fifth_against_the_other_groups_is_flagged():
    found = {each.name: each for each in used(group("a", 40, 36), group("b", 40, 34), group("c", 20, 12)).groups}
    assert found["c"].drop == pytest.approx(1 - (12 / 20) / (70 / 80))
    assert [name for name, each in found.items() if each.flagged] == ["c"]
    few = used(group("a", 40, 36), group("c", 19, 0)).groups[1]
    assert (few.drop, few.flagged) == (1, False)
    assert [each.drop for each in used(group("a", 40, 0), group("b", 40, 0)).groups] == [None, None]
    assert used(group("a", 40, 30)).groups[0].drop is None


def test_the_report_says_what_is_unknown_and_what_was_saved():
    text = report(used(group("a|<b>", 40, 36), group("c", 20, 12)))
    assert "No text was spared the other stages yet." in text
    assert "a\\|&lt;b>" in text
    assert "synthesize: malformed 3" in text
    assert "| closed; open from the next partition on | 0 | 0 |" in text
    assert "No text went through it yet." in report(used())
    assert "**c: a drop of 33%, more than 20%: it does not carry over.**" in text
    assert "| synthesizer | 0 | 0 | - | 0 | - | - | - |" in text

    pipeline = Totals(texts=20, accepted=16, calls=80, tokens=400_000, seconds=100, usd=2.0)
    alone = Totals(texts=100, accepted=90, calls=190, tokens=300_000, seconds=50)
    text = report(used(pipeline=pipeline, alone=alone))
    assert "spared the other stages 90 texts, at their average about 360 calls, 1,800,000 tokens, 9.00 USD" in text
    assert "It took 190 calls, 300,000 tokens for 100 texts; 10 of them" in text
    assert "| pipeline | 20 | 16 | 80.0% | 80 | 25,000 | 6.2 | 0.12500 |" in text


def cost(group, calls, usd):
    return WayCost(group, "pipeline", texts=2, accepted=1, calls=calls, tokens=10, seconds=1.0, usd=usd)


@pytest.mark.parametrize(
    ("rows", "usd"),
    [
        ([cost("a", 3, 0.5), cost("b", 2, 0.25)], 0.75),
        ([cost("a", 3, 0.5), cost("b", 2, None)], None),
        ([cost("a", 3, 0.5), cost("b", 0, None)], 0.5),
        ([cost("a", 0, None)], None),
        ([], None),
    ],
)
def test_a_group_without_a_price_makes_the_cost_of_all_groups_unknown_not_smaller(rows, usd):
    assert total_cost(rows) == usd
    assert _sum(rows, "pipeline").usd == usd


def test_one_answer_without_a_price_makes_the_cost_of_a_synthesizer_unknown():
    known, unknown = Answer(segment_id="a", valid=False, usd=0.5), Answer(segment_id="b", valid=False)
    failed = Answer(segment_id="c", valid=False, error="down")
    assert yield_of([known, unknown]).usd is None
    assert yield_of([known, failed]).usd == 0.5
