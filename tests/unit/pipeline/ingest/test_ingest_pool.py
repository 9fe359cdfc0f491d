"""Processes that prepare documents: whatever becomes of one, every document gets its answer."""

import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from gem_tasks.domain.corpus import IngestReason, RawDocument
from gem_tasks.pipeline.ingest import pool
from gem_tasks.pipeline.ingest.prepare import Rules

RULES = Rules(license=None, target_tokens=100, max_tokens=200, min_chars=1, signed=False)


def raw(name):
    return RawDocument(uri=f"file:///{name}", etag="1", text="Words that stand for a document. " * 3)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_a_child_killed_in_the_middle_of_its_answer_costs_its_document_only(share, monkeypatch):
    code = textwrap.dedent(
        f"""
        import os, pickle, sys
        from gem_tasks.pipeline.ingest import pool
        while True:
            raws, rules = pickle.load(sys.stdin.buffer)
            answer = pickle.dumps(pool.prepare(raws, rules), pickle.HIGHEST_PROTOCOL)
            if any(raw.uri.endswith("poison") for raw in raws):
                os.write(1, answer[: max(1, int(len(answer) * {share}))])
                os.kill(os.getpid(), 9)
            os.write(1, answer)
        """
    )
    monkeypatch.setattr(pool, "_ALONE", 0)
    batches = [(0, [raw("a"), raw("poison"), raw("b")])]
    found = dict(pool.prepared(batches, RULES, 2, command=[sys.executable, "-c", code]))
    reasons = {each.document.uri: each.document.reason for each in found[0]}
    assert reasons == {"file:///a": None, "file:///poison": IngestReason.UNREADABLE, "file:///b": None}


def test_two_threads_that_want_the_one_idle_process_do_not_wait_for_each_other():
    """The process that one of them takes dies: nothing is ever put back for the other to wait for."""
    asking = threading.Event()

    class Dying:
        def ask(self, raws, rules):
            asking.set()
            raise EOFError

        def close(self):
            pass

    class Slow:
        """A queue that lets both threads look before either takes, as two threads may by chance."""

        def __init__(self, queue):
            self._queue, self._both = queue, threading.Barrier(2)

        def empty(self):
            found = self._queue.empty()
            self._both.wait(10)
            return found

        def __getattr__(self, name):
            return getattr(self._queue, name)

    with ThreadPoolExecutor(2) as threads:
        submit = pool._Submit(threads, (sys.executable, "-c", "raise SystemExit"))
        submit._idle.put(Dying())
        submit._idle = Slow(submit._idle)
        futures = [submit([raw(name)], RULES) for name in "ab"]
        try:
            answers = [future.result(timeout=20) for future in futures]
        finally:
            submit._idle.put(Dying())  # frees a thread that waits for ever, so that the test can fail
    assert [each.document.reason for (each,) in answers] == [IngestReason.UNREADABLE] * 2
