"""A stage through the Batch API, over HTTP against the teacher: nothing is lost, nothing submitted twice."""

import asyncio
import dataclasses
import json
import time
import urllib.request

import pytest
from aiohttp import web

from gem_tasks.domain.stage_settings import StageSettings
from gem_tasks.errors import EndpointError, UserError
from gem_tasks.llm.batch.client import BatchClient
from gem_tasks.pipeline.batch.poll import Pending
from gem_tasks.pipeline.batch.run import collect, poll, run_stage, submit
from gem_tasks.pipeline.ingest.source import ingest
from gem_tasks.pipeline.shard.run import run_shard
from tests.corpus import EXAMPLES, PARTITION
from tests.integration.batches import LAST, RUN, finish, rows, states
from tests.integration.endpoint import serving
from tests.planning import plan


def test_batch_mode_ends_like_online_mode(prepared, workspace, teacher, postgres):
    work = prepared()
    pending = submit(work, "filter", PARTITION, 0, RUN)
    assert len(pending.batches) == 1
    report, rounds = finish(work, pending)
    assert rounds == 1
    name = f"online{time.monotonic_ns()}"
    postgres.create_database(name, template="gem_template")
    online = workspace(postgres_dsn=postgres.dsn(name), llm_base_url=teacher.url, shard_segments=100)
    ingest(online, str(EXAMPLES), PARTITION)
    plan(online, PARTITION)
    assert run_shard(online, "filter", PARTITION, 0, LAST).model_copy(update={"replayed": 0}) == report
    assert rows(work) == rows(online)
    assert states(work) == ["done"]
    assert teacher.files() == [], "files at the endpoint are tidied up"
    assert submit(work, "filter", PARTITION, 0, RUN) is None
    assert len(teacher.batches()) == 1


def test_every_stage_can_be_run_so_and_waits_in_place(prepared, teacher):
    work = prepared(max_workflows=2)
    accepted = {}
    for name in ("filter", "extract", "generate", "refine", "validate"):
        if name == "generate":  # two conversations a text: a batch for each of them, at the same time
            pending = submit(work, name, PARTITION, 0, RUN)
            assert [each.take.workflow for each in pending.each] == [0, 1]
            assert Pending.model_validate(pending.model_dump(mode="json")) == pending
            before = len(teacher.batches())
        report = run_stage(work, name, PARTITION, 0, LAST)
        accepted[name] = report.accepted
        assert report.failed == 0
        if name == "generate":
            assert len(teacher.batches()) == before, "those that were running already"
    texts = accepted["extract"]
    assert texts < accepted["generate"] < 2 * texts, "not every text has two workflows"
    assert accepted["generate"] == accepted["refine"] == accepted["validate"]


def test_requests_that_fail_in_a_batch_are_submitted_again(prepared, teacher):
    work = prepared("rate_request_failed=0.4&seed=2")
    report, rounds = finish(work, submit(work, "filter", PARTITION, 0, RUN))
    assert rounds > 1
    assert len(teacher.batches()) == rounds
    found = rows(work)
    answered = [row for row in found if row["error_class"] is None]
    assert any(row["calls"] > 1 for row in answered), "of those that failed at first"
    wasted = sum(sum(row["faults"].values()) for row in found)
    assert wasted > 0
    assert sum(row["calls"] for row in found) == len(answered) + wasted == report.calls
    sizes = [batch["request_counts"]["total"] for batch in teacher.batches()]
    assert sizes == sorted(sizes), "newest first: each round is smaller"
    assert sum(sizes) == report.calls


def test_what_never_succeeds_fails_after_a_few_batches_and_is_asked_again_by_the_next_try(prepared, teacher):
    work = prepared("rate_request_failed=1")
    with pytest.raises(EndpointError, match=r"segments got no answer"):
        finish(work, submit(work, "filter", PARTITION, 0, RUN), RUN)
    assert len(teacher.batches()) == 3
    assert {(row["error_class"], row["calls"]) for row in rows(work)} == {("server_error", 3)}
    teacher.stop()
    teacher.start()
    report, rounds = finish(work, submit(work, "filter", PARTITION, 0, LAST))
    assert (rounds, report.failed) == (1, 0)
    assert {row["calls"] for row in rows(work)} == {4}


def test_an_expired_batch_gives_what_it_has_and_the_rest_goes_into_the_next(prepared, teacher):
    work = prepared("rate_expired=1")
    pending = submit(work, "filter", PARTITION, 0, RUN)
    teacher.stop()
    teacher.start()
    pending = finish_one(work, pending)
    report, _ = finish(work, pending)
    assert report.failed == 0
    kept, again = (batch["request_counts"] for batch in reversed(teacher.batches()))
    assert 0 < kept["completed"] < kept["total"]
    assert again["total"] == kept["total"] - kept["completed"]
    assert {"timeout"} == {kind for row in rows(work) for kind in row["faults"]}


def finish_one(work, pending):
    while not asyncio.run(poll(work, pending)).ended:
        time.sleep(0.05)
    found = collect(work, pending, RUN)
    assert isinstance(found, Pending)
    return found


def test_a_file_that_is_refused_as_a_whole_is_one_clear_line(prepared, teacher):
    work = prepared("rate_invalid_file=1")
    with pytest.raises(UserError, match=r"failed as a whole \(invalid_file\): line 1: "):
        finish(work, submit(work, "filter", PARTITION, 0, RUN))
    assert states(work) == ["failed"]
    teacher.stop()
    teacher.start()
    report, _ = finish(work, submit(work, "filter", PARTITION, 0, LAST))
    assert report.failed == 0


def test_a_full_queue_is_waited_for(prepared, teacher, caplog):
    work = prepared("rate_queue_full=1")
    pending = finish_one(work, submit(work, "filter", PARTITION, 0, RUN))
    assert pending.batches == ()
    assert pending.queue_full_since
    assert "Enqueued token limit reached" in caplog.text
    with pytest.raises(EndpointError, match="full for a day"):
        finish(work, finish_one(work, pending.model_copy(update={"queue_full_since": 1.0})))
    teacher.stop()
    teacher.start()
    report, _ = finish(work, pending)
    assert report.failed == 0
    assert set(states(work)) == {"failed", "done"}


def test_malformed_answers_get_their_repair_request_in_a_smaller_batch(prepared, teacher):
    work = prepared("rate_malformed=0.5&seed=3")
    report, rounds = finish(work, submit(work, "filter", PARTITION, 0, RUN))
    repair, first = (batch["request_counts"]["total"] for batch in teacher.batches())
    assert rounds == 2
    assert 0 < repair < first
    found = rows(work)
    assert sum(row["faults"].get("malformed", 0) for row in found) >= repair
    assert sum(row["calls"] for row in found) == report.calls == first + repair
    assert {row["error_class"] for row in found} <= {None, "malformed"}


def test_a_batch_the_endpoint_forgot_is_submitted_again(prepared, teacher, tmp_path):
    work = prepared("batch_delay_s=30")
    submit(work, "filter", PARTITION, 0, RUN)
    teacher.stop()
    for path in (tmp_path / "teacher" / "batches").iterdir():
        path.unlink()
    teacher.start()
    report, _ = finish(work, submit(work, "filter", PARTITION, 0, RUN))
    assert report.failed == 0
    assert states(work) == ["lost", "done"]


@pytest.mark.parametrize("cancelled", [False, True])
def test_going_back_to_online_mode_waits_for_what_is_out_and_asks_the_rest_online(prepared, teacher, cancelled):
    work = prepared("rate_malformed=0.3&batch_delay_s=1&seed=3")
    submit(work, "filter", PARTITION, 0, RUN)
    before = len(rows(work, "SELECT * FROM segments"))
    if cancelled:
        batch_id = teacher.batches()[0]["id"]
        urllib.request.urlopen(urllib.request.Request(f"{teacher.url}/batches/{batch_id}/cancel", method="POST"))
    online = dataclasses.replace(work, settings=work.settings.model_copy(update={"llm_mode": "online"}))
    report = run_stage(online, "filter", PARTITION, 0, LAST)
    assert report.accepted + report.rejected + report.failed == before == len(rows(work))
    assert len(teacher.batches()) == 1
    assert states(work) == ["done"]
    needed = sum(row["calls"] for row in rows(work))
    malformed = sum((row["faults"] or {}).get("malformed", 0) for row in rows(work))
    assert malformed and needed == before + malformed - sum(row["outcome"] == "failed" for row in rows(work))
    assert not list(work.store.list("journal/"))


def test_a_cancelled_batch_stops_the_task_and_keeps_what_it_brought(prepared, teacher):
    work = prepared("batch_delay_s=30")
    (batch_id,) = submit(work, "filter", PARTITION, 0, RUN).batches
    urllib.request.urlopen(urllib.request.Request(f"{teacher.url}/batches/{batch_id}/cancel", method="POST"))
    with pytest.raises(UserError, match="was cancelled after 0 of"):
        finish(work, submit(work, "filter", PARTITION, 0, RUN) or pytest.fail("nothing is pending"))
    teacher.stop()
    teacher.start()
    report, _ = finish(work, submit(work, "filter", PARTITION, 0, LAST))
    assert report.failed == 0
    assert {row["calls"] for row in rows(work)} == {1}


async def test_an_endpoint_without_a_batch_api_is_one_clear_line(workspace):
    async with serving(lambda number, body: web.Response(status=500)) as (_, url):
        work = workspace(llm_base_url=url, llm_stages={"filter": StageSettings(mode="batch")}, shard_segments=100)
        ingest(work, str(EXAMPLES / "library-loans.txt"), PARTITION)
        plan(work, PARTITION)
        with pytest.raises(UserError, match=r"has no Batch API \(404 for /v1/files\).*GEM_LLM_MODE"):
            await asyncio.to_thread(submit, work, "filter", PARTITION, 0, RUN)
    assert states(work) == ["lost"]


async def test_an_endpoint_that_cannot_list_its_batches_knows_none():
    async with serving(lambda number, body: web.Response(status=500)) as (_, url), BatchClient(url, None) as client:
        assert await client.find("key") is None
        assert await client.state("batch_x") is None


def test_a_wrong_model_is_one_clear_line(prepared):
    work = prepared(llm_model="gpt-wrong")
    with pytest.raises(UserError, match="GEM_LLM_MODEL"):
        finish(work, submit(work, "filter", PARTITION, 0, RUN))


def test_lines_that_are_missing_doubled_or_unknown_are_accounted_for(prepared, teacher, tmp_path, caplog):
    work = prepared()
    pending = submit(work, "filter", PARTITION, 0, RUN)
    while not asyncio.run(poll(work, pending)).ended:
        time.sleep(0.05)
    (batch,) = teacher.batches()
    path = tmp_path / "teacher" / "files" / f"{batch['output_file_id']}.bin"
    _, second, *others = path.read_bytes().splitlines()
    stray = json.dumps({**json.loads(second), "custom_id": "nobody-1"}).encode()
    path.write_bytes(b"\n".join([b"{torn", second, second, stray, *others]))
    report, rounds = finish(work, pending)
    assert (report.failed, rounds) == (0, 2)
    found = rows(work)
    assert sorted(row["calls"] for row in found) == [1] * (len(found) - 1) + [2]
    assert [row["faults"] for row in found if row["faults"]] == [{"server_error": 1}]
    for said in ("1 lines answer unknown requests, such as nobody-1", "1 duplicate lines", "1 missing lines"):
        assert said in caplog.text


def test_answers_that_the_endpoint_has_deleted_are_asked_for_again(prepared, teacher):
    work = prepared()
    pending = submit(work, "filter", PARTITION, 0, RUN)
    while not asyncio.run(poll(work, pending)).ended:
        time.sleep(0.05)
    file_id = teacher.batches()[0]["output_file_id"]
    urllib.request.urlopen(urllib.request.Request(f"{teacher.url}/files/{file_id}", method="DELETE"))
    report, rounds = finish(work, pending)
    assert (report.failed, rounds) == (0, 2)


def test_progress_names_each_batch(prepared):
    work = prepared("batch_delay_s=5")
    pending = submit(work, "filter", PARTITION, 0, RUN)
    while "in_progress" not in (progress := asyncio.run(poll(work, pending))).lines[0]:
        time.sleep(0.05)
    assert not progress.ended
    assert progress.lines[0].startswith(f"{pending.batches[0]}: 0/")
