"""Estimates add up, and what is unknown of a part is unknown of the sum."""

from types import SimpleNamespace

import pytest

from gem_tasks.lineage.stale import HistoryRow, PaceRow
from gem_tasks.pipeline.rebuild.estimate import Estimate, Rate, rates
from gem_tasks.pipeline.recipes import Chain
from gem_tasks.settings import Settings


def test_a_sum_is_unknown_where_a_part_is():
    known = Estimate(segments=2, calls=3, prompt_tokens=10, completion_tokens=5, usd=0.5, seconds=None)
    total = known + Estimate(segments=1, calls=1, prompt_tokens=None, completion_tokens=1, usd=0.25, seconds=4)
    assert total == Estimate(segments=3, calls=4, prompt_tokens=None, completion_tokens=6, usd=0.75, seconds=None)


def test_a_rate_is_taken_so_many_times():
    rate = Rate(accepted_share=0.7, rejected_share=0.2, calls=1.5, prompt_tokens=100, usd=None, basis="10 results")
    assert rate.of(4) == Estimate(
        segments=4, calls=6, prompt_tokens=400, completion_tokens=None, usd=None, seconds=None
    )
    assert [rate.share(kind) for kind in ("accepted", "rejected", "failed")] == [0.7, 0.2, 0.0]


def history(stage, model, results, usd=None):
    return HistoryRow(
        stage=stage, model=model, results=results, accepted_share=0.5, rejected_share=0.5, calls=2.0,
        prompt_tokens=1_000_000, completion_tokens=0, usd=usd,
    )  # fmt: skip


@pytest.fixture
def found(tmp_path):
    prices = tmp_path / "prices.toml"
    prices.write_text('["mine"]\ninput = 2\noutput = 4\n', encoding="utf-8")

    def of(rows, pace=None, *, priced=False):
        made = Settings(llm_base_url="http://127.0.0.1:1/v1", llm_model="mine", llm_prices=prices if priced else None)
        stale = SimpleNamespace(history=lambda: rows, pace=lambda: pace or {})
        work = SimpleNamespace(settings=made, chain=Chain(made))
        work.lines = lambda: [work]
        return rates(work, SimpleNamespace(stale=stale))

    return of


def test_the_models_own_history_counts_and_anothers_stands_in_and_is_said(found):
    rows = [history("filter", "mine", 5, usd=0.1), history("filter", "other", 50), history("extract", "other", 7)]
    made = found(rows, {"filter": PaceRow(stage="filter", runs=2, seconds=0.5)})
    assert (made["filter"].basis, made["filter"].usd, made["filter"].seconds) == ("5 results", 0.1, 0.5)
    assert (made["extract"].basis, made["extract"].usd) == ("7 results of other, none of mine", None)
    assert made["generate"] == Rate(basis="no history: one call per segment assumed")


def test_tokens_of_another_model_cost_what_todays_model_does(found):
    assert found([history("extract", "other", 7, usd=99.0)], priced=True)["extract"].usd == pytest.approx(2.0)
