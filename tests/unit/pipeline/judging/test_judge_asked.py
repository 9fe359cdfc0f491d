"""The judge asked about what the checks refused: verdicts, and what becomes of calls that fail."""

from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest

from gem_tasks.domain.chat import Completion, Usage
from gem_tasks.errors import EndpointError, ErrorClass, UserError
from gem_tasks.lineage.judging import RefusedRow, SettledValues
from gem_tasks.pipeline.judging import agreement as module
from gem_tasks.pipeline.judging.agreement import Opinion, agreement
from gem_tasks.pipeline.recipes import Chain
from gem_tasks.settings import Settings
from tests.factories import make_record, make_segment

KEPT = "<verdict>keep</verdict>"
COUNTS = {None: 5, "check_grounding": 3, "judge_goal": 2, "judge_values": 1, "unparsable": 4}


class Judge:
    """Answers in turn, at a dollar each; an exception in the script is raised."""

    def __init__(self, *answers):
        self.answers = list(answers)

    def limit_of(self, request):
        return 100

    async def complete(self, request):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return Completion(text=answer, finish_reason="stop", usage=Usage(prompt_tokens=1, completion_tokens=1))


@pytest.fixture
def held(tmp_path, monkeypatch):
    """As `(answers, ...) -> Agreement`, over as many refused conversations as there are answers."""
    monkeypatch.setattr(module, "judged", lambda text, record: verdict(text))

    def make(*answers, **settings):
        prices = tmp_path / "prices.toml"
        prices.write_text('["mine"]\ninput = 500000\noutput = 500000\n', encoding="utf-8")
        made = Settings(
            home=tmp_path, llm_model="mine", llm_base_url="http://127.0.0.1:1/v1", llm_prices=prices, **settings
        )
        segments = [make_segment("text", number) for number in range(len(answers))]
        drawn = [RefusedRow(each.segment_id, "2026", 0, "check_grounding") for each in segments]
        judging = SimpleNamespace(
            judged_counts=lambda recipe: COUNTS,
            settled_values=lambda recipe: SettledValues(total=9, open=4),
            refused_by_checks=lambda recipe, seed, sample: drawn,
        )
        records = [make_record().model_copy(update={"segment": each}) for each in segments]
        monkeypatch.setattr(module, "load_records", lambda *_: records)

        @asynccontextmanager
        async def client(stage):
            yield Judge(*answers)

        class Ledger:
            def __enter__(self):
                return SimpleNamespace(judging=judging)

            def __exit__(self, *_):
                pass

        work = SimpleNamespace(settings=made, chain=Chain(made), ledger=Ledger, client=client)
        return agreement(work, len(answers), seed=0)

    return make


def verdict(text):
    if text == "odd":
        raise module.TagError("no verdict")
    return SimpleNamespace(kept=text == KEPT)


def fault(error_class):
    return EndpointError(error_class, "says the endpoint")


def test_verdicts_are_counted_by_the_check_that_refused(held):
    found = held(KEPT, "refuse", "refuse")
    assert found.sample == {"check_grounding": Opinion(asked=3, refused=2)}
    assert (found.both_pass, found.judge_refuses, found.checks_refuse) == (5, 3, 3)
    assert found.by_reason == {"judge_goal": 2, "judge_values": 1}
    assert (found.values, found.open_values, found.calls, found.usd) == (9, 4, 3, 3.0)
    assert found.confirmed == pytest.approx(2 / 3)


def test_what_cannot_be_read_and_calls_that_fail_have_no_verdict(held):
    found = held(KEPT, "odd", fault(ErrorClass.TIMEOUT))
    assert (found.asked, found.unreadable, found.unaffordable, found.calls) == (1, 2, 0, 3)


def test_what_the_budget_does_not_cover_is_counted_apart(held):
    found = held(KEPT, KEPT, KEPT, budget_usd=60)
    assert (found.unaffordable, found.unreadable) == (3, 0), "a call may cost more than 50 dollars"


def test_without_a_sample_nobody_is_asked(held):
    found = held()
    assert (found.calls, found.sample, found.confirmed, found.kappa) == (0, {}, None, None)


@pytest.mark.parametrize("error_class", [ErrorClass.AUTH, ErrorClass.UNKNOWN_MODEL])
def test_a_fault_of_the_configuration_stops_it(held, error_class):
    with pytest.raises(UserError, match="cannot be used with model 'mine' for stage validate"):
        held(fault(error_class), KEPT)


def test_an_endpoint_that_answers_nothing_is_reported(held):
    with pytest.raises(UserError, match="says the endpoint"):
        held(fault(ErrorClass.SERVER_ERROR), fault(ErrorClass.TIMEOUT))
