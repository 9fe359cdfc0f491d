"""The teacher's files and batches, as OpenAI documents them, over HTTP."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor

import aiohttp
import pytest
from aiohttp import web

from gem_tasks import prompts
from offline_teacher.answers import answer
from offline_teacher.server.app import make_app
from offline_teacher.server.faults import HEADER
from offline_teacher.server.protocol import MODEL
from offline_teacher.server.workers import Workers
from teacher_cases import TEXT

V1 = "http://teacher/v1"
ENDED = {"completed", "failed", "expired", "cancelled"}


class Client:
    def __init__(self, session):
        self.session = session

    async def ask(self, method, path, **options):
        async with self.session.request(method, f"{V1}{path}", **options) as response:
            return response.status, await response.json()

    async def upload(self, data, purpose="batch"):
        form = aiohttp.FormData()
        form.add_field("purpose", purpose)
        form.add_field("file", data, filename="requests.jsonl", content_type="application/jsonl")
        return await self.ask("POST", "/files", data=form)

    async def create(self, file_id, faults="", **changes):
        body = {"input_file_id": file_id, "endpoint": "/v1/chat/completions", "completion_window": "24h", **changes}
        return await self.ask("POST", "/batches", json=body, headers={HEADER: faults})

    async def start(self, data, faults="", **changes):
        """Uploads and creates; the batch's id."""
        status, batch = await self.create((await self.upload(data))[1]["id"], faults, **changes)
        assert status == 200
        assert batch["status"] == "validating"
        return batch["id"]

    async def ended(self, batch_id):
        async with asyncio.timeout(10):
            while True:
                _, batch = await self.ask("GET", f"/batches/{batch_id}")
                if batch["status"] in ENDED:
                    return batch
                await asyncio.sleep(0.01)

    async def lines(self, file_id):
        async with self.session.get(f"{V1}/files/{file_id}/content") as response:
            return {line["custom_id"]: line for line in map(json.loads, (await response.text()).splitlines())}


@pytest.fixture
async def serve(tmp_path):
    """Starts a teacher on the test's state folder; gives a client and a way to stop it."""
    running = []

    async def start():
        app = make_app(Workers(lambda: ThreadPoolExecutor(2), answer), tmp_path / "state")
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        path = str(tmp_path / f"{len(running)}.sock")
        await web.UnixSite(runner, path).start()
        session = aiohttp.ClientSession(connector=aiohttp.UnixConnector(path=path))

        async def stop():
            await session.close()
            await runner.cleanup()

        running.append(stop)
        return Client(session), stop

    yield start
    for stop in running:
        await stop()


def requests(*custom_ids, **changes):
    messages = [
        message.model_dump(include={"role", "content"}) for message in prompts.load("filter").messages(text=TEXT)
    ]
    body = {"model": MODEL, "messages": messages}
    lines = [
        {"custom_id": name, "method": "POST", "url": "/v1/chat/completions", "body": body, **changes}
        for name in custom_ids
    ]
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


async def test_a_file_can_be_stored_read_and_deleted(serve):
    client, _ = await serve()
    status, file = await client.upload(b"hello\n")
    assert status == 200
    assert (file["object"], file["bytes"], file["filename"], file["purpose"]) == ("file", 6, "requests.jsonl", "batch")
    assert (await client.ask("GET", f"/files/{file['id']}"))[1] == file
    async with client.session.get(f"{V1}/files/{file['id']}/content") as response:
        assert await response.read() == b"hello\n"
    assert (await client.ask("DELETE", f"/files/{file['id']}"))[1]["deleted"] is True
    for method, path in (("GET", ""), ("GET", "/content"), ("DELETE", "")):
        status, body = await client.ask(method, f"/files/{file['id']}{path}")
        assert (status, body["error"]["code"]) == (404, "not_found")


async def test_a_file_needs_a_purpose_and_no_path_leads_out(serve):
    client, _ = await serve()
    assert (await client.ask("POST", "/files", json={}))[0] == 400
    assert (await client.upload(b"x", purpose=""))[0] == 400
    assert (await client.ask("GET", "/files/..%2F..%2Fstate"))[0] == 404
    assert (await client.ask("GET", "/batches/..%2Fx"))[0] == 404


async def test_a_batch_answers_each_request_and_puts_errors_into_a_file_of_their_own(serve):
    client, _ = await serve()
    odd = json.dumps({"custom_id": "odd", "method": "POST", "url": "/v1/chat/completions",
                      "body": {"model": MODEL, "messages": []}})  # fmt: skip
    batch_id = await client.start(requests("a", "b") + odd.encode(), metadata={"key": "k"})
    batch = await client.ended(batch_id)
    assert batch["status"] == "completed"
    assert batch["request_counts"] == {"total": 3, "completed": 2, "failed": 1}
    assert batch["metadata"] == {"key": "k"}
    assert batch["created_at"] <= batch["in_progress_at"] <= batch["finalizing_at"] <= batch["completed_at"]
    answers = await client.lines(batch["output_file_id"])
    assert set(answers) == {"a", "b"}
    assert answers["a"]["error"] is None
    assert answers["a"]["response"]["status_code"] == 200
    assert "<multi_step>" in answers["a"]["response"]["body"]["choices"][0]["message"]["content"]
    errors = await client.lines(batch["error_file_id"])
    assert errors["odd"]["response"]["status_code"] == 400


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b"{\n", "invalid_json_line"),
        (b"[]\n", "invalid_json_line"),
        (requests("a", url="/v1/embeddings"), "invalid_url"),
        (requests("a", "a"), "duplicate_custom_id"),
        (requests("a") + requests("b", body={"model": "other"}), "mismatched_model"),
    ],
)
async def test_a_file_with_a_fault_fails_as_a_whole(serve, data, code):
    client, _ = await serve()
    batch = await client.ended(await client.start(data))
    assert batch["status"] == "failed"
    assert batch["errors"]["data"][0]["code"] == code
    assert batch["output_file_id"] is None


async def test_a_batch_that_makes_no_sense_is_refused(serve):
    client, _ = await serve()
    _, file = await client.upload(requests("a"))
    _, other = await client.upload(b"x", purpose="fine-tune")
    assert (await client.create("file-unknown"))[0] == 404
    assert (await client.create(other["id"]))[0] == 400
    assert (await client.create(file["id"], endpoint="/v1/embeddings"))[0] == 400
    assert (await client.create(file["id"], completion_window="1h"))[0] == 400
    assert (await client.ask("POST", "/batches", data=b"["))[0] == 400
    assert (await client.ask("GET", "/batches/batch_unknown"))[0] == 404


async def test_batches_are_listed_newest_first_in_pages(serve):
    client, _ = await serve()
    made = {await client.start(requests("a")) for _ in range(5)}
    _, first = await client.ask("GET", "/batches?limit=3")
    assert first["has_more"] is True
    _, second = await client.ask("GET", f"/batches?limit=3&after={first['last_id']}")
    assert second["has_more"] is False
    assert {batch["id"] for page in (first, second) for batch in page["data"]} == made
    assert (await client.ask("GET", "/batches?limit=0"))[0] == 400


async def test_a_cancelled_batch_keeps_what_it_has(serve):
    client, _ = await serve()
    batch_id = await client.start(requests("a", "b"), "batch_delay_s=30")
    while (await client.ask("GET", f"/batches/{batch_id}"))[1]["status"] != "in_progress":
        await asyncio.sleep(0.01)
    status, batch = await client.ask("POST", f"/batches/{batch_id}/cancel")
    assert (status, batch["status"]) == (200, "cancelling")
    batch = await client.ended(batch_id)
    assert batch["status"] == "cancelled"
    assert {line["error"]["code"] for line in (await client.lines(batch["error_file_id"])).values()} == {
        "batch_cancelled"
    }
    assert (await client.ask("POST", f"/batches/{batch_id}/cancel"))[0] == 409


async def test_faults_of_batches_come_on_demand(serve):
    client, _ = await serve()
    data = requests("a", "b", "c", "d")
    expired = await client.ended(await client.start(data, "rate_expired=1"))
    assert (expired["status"], expired["request_counts"]["completed"]) == ("expired", 2)
    errors = await client.lines(expired["error_file_id"])
    assert {line["error"]["code"] for line in errors.values()} == {"batch_expired"}
    failing = await client.ended(await client.start(data, "rate_request_failed=1"))
    assert (failing["status"], failing["request_counts"]["failed"]) == ("completed", 4)
    assert failing["output_file_id"] is None
    assert (await client.ended(await client.start(data, "rate_invalid_file=1")))["status"] == "failed"
    full = await client.ended(await client.start(data, "rate_queue_full=1"))
    assert full["errors"]["data"][0]["code"] == "token_limit_exceeded"
    spoilt = await client.ended(await client.start(data, "rate_empty=1"))
    answers = await client.lines(spoilt["output_file_id"])
    assert {line["response"]["body"]["choices"][0]["message"]["content"] for line in answers.values()} == {""}


async def test_a_restarted_teacher_goes_on_where_it_stopped(serve, tmp_path):
    client, stop = await serve()
    batch_id = await client.start(requests("a", "b", "c"), "batch_delay_s=0.3")
    while (await client.ask("GET", f"/batches/{batch_id}"))[1]["status"] != "in_progress":
        await asyncio.sleep(0.01)
    await stop()
    line = {"custom_id": "a", "response": {"status_code": 200, "body": {"from": "before"}}, "error": None}
    work = tmp_path / "state" / "batches" / f"{batch_id}.jsonl"
    work.write_text(json.dumps(line) + '\n{"custom_id": "b", "respo', encoding="utf-8")
    client, _ = await serve()
    batch = await client.ended(batch_id)
    assert batch["request_counts"] == {"total": 3, "completed": 3, "failed": 0}
    answers = await client.lines(batch["output_file_id"])
    assert set(answers) == {"a", "b", "c"}
    assert answers["a"]["response"]["body"] == {"from": "before"}
