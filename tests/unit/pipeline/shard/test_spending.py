"""What stands between a stage and its endpoint: prices, a budget, or nothing; and what the endpoint's faults mean."""

from types import SimpleNamespace

import pytest

from gem_tasks.domain.outcome import Cost, Outcome
from gem_tasks.errors import EndpointError, ErrorClass, UserError
from gem_tasks.lineage import RunContext
from gem_tasks.lineage.budgets import KnownAnswers
from gem_tasks.llm.usage.metered import MeteredClient
from gem_tasks.pipeline.options import RunOptions
from gem_tasks.pipeline.shard.endpoint import fix_of, raise_if_unfinished
from gem_tasks.pipeline.shard.job import ShardJob
from gem_tasks.pipeline.shard.spending import account, priced, spending
from gem_tasks.pipeline.shard.tally import Tally
from tests.unit.pipeline.shard.ledger import FakeLedger, filter_job


class Rows(FakeLedger):
    """Also knows how much of the partition the endpoint left unanswered."""

    state = SimpleNamespace(answered=0, unanswered=0, newly_unanswered=False, answered_by_run=False)
    counted = ()

    def known_answers(self, partition, recipe_id):
        return KnownAnswers(0, 0)

    def endpoint_state(self, partition, recipe_id, broken, run):
        return self.state

    def count_failed_run(self, partition, recipe_id, broken, after):
        self.counted = (*broken, after)


@pytest.fixture
def ledger():
    return Rows()


@pytest.fixture
def job(tmp_path, ledger):
    """As `(last_try, options, **settings) -> ShardJob`; the model costs a dollar for a million tokens."""
    prices = tmp_path / "prices.toml"
    prices.write_text('["mine"]\ninput = 1\noutput = 1\n', encoding="utf-8")

    def make(last_try=True, options=None, **settings):
        made = filter_job(tmp_path, ledger, options)
        changes = {"llm_base_url": "http://127.0.0.1:1/v1", "llm_model": "mine", "llm_prices": prices, **settings}
        object.__setattr__(made.work, "settings", made.work.settings.model_copy(update=changes))
        run = RunContext(run_id="r", last_try=last_try)
        return ShardJob.of(made.work, "filter", made.place.partition, 0, run)

    return make


CLIENT = SimpleNamespace(limit_of=lambda request: 1)


async def test_without_a_price_calls_are_not_metered_and_a_budget_is_refused(job):
    async with spending(job(llm_model="unheard of")) as wrap:
        assert wrap(CLIENT) is CLIENT
    with pytest.raises(UserError, match=r"No price is known for 'unheard of' at http://127.0.0.1:1/v1"):
        priced(job(llm_model="unheard of", budget_usd=1).work, "filter")


async def test_with_a_price_calls_are_metered_and_with_a_budget_drawn_from_it(job):
    async with spending(job()) as wrap:
        metered = wrap(CLIENT)
    assert isinstance(metered, MeteredClient)
    async with spending(job(budget_usd=1)) as wrap:
        assert isinstance(wrap(CLIENT), MeteredClient)


def test_a_run_that_continues_another_draws_from_its_budget(job):
    assert account(job()).run_id == "r"
    assert account(job(options=RunOptions(purse="first"))).run_id == "first"


def unanswered(count, error_class=ErrorClass.TIMEOUT):
    tally = Tally()
    for number in range(count):
        tally.add(
            Outcome(
                segment_id=f"s{number}", kind="failed", error_class=error_class, detail="late",
                cost=Cost(calls=1, faults={error_class: 1}), doubtful=error_class is ErrorClass.BAD_REQUEST,
            )
        )  # fmt: skip
    return tally


def state(answered, left, *, new=True, by_run=True):
    return SimpleNamespace(answered=answered, unanswered=left, newly_unanswered=new, answered_by_run=by_run)


def test_what_has_an_answer_raises_nothing(job):
    raise_if_unfinished(job(), Tally())


def test_a_few_without_an_answer_are_left_to_the_next_try_and_accepted_by_the_last(job, ledger):
    ledger.state = state(9, 1)
    with pytest.raises(EndpointError, match="late"):
        raise_if_unfinished(job(last_try=False), unanswered(1))
    assert ledger.counted == ()
    last = job(set_aside_after=3)
    raise_if_unfinished(last, unanswered(1))
    assert ledger.counted == ("s0", 3)


def test_more_than_half_without_an_answer_are_the_endpoints_fault_on_the_last_try_too(job, ledger):
    ledger.state = state(4, 5)
    with pytest.raises(EndpointError, match="late"):
        raise_if_unfinished(job(), unanswered(5))
    assert ledger.counted == ()
    ledger.state = state(5, 5)
    raise_if_unfinished(job(), unanswered(5))


def test_a_run_without_any_answer_fails_unless_it_asked_only_for_what_was_left_before(job, ledger):
    ledger.state = state(9, 1, by_run=False)
    with pytest.raises(EndpointError):
        raise_if_unfinished(job(), unanswered(1))
    ledger.state = state(9, 1, new=False, by_run=False)
    raise_if_unfinished(job(last_try=False), unanswered(1))


def test_what_the_endpoint_refuses_is_explained(job, ledger):
    ledger.state = state(1, 9)
    with pytest.raises(UserError, match=r"cannot be used with model 'mine' for stage filter .*late"):
        raise_if_unfinished(job(), unanswered(9, ErrorClass.BAD_REQUEST))


@pytest.mark.parametrize(
    ("error_class", "parameter", "fix"),
    [
        (ErrorClass.BAD_REQUEST, "temperature", "Set or unset GEM_LLM_TEMPERATURE"),
        (ErrorClass.BAD_REQUEST, "odd_field", "Set or unset GEM_LLM_EXTRA_BODY"),
        (ErrorClass.CONTEXT_LENGTH, "max_tokens", "Give the model a larger context"),
        (ErrorClass.AUTH, "", "Set GEM_LLM_API_KEY"),
        (ErrorClass.SERVER_ERROR, "", "Check the endpoint's log"),
    ],
)
def test_the_fix_names_what_to_change(error_class, parameter, fix):
    error = EndpointError(error_class, "no")
    error.parameter = parameter
    assert fix_of(error).startswith(fix)
