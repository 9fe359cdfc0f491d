"""What a batch costs, and what it counts against a budget."""

import json

import pytest

from gem_tasks.errors import UserError
from gem_tasks.llm.batch import client as batch
from gem_tasks.llm.dialects.memory import remembered
from gem_tasks.llm.usage.metered import UntrueUsageError
from gem_tasks.pipeline.batch.run import submit
from tests.corpus import PARTITION
from tests.integration.batches import RUN, finish, rows

PRICES = '["offline-rules"]\ninput = 1.0\noutput = 2.0\n'


def spent(work):
    return rows(work, "SELECT sum(usd) AS usd FROM spending")[0]["usd"]


def test_a_batch_costs_half_and_what_was_set_aside_comes_back(prepared, tmp_path):
    (tmp_path / "prices.toml").write_text(PRICES)
    work = prepared(llm_prices=tmp_path / "prices.toml", budget_usd=5)
    pending = submit(work, "filter", PARTITION, 0, RUN)
    assert spent(work) > 0
    finish(work, pending)
    (total,) = rows(
        work, "SELECT sum(usd) AS usd, sum(prompt_tokens) AS i, sum(completion_tokens) AS o FROM stage_results"
    )
    assert total["usd"] == pytest.approx((total["i"] + 2 * total["o"]) / 2e6)
    assert total["usd"] <= spent(work) < 1.1 * total["usd"], "the larger of reported and counted tokens"


def lying(monkeypatch, usage):
    """Every line of a batch says this of its tokens."""
    honest = batch.read_line

    def told(text):
        if text:
            line = json.loads(text)
            line["response"]["body"]["usage"] = usage
            text = json.dumps(line).encode()
        return honest(text)

    monkeypatch.setattr(batch, "read_line", told)


@pytest.mark.parametrize(
    ("usage", "fault"),
    [
        ({"prompt_tokens": -(10**6), "completion_tokens": -1}, "cannot be true: "),
        ({"prompt_tokens": 10**12, "completion_tokens": 1}, "cannot be true: "),
        ({"prompt_tokens": "many"}, "cannot be true: "),
        (None, "not reported: GEM counts tokens itself"),
    ],
    ids=["negative", "absurd", "odd", "missing"],
)
def test_the_budget_of_batches_takes_the_larger_of_reported_and_counted_tokens(
    prepared, tmp_path, monkeypatch, usage, fault
):
    (tmp_path / "prices.toml").write_text(PRICES)
    work = prepared("rate_malformed=0.5&seed=3", llm_prices=tmp_path / "prices.toml", budget_usd=5)
    lying(monkeypatch, usage)
    pending = submit(work, "filter", PARTITION, 0, RUN)
    reserved = spent(work)
    if usage is None:
        finish(work, pending)
    else:  # repair requests would be the next batch
        with pytest.raises(
            UntrueUsageError, match=r"cannot enforce the budget: for model 'offline-rules', \d+ replies"
        ):
            finish(work, pending)
    (total,) = rows(work, "SELECT sum(usd) AS usd, count(*) AS n FROM stage_results WHERE outcome <> 'failed'")
    assert total["n"] > 3
    assert total["usd"] <= spent(work) <= reserved
    assert spent(work) > 200 * total["n"] / 2e6, "each prompt has more than 200 tokens"
    (known,) = remembered(work.store)
    assert known.usage_fault.startswith(fault)


def test_a_batch_that_reports_too_few_tokens_costs_the_budget_what_was_sent(prepared, tmp_path, monkeypatch):
    (tmp_path / "prices.toml").write_text(PRICES)
    work = prepared(llm_prices=tmp_path / "prices.toml", budget_usd=5)
    lying(monkeypatch, {"prompt_tokens": 1, "completion_tokens": 1})
    finish(work, submit(work, "filter", PARTITION, 0, RUN))
    (total,) = rows(work, "SELECT sum(usd) AS usd, count(*) AS n FROM stage_results")
    assert total["usd"] == pytest.approx(total["n"] * 3 / 2e6)
    assert spent(work) > 200 * total["n"] / 2e6


def test_a_budget_that_a_batch_could_break_stops_it_before_it_is_created(prepared, teacher, tmp_path):
    (tmp_path / "prices.toml").write_text(PRICES)
    work = prepared(llm_prices=tmp_path / "prices.toml", budget_usd=0.001)
    with pytest.raises(UserError, match="budget of"):
        submit(work, "filter", PARTITION, 0, RUN)
    assert teacher.batches() == []
