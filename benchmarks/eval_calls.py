"""What `gem eval calls` adds to an endpoint's own time: the same requests by GEM and by a bare HTTP client.

    python -m benchmarks.eval_calls [--turns 1000] [--latency 0.2] [--concurrency 16] [--repeats 3]

The endpoint is a process of its own that answers every request after a fixed latency, with the same call. The two sides
alternate; medians are printed, with the ratio, the CPU seconds of the client's process, and the ideal: turns x latency
/ concurrency. GEM's side is all of `evaluate`: reading the conversations, health check, requests, journal, comparison,
intervals and reports.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import httpx

from gem_tasks.domain.chat import Sampling
from gem_tasks.domain.evaluation import Endpoint
from gem_tasks.evals.calls.asking import Asker, interleaved
from gem_tasks.evals.calls.conversations import LeftOut, in_files
from gem_tasks.evals.calls.run import evaluate
from gem_tasks.evals.calls.turns import turns_of
from gem_tasks.evals.options import CallsOptions
from gem_tasks.prompts import load

SERVER = """
import asyncio, json, sys
from aiohttp import web
LATENCY = float(sys.argv[1])
CALL = {"id": "c", "type": "function", "function": {"name": "tool_0", "arguments": "{\\"key\\": \\"v\\"}"}}
MESSAGE = {"role": "assistant", "content": None, "tool_calls": [CALL]}
CHOICE = {"index": 0, "finish_reason": "tool_calls", "message": MESSAGE}
USAGE = {"prompt_tokens": 3000, "completion_tokens": 30, "total_tokens": 3030}
HEAD = {"id": "x", "object": "chat.completion", "created": 0, "model": "m"}
ANSWER = json.dumps({**HEAD, "choices": [CHOICE], "usage": USAGE}).encode()
async def chat(request):
    await request.read()
    await asyncio.sleep(LATENCY)
    return web.Response(body=ANSWER, content_type="application/json")
async def models(request):
    return web.json_response({"object": "list", "data": [{"id": "m", "object": "model"}]})
async def main():
    app = web.Application(client_max_size=64 << 20)
    app.router.add_post("/v1/chat/completions", chat)
    app.router.add_get("/v1/models", models)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""
TURNS = 20
"""Turns of the assistant in a conversation."""


def rows(turns):
    """Conversations of about 3,000 tokens with eight tools: calls and words alternate."""
    schema = {"type": "object", "properties": {"key": {"type": "string"}, "count": {"type": "integer", "default": 1}}}
    about = "Looks up what is asked for, and says what there is. " * 4
    tools = [
        {"type": "function", "function": {"name": f"tool_{at}", "description": about, "parameters": schema}}
        for at in range(8)
    ]
    for number in range(-(-turns // TURNS)):
        messages = [{"role": "system", "content": "Follow the rules of the house. " * 80}]
        for at in range(TURNS // 2):
            call = {"name": f"tool_{at % 8}", "arguments": json.dumps({"key": f"k{number}-{at}"})}
            made = [{"id": f"c{at}", "type": "function", "function": call}]
            messages += [
                {"role": "user", "content": f"Please do number {at} of {number}. " * 6},
                {"role": "assistant", "content": None, "tool_calls": made},
                {"role": "tool", "tool_call_id": f"c{at}", "content": json.dumps({"found": ["some record"] * 30})},
                {"role": "assistant", "content": "This is what I have found. " * 6},
            ]
        yield {"id": f"c{number}", "messages": messages, "tools": tools}


def by_gem(url, path, options):
    """Seconds of the whole evaluation, and its report."""
    started, left_out = time.perf_counter(), LeftOut()
    with tempfile.TemporaryDirectory() as folder:
        found = in_files([str(path)], left_out)
        report = evaluate(Endpoint(base_url=url, model="m"), found, options, Path(folder), left_out=left_out)
    return time.perf_counter() - started, report


def bodies(path, options):
    """The requests of a run, in its order."""
    turns = turns_of(in_files([str(path)], LeftOut()), options.max_context, LeftOut())
    sampling = Sampling(temperature=options.temperature, max_tokens=options.max_tokens)
    asker = Asker("m", sampling, load("simulate"), native=True)
    return [asker.request(turn).body for turn in interleaved(turns, options.concurrency)]


def bare(url, wanted, concurrency):
    """Seconds to send these requests and read the answers."""

    async def run():
        waiting = iter(wanted)
        limits = httpx.Limits(max_connections=concurrency)
        async with httpx.AsyncClient(timeout=600, limits=limits, trust_env=False) as client:

            async def work():
                for body in waiting:
                    headers = {"Content-Type": "application/json"}
                    answer = await client.post(f"{url}/chat/completions", content=body, headers=headers)
                    assert answer.json()["choices"]

            await asyncio.gather(*(work() for _ in range(concurrency)))

    started = time.perf_counter()
    asyncio.run(run())
    return time.perf_counter() - started


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--turns", type=int, default=1000)
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument("--concurrency", type=int, default=16)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    options = CallsOptions(concurrency=given.concurrency)
    server = subprocess.Popen([sys.executable, "-c", SERVER, str(given.latency)], stdout=subprocess.PIPE, text=True)
    try:
        url = f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "rows.jsonl")
            path.write_text("".join(f"{json.dumps(row)}\n" for row in rows(given.turns)), encoding="utf-8")
            wanted = bodies(path, options)
            seconds, cpu = {"gem": [], "bare": []}, {"gem": [], "bare": []}
            for _ in range(given.repeats):
                before = time.process_time()
                seconds["bare"].append(bare(url, wanted, given.concurrency))
                between = time.process_time()
                taken, report = by_gem(url, path, options)
                seconds["gem"].append(taken)
                cpu["bare"].append(between - before)
                cpu["gem"].append(time.process_time() - between)
    finally:
        server.terminate()
        server.wait()
    assert len(report.cases) == len(wanted)
    ours, theirs = median(seconds["gem"]), median(seconds["bare"])
    ideal = len(wanted) * given.latency / given.concurrency
    print(f"{len(wanted)} turns, {sum(map(len, wanted)) / len(wanted) / 1000:.1f} kB each; ideal {ideal:.2f} s")
    for name, taken in seconds.items():
        runs = ", ".join(f"{each:.2f}" for each in taken)
        print(f"{name:5} {median(taken):6.2f} s ({runs}), {median(cpu[name]):5.2f} s of CPU")
    print(f"ratio {ours / theirs:.3f}; to the ideal: gem {ours / ideal:.3f}, bare {theirs / ideal:.3f}")


if __name__ == "__main__":
    main()
