"""The journal: durable before the caller goes on, found again by request, here and on another machine."""

import asyncio
import time
import tracemalloc

import pytest

from gem_tasks.domain.chat import ChatMessage, ChatRequest, Completion
from gem_tasks.errors import EndpointError, ErrorClass, StoreError
from gem_tasks.pipeline.journal.journal import Journal, JournaledClient
from gem_tasks.store.local import LocalStore

PREFIX = "journal/r/p/shard-00000/"


@pytest.fixture
def store(tmp_path):
    return LocalStore(tmp_path / "store")


def journal(tmp_path, store, machine="here", every_s=60.0):
    return Journal(tmp_path / machine / PREFIX, store, PREFIX, every_s)


def request(text):
    return ChatRequest(model="m", messages=(ChatMessage(role="user", content=text),))


class Endpoint:
    def __init__(self):
        self.asked = []

    async def complete(self, request):
        self.asked.append(request.messages[0].content)
        await asyncio.sleep(0)
        if self.asked[-1] == "broken":
            raise EndpointError(ErrorClass.TIMEOUT, "slow")
        return Completion(text=f"to {self.asked[-1]} \u2028 {len(self.asked)}", finish_reason="stop")


async def ask(written, endpoint, *texts):
    async with written:
        client = JournaledClient(endpoint, written)
        return await asyncio.gather(*(client.complete(request(text)) for text in texts)), client.replayed


async def test_what_was_answered_is_never_asked_again_on_this_machine(tmp_path, store):
    endpoint = Endpoint()
    first, _ = await ask(journal(tmp_path, store), endpoint, "a", "b", "c")
    again = journal(tmp_path, store)
    assert again.load() == 3
    second, replayed = await ask(again, endpoint, "a", "b", "c", "d")
    assert second[:3] == first
    assert (replayed, endpoint.asked) == (3, ["a", "b", "c", "d"])


async def test_nor_on_another_machine_once_a_chunk_was_sent(tmp_path, store):
    endpoint = Endpoint()
    written = journal(tmp_path, store, every_s=0.05)
    async with written:
        client = JournaledClient(endpoint, written)
        await asyncio.gather(*(client.complete(request(text)) for text in "abc"))
        await asyncio.sleep(0.3)
        await client.complete(request("late"))
        elsewhere = journal(tmp_path, store, machine="there")
        assert elsewhere.load() == 3  # what is not sent yet is asked again there: at most `every_s` seconds of answers
    _, replayed = await ask(elsewhere, endpoint, "a", "b", "c")
    assert (replayed, endpoint.asked.count("a")) == (3, 1)


async def test_an_answer_that_lies_here_and_in_the_store_counts_once(tmp_path, store):
    written = journal(tmp_path, store, every_s=0.02)
    async with written:
        await JournaledClient(Endpoint(), written).complete(request("a"))
        await asyncio.sleep(0.2)
    assert journal(tmp_path, store).load() == 1


async def test_two_records_with_the_same_text_have_an_answer_each(tmp_path, store):
    endpoint = Endpoint()
    await ask(journal(tmp_path, store), endpoint, "same", "same")
    again = journal(tmp_path, store)
    again.load()
    _, replayed = await ask(again, endpoint, "same", "same", "same")
    assert (replayed, len(endpoint.asked)) == (2, 3)


async def test_a_failure_is_not_written_down(tmp_path, store):
    written = journal(tmp_path, store)
    with pytest.raises(EndpointError):
        await ask(written, Endpoint(), "broken")
    assert journal(tmp_path, store).load() == 0


async def test_a_stage_that_fails_sends_what_it_has(tmp_path, store):
    written = journal(tmp_path, store)
    with pytest.raises(RuntimeError):
        async with written:
            await JournaledClient(Endpoint(), written).complete(request("a"))
            raise RuntimeError
    assert journal(tmp_path, store, machine="there").load() == 1


async def test_torn_lines_and_half_chunks_are_passed_over(tmp_path, store):
    await ask(journal(tmp_path, store), Endpoint(), "a", "b")
    (file,) = (tmp_path / "here" / PREFIX).glob("*.jsonl")
    file.write_bytes(file.read_bytes()[:-25])
    store.put(PREFIX + "other-000000.jsonl.zst", b"\x28\xb5\x2f\xfd half")
    assert journal(tmp_path, store).load() == 1


@pytest.mark.parametrize("machine", ["here", "there"])
async def test_finding_answers_takes_no_memory_for_their_texts(tmp_path, store, machine):
    written = journal(tmp_path, store)
    async with written:
        for number in range(400):
            await written.append(f"{number:032x}", Completion(text="x" * 50_000, finish_reason="stop"))
        await written.flush()
    again = journal(tmp_path, store, machine=machine)
    tracemalloc.start()
    try:
        assert again.load() == 400
        held, _ = tracemalloc.get_traced_memory()
        assert held < 1_000_000
        assert len(again.take(f"{7:032x}").text) == 50_000
        assert again.take(f"{7:032x}") is None
    finally:
        tracemalloc.stop()
        again.discard()


async def test_a_chunk_is_fetched_once_however_often_a_worker_is_replaced(tmp_path, store, monkeypatch):
    async with journal(tmp_path, store) as written:
        await written.append("a" * 32, Completion(text="x", finish_reason="stop"))
        await written.flush()
    assert journal(tmp_path, store, machine="there").load() == 1
    monkeypatch.setattr(LocalStore, "get", lambda self, key: pytest.fail(f"{key} is fetched again"))
    assert journal(tmp_path, store, machine="there").load() == 1


async def test_discarding_leaves_nothing(tmp_path, store):
    written = journal(tmp_path, store, every_s=0.02)
    async with written:
        await JournaledClient(Endpoint(), written).complete(request("a"))
        await asyncio.sleep(0.2)
    written.discard()
    assert list(store.list("journal/")) == []
    assert journal(tmp_path, store).load() == 0


def test_discarding_removes_no_folder_above_the_journals(tmp_path, store):
    home = tmp_path / "an empty home"
    folder = home / "journal" / "r" / "2026-01-31T14:00" / "shard-00000"
    folder.mkdir(parents=True)
    Journal(folder, store, "journal/r/2026-01-31T14:00/shard-00000/", 5).discard()
    assert list(home.iterdir()) == []


async def test_a_full_disk_is_an_error_not_a_lost_answer(tmp_path, store):
    written = journal(tmp_path, store)
    async with written:
        (tmp_path / "here").write_text("a file where a folder should be")
        with pytest.raises(StoreError, match="cannot write to"):
            await JournaledClient(Endpoint(), written).complete(request("a"))


async def test_a_store_that_is_away_for_a_moment_gets_the_lines_later(tmp_path, store):
    class Flaky(LocalStore):
        down = True

        def put(self, key, data):
            if self.down:
                raise StoreError("away")
            super().put(key, data)

    flaky = Flaky(tmp_path / "store")
    written = Journal(tmp_path / "here" / PREFIX, flaky, PREFIX, 0.05)
    async with written:
        await JournaledClient(Endpoint(), written).complete(request("a"))
        await asyncio.sleep(0.2)
        Flaky.down = False
        await asyncio.sleep(0.2)
    assert journal(tmp_path, store, machine="there").load() == 1


class SlowStore(LocalStore):
    """A PUT takes a while, as on S3 with a few megabytes."""

    def put(self, key, data):
        time.sleep(0.3)
        super().put(key, data)


async def written_while_a_chunk_is_under_way(written):
    for text in "abc":
        await written.append(request(text).key, Completion(text=text, finish_reason="stop"))
    await asyncio.sleep(0.15)  # the chunk of these three is being sent
    for text in "de":
        await written.append(request(text).key, Completion(text=text, finish_reason="stop"))


async def test_a_chunk_under_way_when_a_task_fails_is_found_on_another_machine(tmp_path):
    written = journal(tmp_path, SlowStore(tmp_path / "store"), every_s=0.05)
    with pytest.raises(StoreError, match="away"):
        async with written:
            await written_while_a_chunk_is_under_way(written)
            raise StoreError("the endpoint is away")
    elsewhere = journal(tmp_path, LocalStore(tmp_path / "store"), machine="there")
    assert elsewhere.load() == 5
    async with elsewhere:
        assert [elsewhere.take(request(text).key).text for text in "abcde"] == list("abcde")


async def test_a_chunk_under_way_when_a_shard_is_finished_is_discarded_too(tmp_path):
    store = LocalStore(tmp_path / "store")
    written = journal(tmp_path, SlowStore(tmp_path / "store"), every_s=0.05)
    async with written:
        await written_while_a_chunk_is_under_way(written)
    written.discard()
    await asyncio.sleep(0.6)
    assert list(store.list("journal/")) == []


async def test_what_is_flushed_while_a_chunk_is_under_way_goes_into_another(tmp_path):
    written = journal(tmp_path, SlowStore(tmp_path / "store"), every_s=0.05)
    async with written:
        await written_while_a_chunk_is_under_way(written)
        await written.flush()
        elsewhere = journal(tmp_path, LocalStore(tmp_path / "store"), machine="there")
        assert elsewhere.load() == 5
