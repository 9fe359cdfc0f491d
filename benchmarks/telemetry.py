"""What watching costs: CPU time per call of GEM's client, without a watch, with it, and with traces and metrics.

    python benchmarks/telemetry.py [--calls 2000] [--rounds 9]

Each call goes over HTTP to an endpoint in another process that answers at once, with 4 KB prompts and 1 KB answers, 64
in flight; traces and metrics go to a collector in a third process. The ways take turns, in an order that changes, and
time is the process's CPU time, exports included, because the wall time on a busy machine says little. Prints medians.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import statistics
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

from aiohttp import web

from gem_tasks.domain.chat import ChatMessage, ChatRequest
from gem_tasks.domain.outcome import Cost, Outcome
from gem_tasks.llm.client import OpenAIClient
from gem_tasks.pipeline.shard.watch import Watch
from gem_tasks.settings import Settings
from gem_tasks.telemetry.otlp import telemetry
from gem_tasks.telemetry.spans import shard_trace

IN_FLIGHT = 64
ANSWER = {
    "id": "1", "object": "chat.completion", "created": 1, "model": "bench",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "word " * 200}}],
    "usage": {"prompt_tokens": 1000, "completion_tokens": 200},
}  # fmt: skip
WAYS = {"no watch": None, "watch (always on)": None, "traces, 1 %": 0.01, "traces, all": 1.0}


def endpoint(port):
    """Answers at once, until it is killed."""
    body = json.dumps(ANSWER).encode()

    async def complete(request):
        await request.read()
        return web.Response(body=body, content_type="application/json")

    app = web.Application()
    app.router.add_post("/v1/chat/completions", complete)
    web.run_app(app, host="127.0.0.1", port=port, print=None)


def collector(port):
    """Takes everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            """Nothing."""

    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


async def calls(count, url, watch):
    """Makes the calls, as a stage does: each belongs to a segment with an outcome."""
    async with OpenAIClient(url, None, concurrency=IN_FLIGHT, timeout_s=60, max_attempts=1, window=100_000) as client:
        used = watch.client("filter", client, client) if watch else client
        slots = asyncio.Semaphore(IN_FLIGHT)

        async def ask(record):
            text = f"{record.segment.segment_id} " + "prompt " * 580
            message = ChatMessage(role="user", content=text)
            completion = await used.complete(ChatRequest(model="bench", messages=(message,)))
            return Outcome(segment_id=record.segment.segment_id, kind="accepted", cost=Cost().plus(completion))

        async def one(number):
            segment = SimpleNamespace(segment_id=f"segment-{number}", document_id=f"document-{number}")
            record = SimpleNamespace(segment=segment)
            async with slots:
                await (watch.outcome(ask, record) if watch else ask(record))

        await asyncio.gather(*map(one, range(count)))


def measured(way, count, url):
    """Microseconds of CPU time per call."""
    place = SimpleNamespace(recipe_id="r", partition="p", shard=0)
    job = SimpleNamespace(name="filter", place=place, run=SimpleNamespace(run_id="bench"),
                          work=SimpleNamespace(settings=Settings(llm_base_url=url, llm_model="bench")))  # fmt: skip
    began = time.process_time()
    if WAYS[way] is None:
        asyncio.run(calls(count, url, Watch(job, count, None) if way.startswith("watch") else None))
    else:
        with shard_trace(WAYS[way], run="bench", stage="filter", partition="p", shard=0) as trace:
            asyncio.run(calls(count, url, Watch(job, count, trace)))
    return (time.process_time() - began) / count * 1e6


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--calls", type=int, default=2000)
    options.add_argument("--rounds", type=int, default=9)
    options.add_argument("--port", type=int, default=24400)
    asked = options.parse_args()
    os.environ |= {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{asked.port + 1}",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    }
    servers = [multiprocessing.Process(target=run, args=(asked.port + at,), daemon=True)
               for at, run in enumerate((endpoint, collector))]  # fmt: skip
    for server in servers:
        server.start()
    time.sleep(3)
    assert telemetry()
    url, found = f"http://127.0.0.1:{asked.port}/v1", {way: [] for way in WAYS}
    for number in range(asked.rounds + 1):
        for way in random.sample(list(WAYS), len(WAYS)):
            took = measured(way, asked.calls, url)
            if number:  # the first round warms up
                found[way].append(took)
    base = statistics.median(found["no watch"])
    for way, took in found.items():
        median = statistics.median(took)
        print(f"{way:18} {median:7.0f} µs per call ({min(took):.0f} to {max(took):.0f}), ratio {median / base:.3f}")
    for server in servers:
        server.kill()


if __name__ == "__main__":
    main()
