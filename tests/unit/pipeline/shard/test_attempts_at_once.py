"""Many records at once: an endpoint that has answered nothing yet gets a few, and a refusing one no more."""

import asyncio
import re
from functools import partial

import pytest

from gem_tasks.domain.chat import Completion
from gem_tasks.errors import EndpointError, ErrorClass
from gem_tasks.pipeline.recipes import Asking
from gem_tasks.pipeline.shard.attempt import attempt
from gem_tasks.pipeline.shard.attempts import Attempts
from gem_tasks.pipeline.shard.doubts import FEW
from gem_tasks.prompts import load
from gem_tasks.stages import stage
from tests.factories import make_record, make_segment

NO = "<multi_step>False</multi_step><reason>not_procedural</reason>"


def numbered(count):
    for number in range(count):
        yield make_record().model_copy(update={"segment": make_segment(f"text {number} of the corpus", number)})


def number_in(request):
    return int(re.search(rb"text (\d+) of the corpus", request.body)[1])


class Endpoint:
    """Answers no; `said` may raise, by the number of the record. Knows who was asked, and how many at once."""

    def __init__(self, said=lambda number: NO):
        self.said, self.asked, self.under_way, self.most = said, [], 0, 0
        self.cancelled = 0

    async def complete(self, request):
        number = number_in(request)
        self.asked.append(number)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await asyncio.sleep(0)
            return Completion(text=self.said(number), finish_reason="stop")
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.under_way -= 1


def attempts(endpoint, window=20, *, proven):
    asking = Asking(model="m", prompt=load("filter"), repair=load("repair"))
    return Attempts(partial(attempt, stage("filter"), asking, client=endpoint), window, proven=proven)


async def ended(endpoint, count, window=20, *, proven):
    return [outcome async for outcome in attempts(endpoint, window, proven=proven).outcomes(numbered(count))]


@pytest.mark.parametrize("proven", [True, False])
async def test_every_record_has_an_outcome_and_never_more_than_the_window_are_under_way(proven):
    endpoint = Endpoint()
    found = await ended(endpoint, 100, proven=proven)
    assert {outcome.kind for outcome in found} == {"rejected"}
    assert len({outcome.segment_id for outcome in found}) == 100
    assert sorted(endpoint.asked) == list(range(100))
    assert endpoint.most == 20


async def test_an_unknown_endpoint_gets_a_few_from_all_over_the_shard_first():
    endpoint = Endpoint()
    stream = attempts(endpoint, proven=False).outcomes(numbered(64))
    await anext(stream)
    first = endpoint.asked[:FEW]
    assert first == [each * (64 // FEW) for each in range(FEW)]
    await stream.aclose()


async def test_a_known_endpoint_gets_them_in_order_from_the_start():
    endpoint = Endpoint()
    await ended(endpoint, 30, window=30, proven=True)
    assert endpoint.asked == list(range(30))


def refusing(number):
    raise EndpointError(ErrorClass.BAD_REQUEST, "unknown field")


async def test_an_endpoint_that_refuses_everything_is_asked_a_few_times_only():
    endpoint = Endpoint(refusing)
    with pytest.raises(EndpointError, match=f"it refused all {FEW} requests, the last with: unknown field"):
        await ended(endpoint, 100, proven=False)
    assert len(endpoint.asked) == FEW


async def test_refusals_of_single_texts_are_theirs_once_the_endpoint_answers_others():
    def said(number):
        return refusing(number) if number == 0 else NO

    found = await ended(Endpoint(said), 50, proven=False)
    assert {outcome.segment_id: outcome.kind for outcome in found if outcome.kind != "rejected"} == {
        make_segment("text 0 of the corpus").segment_id: "failed"
    }
    assert len(found) == 50


async def test_a_fault_of_the_configuration_ends_all_requests():
    def said(number):
        if number == 5:
            raise EndpointError(ErrorClass.AUTH, "no such key")
        return NO

    endpoint = Endpoint(said)
    with pytest.raises(EndpointError, match="no such key"):
        await ended(endpoint, 1000, proven=True)
    assert endpoint.under_way == 0
    assert len(endpoint.asked) < 100


async def test_who_stops_listening_cancels_what_is_under_way():
    endpoint = Endpoint()
    stream = attempts(endpoint, proven=True).outcomes(numbered(100))
    await anext(stream)
    await stream.aclose()
    assert endpoint.under_way == 0
    assert len(endpoint.asked) < 100


async def test_an_empty_shard_asks_nobody():
    assert await ended(Endpoint(), 0, proven=False) == []
