"""Lineage at ten million segments and forty million stage results: writing, asking, sizes, and what partitions change.

    python -m benchmarks.console.run --segments 10000000 --home /tmp/bench --only-fill     # 20 minutes, 15 GB
    python -m benchmarks.lineage --home /tmp/bench                                         # 30 minutes, 50 GB at most

The first gives every segment a way through the stages; `history` then adds what two changed prompts leave when they
were backfilled over everything. `upserts` goes through `Stages.commit_outcomes`, with its triggers; `cold` does so
with the page cache emptied before. `partitions` copies all results into a table that is partitioned by month and has
the same indexes, writes and asks in both without triggers, and removes a month from both.
Prints JSON, one line each.
"""

import argparse
import json
import os
import statistics
import time
from contextlib import contextmanager
from multiprocessing import Process, Queue
from pathlib import Path
from random import Random

import psycopg
from psycopg.rows import dict_row

RECIPES = """
INSERT INTO recipes (recipe_id, stage, version, prompt_sha256, model, params, parent_id, first_seen_at)
SELECT %(name)s || recipe_id, stage, version, prompt_sha256, %(name)s || '-model', params,
       CASE stage WHEN 'filter' THEN parent_id ELSE %(name)s || parent_id END, first_seen_at - interval '9 days'
FROM recipes WHERE stage IN ('filter', 'extract') AND recipe_id !~ '^(old|alt|bis)' ORDER BY stage DESC
ON CONFLICT DO NOTHING
"""
RESULTS = """
INSERT INTO stage_results (segment_id, recipe_id, stage, outcome, detail, calls, prompt_tokens, cached_tokens,
    completion_tokens, latency_ms, usd, partition_key, shard, object_key, airflow_run_id, airflow_task_id,
    airflow_map_index, airflow_try, updated_at)
SELECT segment_id, r.recipe_id, %(stage)s, 'accepted', '', 1, 1500, 0, 60, 900, 0.0004, partition_key, shard,
       'stages/' || r.recipe_id || '/' || partition_key, 'backfill__' || partition_key, 'stage.run', shard, 1, now()
FROM segments CROSS JOIN (SELECT recipe_id FROM recipes WHERE stage = %(stage)s AND recipe_id LIKE %(name)s || '%%') r
WHERE random() < %(share)s
"""
SIZES = """
SELECT relname, n_live_tup, pg_relation_size(relid) / 1000000, pg_indexes_size(relid) / 1000000
FROM pg_stat_user_tables WHERE pg_total_relation_size(relid) > 5e7 ORDER BY pg_total_relation_size(relid) DESC
"""
INDEXES = """
SELECT indexrelname, pg_relation_size(indexrelid) / 1000000 FROM pg_stat_user_indexes
WHERE relname = 'stage_results' ORDER BY 2 DESC
"""
DRAWN = """
CREATE TEMP TABLE IF NOT EXISTS drawn AS
SELECT document_id, segment_id, partition_key, shard FROM segments TABLESAMPLE SYSTEM (0.05) ORDER BY random() LIMIT 400
"""
KEY = "(partition_key, segment_id, recipe_id)"
RANGED_MB = """
SELECT sum(pg_relation_size(inhrelid)) / 1000000, sum(pg_indexes_size(inhrelid)) / 1000000
FROM pg_inherits WHERE inhparent = 'ranged'::regclass
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--results", type=int, default=40_000_000)
    parser.add_argument("--seconds", type=float, default=30, help="for each rate")
    parser.add_argument("--steps", nargs="*", default=["history", "sizes", "cold", "upserts", "queries", "partitions"])
    arguments = parser.parse_args()
    os.environ.update({"GEM_HOME": str(arguments.home), "GEM_NEAR_DUPLICATE": "0"})
    from gem_tasks.local import services
    from gem_tasks.settings import load

    services.up(airflow=False)
    dsn = load().database
    steps = {each.__name__: each for each in (history, sizes, cold, upserts, queries, partitions)}
    for name in arguments.steps:
        steps[name](dsn, arguments)


def say(**what):
    print(json.dumps(what), flush=True)


@contextmanager
def connect(dsn):
    with psycopg.connect(dsn, autocommit=True) as pg:
        yield pg


@contextmanager
def careless(pg):
    """A fill need not survive a crash, and triggers would count it row by row."""
    settings = {"fsync": "off", "full_page_writes": "off", "max_wal_size": "'4GB'"}
    for name, value in settings.items():
        pg.execute(f"ALTER SYSTEM SET {name} = {value}")
    pg.execute("SELECT pg_reload_conf()")
    pg.execute("SET session_replication_role = replica; SET synchronous_commit = off; SET work_mem = '256MB'")
    pg.execute("SET maintenance_work_mem = '1GB'")
    try:
        yield
    finally:
        for name in settings:
            pg.execute(f"ALTER SYSTEM RESET {name}")
        pg.execute("SELECT pg_reload_conf()")
        pg.execute("CHECKPOINT")


def history(dsn, options):
    """Results of recipes that are no longer current: two filters over every segment, and what they let through."""
    with connect(dsn) as pg:
        if pg.execute("SELECT sum(segments) FROM stage_totals").fetchone()[0] >= options.results * 0.98:
            return
        began = time.monotonic()
        with careless(pg):
            for name in ("alt", "bis"):
                pg.execute(RECIPES, {"name": name})
                for stage, share in (("filter", 1.0), ("extract", 0.14)):
                    pg.execute(RESULTS, {"name": name, "stage": stage, "share": share})
            pg.execute("SELECT gem_recount()")
            pg.execute("VACUUM ANALYZE stage_results")
        rows = pg.execute("SELECT sum(segments) FROM stage_totals").fetchone()[0]
        say(step="history", rows=int(rows), seconds=round(time.monotonic() - began))


def sizes(dsn, _):
    """Of tables and indexes, in MB."""
    with connect(dsn) as pg:
        tables, indexes = pg.execute(SIZES).fetchall(), pg.execute(INDEXES).fetchall()
        whole = pg.execute("SELECT pg_database_size(current_database()) / 1000000").fetchone()[0]
    say(step="sizes", database_mb=whole, tables=tables, indexes=indexes)


def upserts(dsn, options):
    """Rows a second through the real path: a shard is one statement and one commit."""
    for writers in (1, 4):
        for size in ("shard", "partition"):
            for kind in ("new", "again"):
                rate(dsn, options, writers, size, kind)


def cold(dsn, options):
    """The same by two writers, of new results, before any page of the indexes is in memory."""
    for size in ("shard", "partition"):
        forget()
        rate(dsn, options, 2, size, "new", "cold")


def rate(dsn, options, writers, size, kind, step="upserts"):
    results, before = Queue(), reads(dsn)
    crowd = [Process(target=write, args=(dsn, options.seconds, each, size, kind, results)) for each in range(writers)]
    for each in crowd:
        each.start()
    done = [results.get() for _ in crowd]
    for each in crowd:
        each.join()
    rows = sum(sum(found["rows"]) for found in done)
    latencies = sorted(second for found in done for second in found["seconds"])
    say(
        step=step, writers=writers, load=os.getloadavg()[0], kind=kind,
        rows_a_commit=round(statistics.mean(done[0]["rows"])), pages_read_a_row=round((reads(dsn) - before) / rows, 2),
        rows_a_second=round(sum(sum(found["rows"]) / found["wall"] for found in done)),
        commit_ms={"p50": ms(latencies, 0.5), "p95": ms(latencies, 0.95)},
    )  # fmt: skip


def reads(dsn):
    """Pages that were not in Postgres' buffers; unlike times these do not depend on what else the machine does."""
    time.sleep(1)  # backends report when they end
    with connect(dsn) as pg:
        return pg.execute("SELECT blks_read FROM pg_stat_database WHERE datname = current_database()").fetchone()[0]


def write(dsn, seconds, number, size, kind, results):
    """Commits outcomes of shards, or of whole partitions, drawn at random; `again` writes the same ones twice."""
    from gem_tasks.domain.chat import Usage
    from gem_tasks.domain.outcome import Cost, Outcome
    from gem_tasks.domain.recipe import Recipe
    from gem_tasks.lineage import Ledger
    from gem_tasks.lineage.stages import RunContext

    random = Random(f"{number} {size}")
    recipe = Recipe(stage="filter", version=1, model=f"bench-{size}-{number}-{os.getppid()}")
    cost = Cost(usage=Usage(prompt_tokens=1500, completion_tokens=60), calls=1, latency_s=0.9, usd=0.0004)
    found = {"rows": [], "seconds": [], "wall": 0.0}
    with Ledger(dsn) as ledger, connect(dsn) as pg:
        parts = [row[0] for row in pg.execute("SELECT partition_key FROM partitions ORDER BY 1")]
        random.shuffle(parts)
        parts = parts[number::4]
        until = time.monotonic() + seconds
        for part in parts:
            groups = {}
            for shard, segment in pg.execute("SELECT shard, segment_id FROM segments WHERE partition_key = %s", [part]):
                groups.setdefault(shard if size == "shard" else 0, []).append(segment)
            for shard, ids in groups.items():
                outcomes = [
                    Outcome(segment_id=each, kind="rejected", reason="not_procedural", cost=cost)
                    if random.random() > 0.14
                    else Outcome(segment_id=each, kind="accepted", payload="{}", cost=cost)
                    for each in ids
                ]
                for repeat in range(1 if kind == "new" else 2):
                    began = time.monotonic()
                    ledger.stages.commit_outcomes(recipe, part, shard, outcomes, f"bench/{part}/{shard}", RunContext())
                    took = time.monotonic() - began
                    if kind == "new" or repeat:
                        found["rows"].append(len(ids))
                        found["seconds"].append(took)
            if time.monotonic() > until:
                break
    found["wall"] = sum(found["seconds"])
    results.put(found)


def queries(dsn, _):
    """What people and gates ask, with values drawn at random: p50 and p95 of 60, in ms."""
    with connect(dsn) as pg:
        ask(pg, asked(pg), "stage_results")


def asked(pg):
    """Statements with a source of values each."""
    random = Random(2)
    pg.execute(DRAWN)
    (current,) = pg.execute(
        "SELECT recipe_id FROM recipes WHERE stage = 'filter' AND model = 'offline-rules'"
    ).fetchone()
    rows = pg.cursor(row_factory=dict_row).execute("SELECT * FROM drawn").fetchall()

    def drawn():
        return random.choice(rows)

    return {
        "one document, all its stages": ("SELECT * FROM document_life WHERE document_id = %(document_id)s", drawn),
        "one segment": ("SELECT r.* FROM segments s JOIN stage_results r USING (partition_key, segment_id) "
                        "WHERE segment_id = %(segment_id)s", drawn),
        "a shard's outcomes, before it runs": (
            f"SELECT segment_id, outcome, error_class FROM stage_results WHERE partition_key = %(partition_key)s "
            f"AND shard = %(shard)s AND recipe_id = '{current}' AND NOT retry_asked", drawn),
        "funnel of a partition, from the results": (
            "SELECT * FROM funnel WHERE partition_key = %(partition_key)s", drawn),
        "funnel over everything, from the rollups": (
            "SELECT recipe_id, outcome, sum(segments), sum(calls) FROM stage_totals GROUP BY 1, 2", drawn),
        "a gate's counts of a partition": (
            f"SELECT * FROM gate_metrics WHERE partition_key = %(partition_key)s AND recipe_id = '{current}'", drawn),
    }  # fmt: skip


def ask(pg, statements, table, times=60):
    for name, (statement, values) in statements.items():
        taken = []
        for _ in range(times + 5):
            given = values()
            began = time.monotonic()
            pg.execute(statement.replace("stage_results", table), given).fetchall()
            taken.append(time.monotonic() - began)
        taken = sorted(taken[5:])
        say(step="queries", table=table, query=name, p50_ms=ms(taken, 0.5), p95_ms=ms(taken, 0.95))


def partitions(dsn, options):
    """The same rows in a table partitioned by month, with the same indexes; both written and asked without triggers."""
    with connect(dsn) as pg:
        months = [row[0] for row in pg.execute("SELECT DISTINCT left(partition_key, 7) FROM partitions ORDER BY 1")]
        if not pg.execute("SELECT to_regclass('ranged')").fetchone()[0]:
            began = time.monotonic()
            with careless(pg):
                like = "LIKE stage_results INCLUDING DEFAULTS"
                pg.execute(f"CREATE TABLE ranged ({like}) PARTITION BY RANGE (partition_key)")
                for month, after in zip(months, [*months[1:], "9999"], strict=True):
                    part, span = f"ranged_{month.replace('-', '_')}", f"FROM ('{month}') TO ('{after}')"
                    pg.execute(f"CREATE TABLE {part} PARTITION OF ranged FOR VALUES {span}")
                pg.execute("INSERT INTO ranged SELECT * FROM stage_results")
                pg.execute(f"ALTER TABLE ranged ADD PRIMARY KEY {KEY}")
                for (made,) in pg.execute(
                    "SELECT indexdef FROM pg_indexes WHERE tablename = 'stage_results'"
                ).fetchall():
                    if "stage_results_pkey" not in made:
                        made = made.replace("INDEX stage_results_", "INDEX ranged_")
                        pg.execute(made.replace("public.stage_results", "ranged"))
                pg.execute("VACUUM ANALYZE ranged")
            say(step="partitions", tables=len(months), filled_s=round(time.monotonic() - began))
        pg.execute("SET session_replication_role = replica")
        for table in ("stage_results", "ranged"):
            for where in ("newest", "anywhere"):
                forget()
                for cache in ("cold", "warm"):
                    plain(pg, options, table, where, cache)
        statements = {name: each for name, each in asked(pg).items() if "stage_results" in each[0]}
        bare = ("SELECT * FROM stage_results WHERE segment_id = %(segment_id)s", statements["one segment"][1])
        statements["one segment, without its partition"] = bare
        for table in ("stage_results", "ranged"):
            ask(pg, statements, table)
        say(step="partitions", mb=[int(each) for each in pg.execute(RANGED_MB).fetchone()])
        remove_a_month(pg, months[len(months) // 2], months[len(months) // 2 + 1])


def remove_a_month(pg, month, after):
    """Detaches it from the one table, and deletes it from the other: in one transaction each, taken back at the end."""
    part = f"ranged_{month.replace('-', '_')}"
    ways = {
        "detach and drop": f"ALTER TABLE ranged DETACH PARTITION {part}; DROP TABLE {part}",
        "delete": f"DELETE FROM stage_results WHERE partition_key >= '{month}' AND partition_key < '{after}'",
    }
    (rows,) = pg.execute(f"SELECT count(*) FROM {part}").fetchone()
    for way, statement in ways.items():
        began = time.monotonic()
        with pg.transaction(force_rollback=True):
            pg.execute(statement)
            took = time.monotonic() - began
        say(step="month", way=way, month=month, rows=rows, seconds=round(took, 2))


def forget():
    """Empties the page cache (as root), as when an index is far larger than memory; the buffers hold 128 MB."""
    os.sync()
    Path("/proc/sys/vm/drop_caches").write_text("1", encoding="utf-8")


def plain(pg, options, table, where, cache):
    """Upserts of new rows, 200 a commit, into the newest month or into any."""
    from gem_tasks.lineage.queries import queries as named

    statement = named()["upsert_outcomes"].replace("stage_results", table)
    parts = [row[0] for row in pg.execute("SELECT partition_key FROM partitions ORDER BY 1 DESC")]
    random = Random(f"{table} {where}")
    parts = parts[:60] if where == "newest" else random.sample(parts, 60)
    recipe = f"bench{time.time()}"
    rows, spent = 0, 0.0
    for part, batch in batches(pg, parts):
        values = outcomes_row(recipe, part, batch)
        began = time.monotonic()
        pg.execute(statement, values)
        spent, rows = spent + time.monotonic() - began, rows + len(batch)
        if spent > options.seconds:
            break
    say(step="partitions", table=table, where=where, cache=cache, rows=rows, rows_a_second=round(rows / spent))


def outcomes_row(recipe, part, ids):
    """The values of `upsert_outcomes` for accepted segments."""
    row = {
        "outcome": "accepted", "reason": None, "error_class": None, "detail": "", "doubtful": False, "calls": 1,
        "faults": "{}", "prompt_tokens": 1500, "cached_tokens": 0, "completion_tokens": 60, "reasoning_tokens": 0,
        "latency_ms": 900, "usd": 0.0004, "measures": None,
    }  # fmt: skip
    return {
        "recipe_id": recipe, "stage": "filter", "partition": part, "shard": 0, "object_key": "bench", "run_id": None,
        "task_id": None, "map_index": None, "try_number": None, "segment_id": ids,
        **{name: [value] * len(ids) for name, value in row.items()},
    }  # fmt: skip


def batches(pg, parts):
    for part in parts:
        ids = [row[0] for row in pg.execute("SELECT segment_id FROM segments WHERE partition_key = %s", [part])]
        for start in range(0, len(ids), 200):
            yield part, sorted(ids[start : start + 200])


def ms(ordered, share):
    return round(1000 * ordered[min(len(ordered) - 1, int(len(ordered) * share))], 1)


if __name__ == "__main__":
    main()
