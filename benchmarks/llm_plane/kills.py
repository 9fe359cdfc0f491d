"""Kills the worker again and again in mid-stage and counts what that cost.

    python benchmarks/llm_plane/kills.py [--segments 2000] [--kills 50] [--elsewhere]

A 2,000-segment filter stage runs as in Airflow (real Postgres, real store, real HTTP), each time in a fresh process
that is killed with SIGKILL after a random while, until the last one may finish. The endpoint counts which request came
in which process's time, so a call paid for twice is one that a later process asked again. With `--elsewhere` every
process has a GEM_HOME of its own, as on another machine: it finds only what reached the object store.
"""

import argparse
import asyncio
import json
import multiprocessing
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from aiohttp import web
from bench import PARTITION, add_shard, database, free_port, workspace

from gem_tasks.lineage import RunContext
from gem_tasks.pipeline.shard.run import run_shard
from gem_tasks.store import keys, shards

CONCURRENCY = 64
ANSWER = "<multi_step>False</multi_step>\n<reason>not_procedural</reason>"


def endpoint(port, connection):
    """Serves until killed; on request tells which segments were asked since it was last asked, and which are open."""
    asked, open_now, rng = Counter(), Counter(), random.Random(1)

    async def complete(request):
        text = (await request.json())["messages"][-1]["content"]
        name = text[text.index("SEGMENT-") :].split()[0]
        asked[name] += 1
        open_now[name] += 1
        await asyncio.sleep(0.5 * rng.lognormvariate(0, 0.3))
        open_now[name] -= 1
        message = {"role": "assistant", "content": ANSWER}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        usage = {"prompt_tokens": 900, "completion_tokens": 20, "total_tokens": 920}
        return web.json_response({"id": "x", "model": "bench", "choices": [choice], "usage": usage})

    async def tell(request):
        del request
        found = {"asked": dict(asked), "open": sum(open_now.values())}
        asked.clear()
        return web.json_response(found)

    app = web.Application(client_max_size=1 << 26)
    app.router.add_post("/v1/chat/completions", complete)
    app.router.add_get("/tell", tell)

    async def ready(app):
        del app
        connection.send(True)

    app.on_startup.append(ready)
    web.run_app(app, host="127.0.0.1", port=port, print=None, access_log=None, handle_signals=False)


def prepare(config, count, folder):
    """One shard of so many segments."""
    work = open_workspace(config, folder)
    add_shard(work, [f"SEGMENT-{number:05d} " + "words and words " * 240 for number in range(count)])
    return work


def open_workspace(config, home):
    """What the worker process works on."""
    return workspace(config["dsn"], config["store"], home, config["url"], llm_concurrency=CONCURRENCY)


def worker(config, home):
    """One life of the worker."""
    return subprocess.Popen([sys.executable, __file__, "--work", json.dumps(config), home])


def tell(config):
    """What the endpoint saw since last time."""
    import urllib.request

    return json.load(urllib.request.urlopen(config["url"].replace("/v1", "/tell")))


def hunt(config, folder, kills, elsewhere):
    """Yields per process: what it asked, and how many calls were open when it died."""
    rng = random.Random(7)
    for number in range(kills + 1):
        process = worker(config, str(folder / (f"home{number}" if elsewhere else "home")))
        asked = Counter()
        if number < kills:
            while not asked:  # it takes a second to start: nothing to kill before it has asked for something
                time.sleep(0.05)
                asked.update(tell(config)["asked"])
            time.sleep(rng.uniform(0.05, 0.6))
            process.send_signal(signal.SIGKILL)
        code = process.wait()
        seen = tell(config)
        asked.update(seen["asked"])
        yield asked, seen["open"], code
        time.sleep(1.2 if number < kills else 0)  # the endpoint finishes, and charges for, what nobody waits for


def main():
    """Prints the counts."""
    if sys.argv[1:2] == ["--work"]:
        config, home = json.loads(sys.argv[2]), Path(sys.argv[3])
        run_shard(open_workspace(config, home), "filter", PARTITION, 0, RunContext(run_id="bench"))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--segments", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--elsewhere", action="store_true")
    options = parser.parse_args()
    ours, theirs = multiprocessing.Pipe()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        port = free_port()
        server = multiprocessing.Process(target=endpoint, args=(port, theirs), daemon=True)
        with database(folder) as dsn:
            server.start()
            try:
                ours.recv()
                config = {"dsn": dsn, "store": str(folder / "store"), "url": f"http://127.0.0.1:{port}/v1"}
                work = prepare(config, options.segments, folder)
                report(work, options, list(hunt(config, folder, options.kills, options.elsewhere)))
            finally:
                server.kill()


def report(work, options, lives):
    """Lost, doubled, and paid twice."""
    again = []
    for number, (asked, open_at_death, _) in enumerate(lives[:-1]):
        later = set().union(*(other for other, _, _ in lives[number + 1 :]))
        again.append((len(set(asked) & later), open_at_death))
    with work.ledger() as ledger:
        rows = ledger.pg.execute("SELECT count(*) AS n, sum(calls) AS calls FROM stage_results").fetchone()
    key = keys.stage_key("filter", work.chain.id_of("filter"), PARTITION, 0)
    stored = Counter(outcome.segment_id for outcome in shards.decode_outcomes(work.fetch(key)))
    total = sum(sum(asked.values()) for asked, _, _ in lives)
    print(
        json.dumps(
            {
                "segments": options.segments,
                "kills": sum(code == -signal.SIGKILL for _, _, code in lives),
                "last_exit": lives[-1][2],
                "lost": options.segments - rows["n"],
                "doubled": sum(stored.values()) - len(stored) + abs(len(stored) - rows["n"]),
                "calls": total,
                "paid_twice": total - options.segments,
                "paid_twice_per_kill_mean": round(sum(count for count, _ in again) / max(1, len(again)), 1),
                "paid_twice_per_kill_max": max((count for count, _ in again), default=0),
                "in_flight_ceiling": CONCURRENCY,
                "open_just_after_kill_mean": round(sum(count for _, count in again) / max(1, len(again)), 1),
                "kills_that_cost_more_than_in_flight": sum(count > CONCURRENCY for count, _ in again),
            }
        )
    )


if __name__ == "__main__":
    main()
