"""Workers that die around a batch: it is not submitted twice, and no answer counts twice."""

from functools import partial

import pytest

from gem_tasks.llm.batch.client import BatchClient
from gem_tasks.llm.batch.file import split
from gem_tasks.pipeline.batch import poll as polling
from gem_tasks.pipeline.batch.run import collect, submit
from gem_tasks.pipeline.shard.run import run_shard
from tests.corpus import PARTITION
from tests.integration.batches import LAST, RUN, finish, rows, states


class Killed(BaseException):
    """What happens to a worker between two statements."""


def test_a_worker_that_dies_after_creating_a_batch_does_not_submit_it_twice(prepared, teacher, monkeypatch):
    work = prepared()
    created = BatchClient.submit

    async def dies(self, path, key):
        await created(self, path, key)
        raise Killed

    monkeypatch.setattr(BatchClient, "submit", dies)
    with pytest.raises(Killed):
        submit(work, "filter", PARTITION, 0, RUN)
    assert states(work) == ["announced"]
    monkeypatch.undo()
    pending = submit(work, "filter", PARTITION, 0, RUN)
    (batch,) = teacher.batches()
    assert pending.batches == (batch["id"],)
    report, _ = finish(work, pending)
    assert len(teacher.batches()) == 1
    assert report.failed == 0


def test_a_worker_that_dies_before_creating_a_batch_leaves_nothing_behind(prepared, teacher, monkeypatch):
    work = prepared()

    async def dies(self, path, key):
        raise Killed

    monkeypatch.setattr(BatchClient, "submit", dies)
    with pytest.raises(Killed):
        submit(work, "filter", PARTITION, 0, RUN)
    monkeypatch.undo()
    finish(work, submit(work, "filter", PARTITION, 0, RUN))
    assert states(work) == ["lost", "done"]
    assert len(teacher.batches()) == 1


def test_a_worker_that_dies_while_waiting_is_followed_by_one_that_waits_for_the_same_batch(prepared, teacher):
    work = prepared("batch_delay_s=1")
    pending = submit(work, "filter", PARTITION, 0, RUN)
    assert submit(work, "filter", PARTITION, 0, RUN).batches == pending.batches
    assert collect(work, pending, RUN).batches == pending.batches, "it has not ended"
    teacher.stop()
    teacher.start()
    report, _ = finish(work, submit(work, "filter", PARTITION, 0, RUN))
    assert report.failed == 0
    assert len(teacher.batches()) == 1, "the teacher went on where it stopped"


def test_a_worker_that_dies_while_collecting_reads_the_rest_without_counting_twice(prepared, monkeypatch):
    work = prepared()
    pending = submit(work, "filter", PARTITION, 0, RUN)
    lines = BatchClient.lines

    async def dies(self, state):
        number = 0
        async for line in lines(self, state):
            if number == 5:
                raise Killed
            number += 1
            yield line

    monkeypatch.setattr(BatchClient, "lines", dies)
    with pytest.raises(Killed):
        finish(work, pending)
    monkeypatch.undo()
    report, _ = finish(work, submit(work, "filter", PARTITION, 0, RUN) or run_shard(work, "filter", PARTITION, 0, LAST))
    assert report.failed == 0
    assert {row["calls"] for row in rows(work)} == {1}


def test_a_large_round_is_several_batches_and_a_worker_may_die_between_them(prepared, teacher, monkeypatch):
    work = prepared()
    monkeypatch.setattr(polling, "split", partial(split, max_requests=6))
    created, calls = BatchClient.submit, []

    async def dies(self, path, key):
        calls.append(key)
        if len(calls) == 3:
            raise Killed
        return await created(self, path, key)

    monkeypatch.setattr(BatchClient, "submit", dies)
    with pytest.raises(Killed):
        submit(work, "filter", PARTITION, 0, RUN)
    pending = submit(work, "filter", PARTITION, 0, RUN)
    assert len(pending.batches) == 2
    report, rounds = finish(work, pending)
    assert (report.failed, rounds) == (0, 2)
    assert {row["calls"] for row in rows(work)} == {1}
    assert [batch["request_counts"]["total"] for batch in reversed(teacher.batches())] == [6, 6, report.calls - 12]
