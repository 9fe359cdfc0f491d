"""`--estimate [N]`: with and without its number, wherever it stands; and what an estimate says of money."""

import pytest
import typer
from typer.testing import CliRunner

from gem_tasks.cli.estimate import DEFAULT, EstimateOption, EstimatingCommand
from gem_tasks.cli.estimate_report import Estimated, plain
from gem_tasks.pipeline.preflight.forecast import Terms, forecast
from gem_tasks.pipeline.preflight.sample import Measured, Sampled, Step
from gem_tasks.pipeline.preflight.survey import Survey
from tests.forecasts import TAKES, whole


@pytest.fixture
def read():
    app = typer.Typer()

    @app.command(cls=EstimatingCommand)
    def run(source: str, sample: EstimateOption = None, as_json: bool = typer.Option(False, "--json")) -> None:
        typer.echo(f"{source} {sample} {as_json}")

    def go(*args):
        done = CliRunner().invoke(app, args)
        return done.output.strip() if done.exit_code == 0 else done.exit_code

    return go


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["docs"], "docs None False"),
        (["docs", "--estimate"], f"docs {DEFAULT} False"),
        (["--estimate", "docs"], f"docs {DEFAULT} False"),
        (["docs", "--estimate", "5"], "docs 5 False"),
        (["--estimate", "5", "docs"], "docs 5 False"),
        (["docs", "--estimate=7", "--json"], "docs 7 True"),
        (["docs", "--estimate", "--json"], f"docs {DEFAULT} True"),
        (["docs", "--estimate", "0"], 2),
        (["docs", "--estimate", "-3"], 2),
    ],
)
def test_the_number_may_be_left_out(read, args, said):
    assert read(*args) == said


def estimated(texts=None, *, rest=100, budget=None, unpriced=(), batched=(), in_worlds=0, **counts):
    texts = [whole(n) for n in range(10)] if texts is None else texts
    terms = Terms(takes=TAKES, unpriced=frozenset(unpriced))
    found = {"documents": 12, "limit": None, "known": 0, "unusable": 0, "near_duplicates": 0, **counts}
    return Estimated(
        source="s",
        survey=Survey(**found, texts=rest + len(texts), sample=()),
        sample=Sampled(texts=tuple(texts), replayed=0),
        sample_seconds=3.0,
        forecast=forecast(texts, rest, terms) if texts else None,
        in_flight=50,
        budget_usd=budget,
        unpriced=dict.fromkeys(unpriced, "m at http://h/v1"),
        batched=batched,
        in_worlds=in_worlds,
    )


def said(result):
    return "\n".join(plain(result)["said"])


def test_money_is_held_against_the_budget():
    assert "is not enough: it covers about 20% of the rest" in said(estimated(budget=1))
    assert "The budget of $50 is enough" in said(estimated(budget=50))
    assert "No budget is set" in said(estimated())
    assert "Cost of the rest: about $5.00 (" in said(estimated())


def test_conversations_in_worlds_are_named_as_missing():
    assert "not part of this estimate: up to 300 for the first workflows of the rest" in said(estimated(in_worlds=3))
    assert "worlds" not in said(estimated())


def test_without_a_price_there_are_tokens_and_how_to_set_one():
    text = said(estimated(unpriced=("filter",), budget=1))
    assert "No price is known for m at http://h/v1: only tokens are counted. Set GEM_LLM_PRICES" in text
    assert "$5" not in text


def test_a_sample_that_is_filtered_out_says_that_it_knows_nothing():
    step = Step(stage="filter", kind="rejected")
    text = said(estimated([Measured(segment_id="1", uri="u", steps=(step,))] * 10))
    assert "No text of the sample reached extract, generate" in text
    assert "--estimate 40" in text


def test_failures_of_the_sample_are_named():
    broken = Step(stage="filter", kind="failed", error_class="timeout", detail="no complete answer within 30 s")
    text = said(estimated([whole(1), Measured(segment_id="2", uri="u", steps=(broken,))]))
    assert "1 of the sample failed in filter (timeout): no complete answer within 30 s" in text


def test_a_source_that_is_all_sample_or_holds_nothing_says_so():
    assert "The sample covers all texts" in said(estimated(rest=0))
    text = said(estimated([], rest=0, known=7, unusable=5))
    assert "7 known from earlier runs (gem stale), 5 without usable text" in text
    assert "nothing to estimate" in text


def test_time_is_that_of_the_sample_at_most_and_of_all_requests_at_best():
    found = plain(estimated())
    assert found["seconds"]["expected"] == pytest.approx(5 * 100 * 2 / 10)
    assert found["seconds_at_best"]["expected"] == pytest.approx(5 * 100 * 2 / 50)
    assert plain(estimated(batched=("generate",)))["seconds"] is None
    assert "up to a day each): generate" in said(estimated(batched=("generate",)))
