"""The limiter against an endpoint simulated on the event loop: what it can take, and how it complains."""

import asyncio
import time

import pytest

from gem_tasks.llm.limits.limiter import Limiter


class Endpoint:
    """Answers after `latency_s`; beyond `capacity` in flight it complains at once."""

    def __init__(self, capacity, latency_s=0.05):
        self.capacity, self.latency_s = capacity, latency_s
        self.now = self.most = self.complaints = 0

    async def ask(self):
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            if self.now > self.capacity:
                self.complaints += 1
                return False
            await asyncio.sleep(self.latency_s)
            return True
        finally:
            self.now -= 1


async def call(limiter, endpoint, retry_after_s=None):
    while True:
        async with limiter:
            started = time.monotonic()
            if await endpoint.ask():
                limiter.answered(time.monotonic() - started)
                return
            limiter.complained(retry_after_s)
        await asyncio.sleep(0.02)


async def run(limiter, endpoint, calls, **options):
    await asyncio.gather(*(call(limiter, endpoint, **options) for _ in range(calls)))


async def test_it_starts_modestly_and_reaches_its_ceiling_while_all_is_well():
    limiter, endpoint = Limiter(256), Endpoint(capacity=1000, latency_s=0.5)
    calls = asyncio.create_task(run(limiter, endpoint, 600))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert 1 <= endpoint.now <= 64
    await calls
    assert endpoint.most == 256


async def test_it_never_exceeds_the_ceiling():
    limiter, endpoint = Limiter(5), Endpoint(capacity=1000, latency_s=0.001)
    await run(limiter, endpoint, 200)
    assert endpoint.most == 5
    assert limiter.in_flight == 0


async def test_it_settles_near_what_the_endpoint_can_take():
    limiter, endpoint = Limiter(512), Endpoint(capacity=40)
    await run(limiter, endpoint, 1500)
    assert limiter.complaints >= 1
    assert 20 <= limiter.limit <= 90
    assert limiter.in_flight == 0


async def test_a_few_complaints_among_many_answers_do_not_halve_it():
    limiter = Limiter(64)
    limiter.limit, limiter._ramping = 64.0, False
    for _ in range(20):
        limiter.complained(None)
        for _ in range(19):
            limiter.answered(0.1)
    assert limiter.limit == 64
    assert limiter.complaints == 0


async def test_a_burst_of_complaints_halves_it_once_not_once_each():
    limiter = Limiter(64)
    limiter.limit, limiter._ramping = 64.0, False
    for _ in range(9):
        limiter.complained(None)
    assert (limiter.limit, limiter.complaints) == (32, 1)


async def test_retry_after_of_a_burst_holds_everybody():
    limiter = Limiter(4)
    for _ in range(2):
        limiter.complained(0.3)
    started = time.monotonic()
    async with limiter:
        assert time.monotonic() - started >= 0.29


async def test_it_does_not_grow_while_answers_are_twice_as_slow_as_at_best():
    limiter = Limiter(1000)
    limiter._ramping = False
    limiter.limit = 10.0

    async def answers(count, latency_s):
        async with asyncio.timeout(1):
            for _ in range(count):
                limiter.answered(latency_s)

    turn = asyncio.get_running_loop().create_future()
    limiter._waiting.append(turn)  # somebody always waits: the limit is used up
    await answers(30, 0.1)
    grown = limiter.limit
    assert grown > 10
    await answers(40, 0.5)
    held = limiter.limit
    await answers(200, 0.5)
    assert limiter.limit == held


@pytest.mark.parametrize("moment", ["waiting", "granted"])
async def test_a_cancelled_call_gives_its_place_back(moment):
    limiter = Limiter(1)
    async with limiter:
        waiting = asyncio.create_task(limiter.__aenter__())
        await asyncio.sleep(0)
        if moment == "waiting":
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
    if moment == "granted":
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    assert limiter.in_flight == 0
    async with asyncio.timeout(1), limiter:
        assert limiter.in_flight == 1


async def test_refusals_that_come_long_before_the_first_answers_are_still_only_a_share():
    limiter = Limiter(64)

    async def sent():
        async with limiter:
            pass

    await asyncio.gather(*(sent() for _ in range(200)))
    for _ in range(12):  # of 200 sent, while not one answer has come
        limiter.complained(1.0)
    assert limiter.complaints == 0
