"""The forecast of an estimate: exact where nothing varies, silent on what it cannot know, right often enough."""

import numpy as np
import pytest

from gem_tasks.domain.stage import STAGE_NAMES
from gem_tasks.pipeline.preflight.forecast import Terms, forecast
from tests.forecasts import TAKES, step, text, whole

TERMS = Terms(takes=TAKES)


def stages_of(found):
    return {stage.stage: stage for stage in found.stages}


def test_what_never_varies_is_expected_exactly():
    found = forecast([whole(n) for n in range(20)], 1000, TERMS)
    assert found.total.calls.expected == 5000
    assert found.total.prompt_tokens.expected == 500_000
    assert found.total.usd.expected == pytest.approx(50)
    assert found.accepted.expected == 1000
    by = stages_of(found)
    assert by["filter"].rest.calls.low == by["filter"].rest.calls.high == 1000
    assert 600 < by["generate"].rest.calls.low < 1000 == by["generate"].rest.calls.high


def test_every_conversation_of_a_text_costs_what_the_first_of_the_sample_did():
    texts = [
        each.model_copy(update={"conversations": 1 + number % 2 * 2})
        for number, each in enumerate(map(whole, range(20)))
    ]
    found = forecast(texts, 1000, TERMS)
    by = stages_of(found)
    assert by["extract"].rest.calls.expected == 1000
    left = 10 * 2
    assert by["generate"].rest.calls.expected == by["validate"].rest.calls.expected == 2000 + left
    assert found.accepted.expected == 2000 + left
    assert 1500 < found.accepted.low < 2020 < found.accepted.high < 3020
    assert found.total.calls.expected == 2 * 1000 + 3 * (2000 + left)


def test_a_sample_of_all_texts_leaves_their_further_conversations():
    found = forecast([whole(n).model_copy(update={"conversations": 4}) for n in range(3)], 0, TERMS)
    assert found.total.calls.expected == found.total.calls.high == 3 * 3 * 3
    assert found.accepted.expected == found.accepted.high == 9


def test_nothing_is_expected_of_a_rest_that_is_none():
    found = forecast([whole(n) for n in range(3)], 0, TERMS)
    assert found.total.calls.high == found.accepted.high == 0


def test_where_all_of_the_sample_is_filtered_out_the_rest_is_unknown_not_zero():
    found = forecast([text(n, step("filter", "rejected")) for n in range(10)], 1000, TERMS)
    assert found.unknown == STAGE_NAMES[1:]
    assert found.accepted.expected == 0
    assert 50 < found.accepted.high < 400
    assert stages_of(found)["extract"].rest is None
    assert found.total.calls.expected == 1000


def test_a_second_chance_that_nobody_in_the_sample_needed_costs_what_the_first_did():
    by = stages_of(forecast([whole(n) for n in range(10)], 100, TERMS))
    assert (by["revise"].borrowed, by["revalidate"].borrowed) == ("refine", "validate")
    assert by["revise"].rest.calls.expected == 0
    assert 0 < by["revise"].rest.calls.high < 50


def test_who_is_refused_goes_to_the_second_chance_and_who_fails_goes_nowhere():
    refused = [
        *(step(name) for name in STAGE_NAMES[:4]),
        step("validate", "rejected"),
        step("revise"),
        step("revalidate"),
    ]
    texts = [text(n, *refused) for n in range(5)] + [text(n, step("filter", "failed")) for n in range(5)]
    found = forecast(texts, 100, TERMS)
    by = stages_of(found)
    assert by["revise"].rest.calls.expected == by["extract"].rest.calls.expected == 50
    assert (by["filter"].accepted, by["filter"].failed) == (5, 5)
    assert found.accepted.expected == 50


def test_a_stage_that_is_off_is_not_counted():
    off = Terms(takes=TAKES | {"revise": "nothing", "revalidate": "nothing"})
    assert [stage.stage for stage in forecast([whole(1)], 10, off).stages] == list(STAGE_NAMES[:5])


def test_batches_cost_half_and_what_has_no_price_has_no_cost():
    texts = [whole(n) for n in range(5)]
    half = forecast(texts, 100, Terms(takes=TAKES, discounts={"generate": 0.5}))
    assert stages_of(half)["generate"].rest.usd.expected == pytest.approx(0.5)
    assert half.total.usd.expected == pytest.approx(4.5)
    unknown = forecast(texts, 100, Terms(takes=TAKES, unpriced=frozenset({"filter"})))
    assert unknown.total.usd is None
    assert stages_of(unknown)["extract"].rest.usd.expected == pytest.approx(1)


def test_one_text_gives_a_wide_interval():
    found = forecast([whole(1)], 100, TERMS)
    assert found.total.prompt_tokens.low < 0.7 * 50_000
    assert found.total.prompt_tokens.high > 1.5 * 50_000


@pytest.mark.parametrize(("size", "share"), [(10, 0.5), (20, 0.3)])
def test_the_truth_lies_inside_about_nine_times_in_ten(size, share):
    """Against populations with long tails, whose texts are kept with `share`."""
    hits, seeds = {"prompt_tokens": 0, "calls": 0, "accepted": 0}, 40
    judged = 0
    for seed in range(seeds):
        draw = np.random.default_rng(seed)
        sizes = draw.lognormal(6, 0.6, 400).astype(int)
        population = [
            whole(n, int(tokens)) if draw.random() < share else text(n, step("filter", "rejected", int(tokens)))
            for n, tokens in enumerate(sizes)
        ]
        found = forecast(population[:size], len(population) - size, TERMS, seed)
        if found.unknown:
            continue
        judged += 1
        costs = [each.cost for one in population[size:] for each in one.steps]
        truth = {
            "prompt_tokens": sum(cost.usage.prompt_tokens for cost in costs),
            "calls": len(costs),
            "accepted": sum(len(one.steps) == 5 for one in population[size:]),
        }
        for name in hits:
            amount = found.accepted if name == "accepted" else getattr(found.total, name)
            hits[name] += amount.low <= truth[name] <= amount.high
    assert min(hits.values()) >= 0.82 * judged, (hits, judged)
