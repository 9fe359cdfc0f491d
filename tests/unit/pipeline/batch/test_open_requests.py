"""A shard between two polls: what the journal answers is not asked again, what brought no answer is, three times."""

import pytest

from gem_tasks.domain.chat import Completion
from gem_tasks.errors import EndpointError, ErrorClass
from gem_tasks.lineage import BatchRow
from gem_tasks.llm.batch.file import Line
from gem_tasks.pipeline.batch.open_requests import OpenRequests
from tests.factories import make_record
from tests.unit.pipeline.shard.ledger import FakeLedger, filter_job

RECORD = make_record()
KEY = RECORD.segment.segment_id
FIRST, REPAIR = f"{KEY}-1", f"{KEY}-2"


class Journal:
    """Answers by request, each taken once."""

    def __init__(self, *answers):
        self.answers, self.written = list(answers), []

    def take(self, key):
        return self.answers.pop(0) if self.answers else None

    async def append(self, key, completion):
        self.written.append(completion.text)


class Dialects:
    def answered(self, request, completion):
        pass


def answer(text):
    return Completion(text=text, finish_reason="stop")


@pytest.fixture
def opened(tmp_path):
    def make(journal, rows=()):
        return OpenRequests(filter_job(tmp_path, FakeLedger()), [RECORD], journal, rows, None, Dialects())

    return make


def ids(requests):
    return [custom_id for custom_id, _ in requests.to_send()]


def collected(error_class, times):
    return [
        BatchRow(gem_key=str(number), state="collected", custom_ids=(FIRST,), faults={FIRST: {error_class: 1}})
        for number in range(times)
    ]


def test_what_the_journal_answers_is_not_asked_again(opened):
    requests = opened(Journal(answer("no tags"), answer("no tags either")))
    assert (ids(requests), requests.replayed) == ([], 2)
    (outcome,) = requests.take_ended()
    assert (outcome.kind, outcome.error_class) == ("failed", ErrorClass.MALFORMED)
    assert requests.take_ended() == []


async def test_an_unusable_answer_is_written_down_and_its_repair_asked_for(opened):
    journal = Journal()
    requests = opened(journal)
    assert ids(requests) == [FIRST]
    await requests.read(Line(custom_id=FIRST, result=answer("no tags")), {})
    assert (ids(requests), journal.written) == ([REPAIR], ["no tags"])


async def test_a_fault_that_may_pass_is_asked_again_in_the_next_batch(opened):
    requests, faults = opened(Journal()), {}
    await requests.read(Line(custom_id=FIRST, result=EndpointError(ErrorClass.SERVER_ERROR, "503")), faults)
    assert (ids(requests), faults) == ([FIRST], {FIRST: {ErrorClass.SERVER_ERROR: 1}})


@pytest.mark.parametrize(("times", "asked"), [(2, [FIRST]), (3, [])])
def test_after_three_batches_without_an_answer_a_request_is_given_up(opened, times, asked):
    requests = opened(Journal(), collected(ErrorClass.TIMEOUT, times))
    assert ids(requests) == asked
    requests.give_up()
    (outcome,) = requests.take_ended()
    assert (outcome.kind, outcome.error_class) == ("failed", ErrorClass.TIMEOUT)
    assert outcome.cost.faults == {ErrorClass.TIMEOUT: times}


async def test_a_wrong_key_is_a_problem_of_the_stage_and_no_outcome(opened):
    requests = opened(Journal())
    await requests.read(Line(custom_id=FIRST, result=EndpointError(ErrorClass.AUTH, "401")), {})
    assert requests.problem
    assert requests.problem.error_class is ErrorClass.AUTH
    assert requests.take_ended() == []
