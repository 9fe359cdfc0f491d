"""The pages at a million segments and more: fills a lineage, and asks every API route and page over HTTP.

    python -m benchmarks.console.run --segments 1000000 --home /tmp/bench

The app runs as Airflow mounts it, under uvicorn with one worker and Airflow's own auth manager; a client asks one
request after the other. A real run of 200 documents lies in the same lineage, so that texts and objects are real.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from random import Random
from urllib.parse import quote

import httpx
import psycopg

ROOT = Path(__file__).parents[2]
WORDS = ("passport", "printer lease", "page 77", "boiler", "html")
STATUSES = ("read", "failed", "empty", "duplicate")
DOMAINS = ("finance", "news", "games", "pets_and_animals")
FILTERS = (
    "domain=news", "platform=phone&domain=finance", "tool=tool_17", "tool=tool_2999", "finding=numbers: rounding",
    "finding=fidelity: tool_number", "least=70", "audit=yes", "tool=nothing", "most=20&platform=other",
)  # fmt: skip
EXAMPLE = ROOT / "examples" / "corpus" / "library-loans.txt"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--segments", type=int, default=1_000_000)
    parser.add_argument("--home", type=Path, default=Path("/tmp/gem-console-bench"))
    parser.add_argument("--port", type=int, default=18900)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--only-fill", action="store_true", help="fill, and measure another time")
    arguments = parser.parse_args()
    os.environ.update({"GEM_HOME": str(arguments.home), "GEM_NEAR_DUPLICATE": "0"})
    dsn = prepare(arguments.home)
    fill(dsn, arguments.segments)
    if not arguments.only_fill:
        with serving(arguments.port) as client:
            measure(client, dsn, arguments.rounds)


def prepare(home):
    """A lineage with one real shard of 200 segments."""
    from gem_tasks.local import services
    from gem_tasks.settings import load

    services.up(airflow=False)
    dsn = load().database
    with psycopg.connect(dsn) as pg:
        if pg.execute("SELECT count(*) FROM trajectories").fetchone()[0]:
            return dsn
    corpus = home / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number in range(200):
        (corpus / f"{number:03d}.txt").write_text(f"Branch {number}\n\n{EXAMPLE.read_text()}", encoding="utf-8")
    gem = Path(sys.executable).with_name("gem")
    subprocess.run([gem, "synth", corpus, "--out", home / "out", "--yes"], check=True, stdout=subprocess.DEVNULL)
    return dsn


def fill(dsn, segments):
    with psycopg.connect(dsn, autocommit=True) as pg:
        there = pg.execute("SELECT sum(segments) FROM ingest_totals").fetchone()[0]
        if there >= segments * 0.9:
            return
        began = time.monotonic()
        for statement in (ROOT / "benchmarks" / "console" / "fill.sql").read_text().split(";\n"):
            if statement.strip():
                pg.execute(statement.replace("{segments}", str(segments)))
        pg.execute("VACUUM ANALYZE")
        size = pg.execute("SELECT pg_size_pretty(pg_database_size(current_database()))").fetchone()[0]
        rows = pg.execute("SELECT sum(segments) FROM stage_totals").fetchone()[0]
        print(f"filled in {time.monotonic() - began:.0f} s: {segments} segments, {rows} results, {size}", flush=True)


class serving:
    """The app in a process of its own, and a client that is logged in."""

    def __init__(self, port):
        self.port = port

    def __enter__(self):
        home = Path(os.environ["GEM_HOME"]) / "airflow-bench"
        env = {**os.environ, "AIRFLOW_HOME": str(home), "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen([sys.executable, "-m", "benchmarks.console.server", str(self.port)], env=env)
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=60)
        for _ in range(240):
            try:
                self.client.headers["authorization"] = f"Bearer {self.client.get('/token').text}"
                return self.client
            except httpx.HTTPError:
                time.sleep(0.5)
        raise SystemExit("the server did not come up")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def measure(client, dsn, rounds):
    random = Random(1)
    with psycopg.connect(dsn) as pg:
        ids = [row[0] for row in pg.execute("SELECT document_id FROM documents TABLESAMPLE SYSTEM (1) LIMIT 500")]
        real = [row[0] for row in pg.execute("SELECT trajectory_id FROM trajectories t JOIN stage_results r USING "
                "(segment_id, recipe_id) JOIN segments USING (segment_id) JOIN documents d USING (document_id) "
                "WHERE d.uri LIKE 'file:%' LIMIT 100")]  # fmt: skip
        parts = [row[0] for row in pg.execute("SELECT partition_key FROM partitions ORDER BY random() LIMIT 100")]
        version = pg.execute("SELECT version FROM datasets LIMIT 1").fetchone()[0]
        prompt = pg.execute("SELECT sha256 FROM prompts LIMIT 1").fetchone()[0]
        tables = "stage_results, segments, documents, trajectories, stage_totals, stage_activity"
        counts = {name: pg.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables.split(", ")}
    print(", ".join(f"{count:,} {name}" for name, count in counts.items()))
    run = [quote(f"asset_triggered__{part}") for part in parts]
    api, pick = "/gem/api", random.choice
    routes = {
        "GET /api/overview": lambda: f"{api}/overview?range={pick(['24h', '7d', '30d', '90d', 'all'])}",
        "GET /api/overview, all time": lambda: f"{api}/overview?range=all",
        "GET /api/overview, one source": lambda: f"{api}/overview?range=90d&source={random.randint(2, 6)}",
        "GET /api/partitions/{key}": lambda: f"{api}/partitions/{pick(parts)}",
        "GET /api/documents": lambda: f"{api}/documents",
        "GET /api/documents, words": lambda: f"{api}/documents?q={pick(WORDS)}",
        "GET /api/documents, status": lambda: f"{api}/documents?status={pick(STATUSES)}",
        "GET /api/documents, source": lambda: f"{api}/documents?source={random.randint(2, 6)}",
        "GET /api/documents, domain": lambda: f"{api}/documents?domain={pick(DOMAINS)}",
        "GET /api/documents/{id}": lambda: f"{api}/documents/{pick(ids)}",
        "GET /api/trajectories": lambda: f"{api}/trajectories",
        "GET /api/trajectories, filters": lambda: f"{api}/trajectories?{pick(FILTERS)}",
        "GET /api/trajectories/{id}": lambda: f"{api}/trajectories/{pick(real)}",
        "GET /api/refused": lambda: f"{api}/refused?reason={pick(['', 'check_policy', 'judge_r1'])}",
        "GET /api/prompts": lambda: f"{api}/prompts",
        "GET /api/prompts/{sha256}": lambda: f"{api}/prompts/{prompt}",
        "GET /api/failures": lambda: f"{api}/failures?range={pick(['7d', '90d', 'all'])}",
        "GET /api/failures, class": lambda: f"{api}/failures?stage=generate&class={pick(['malformed', 'timeout'])}",
        "GET /api/datasets": lambda: f"{api}/datasets",
        "GET /api/datasets/{version}": lambda: f"{api}/datasets/{version}",
        "GET /api/models": lambda: f"{api}/models",
        "GET /api/run": lambda: f"{api}/run?run_id={pick(run)}",
        "GET /api/task": lambda: f"{api}/task?run_id={pick(run)}&task_id=filter.run&map_index={random.randint(0, 24)}",
        "page /": lambda: "/gem/?range=30d",
        "page /documents": lambda: "/gem/documents",
        "page /trajectories": lambda: "/gem/trajectories",
        "page /trajectories/{id}": lambda: f"/gem/trajectories/{pick(real)}",
        "page /failures": lambda: "/gem/failures",
        "page /datasets": lambda: "/gem/datasets",
    }  # fmt: skip
    print(f"{'route':36} {'p50 ms':>8} {'p95 ms':>8} {'max ms':>8}")
    for name, address in routes.items():
        times = [ask(client, address()) for _ in range(rounds + 2)][2:]
        p95 = statistics.quantiles(times, n=20)[-1]
        print(f"{name:36} {statistics.median(times):8.0f} {p95:8.0f} {max(times):8.0f}", flush=True)
    print("deep in a list (cursor, 100 pages on):", deep(client, f"{api}/documents", "documents"))


def deep(client, address, key):
    cursor, times = "", []
    for _ in range(100):
        began = time.perf_counter()
        page = client.get(address, params={"cursor": cursor}).json()
        times.append(1000 * (time.perf_counter() - began))
        assert page[key]
        cursor = page["next"]
    return f"first ten {statistics.median(times[:10]):.0f} ms, last ten {statistics.median(times[-10:]):.0f} ms"


def ask(client, address):
    began = time.perf_counter()
    answer = client.get(address)
    assert answer.status_code == 200, (answer.status_code, address, answer.text[:300])
    return 1000 * (time.perf_counter() - began)


if __name__ == "__main__":
    main()
