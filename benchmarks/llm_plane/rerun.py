"""What a rerun costs when everything is there already, per 100,000 segments.

    python benchmarks/llm_plane/rerun.py [--segments 100000] [--runs 5]

Fills a fresh Postgres with a partition whose segments all have outcomes in all five stages. `plan` is what a rerun of
the partition does: it finds nothing pending, so no task starts. `stages` is what it costs when the tasks run all the
same, for instance because the last stage changed: all stages over all shards, one after the other in one process.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from statistics import median

from bench import PARTITION, database, workspace

from gem_tasks.domain.stage import STAGE_NAMES
from gem_tasks.lineage import RunContext
from gem_tasks.pipeline.rebuild.plan import plan
from gem_tasks.pipeline.run_recipes import register_recipes
from gem_tasks.pipeline.shard.run import run_shard

SHARD = 200

FILL = """
INSERT INTO partitions (partition_key) VALUES (%(partition)s);
INSERT INTO sources (uri) VALUES ('file:///bench');
INSERT INTO documents (document_id, source_id, partition_key, object_key, uri, etag, content_hash, chars)
SELECT 'd' || n, 1, %(partition)s, 'file:///' || n, 'file:///' || n, '1', 'h' || n, 4000
FROM generate_series(1, %(segments)s) n;
INSERT INTO segments (segment_id, document_id, partition_key, shard, row_no, start_char, end_char, tokens)
SELECT 'd' || n || '.0-4000', 'd' || n, %(partition)s, n / %(shard)s, n %% %(shard)s, 0, 4000, 1000
FROM generate_series(1, %(segments)s) n;
"""
RESULTS = """
INSERT INTO stage_results (segment_id, recipe_id, stage, outcome, calls, prompt_tokens, cached_tokens,
    completion_tokens, latency_ms, partition_key, shard, object_key)
SELECT segment_id, %(recipe)s, %(stage)s, 'accepted', 1, 1000, 0, 500, 900, partition_key, shard, 'x' FROM segments
"""


def fill(work, segments):
    """Every segment accepted by every stage."""
    register_recipes(work)
    with work.ledger() as ledger, ledger.transaction():
        for statement in FILL.split(";\n")[:-1]:
            ledger.pg.execute(statement, {"partition": PARTITION, "segments": segments, "shard": SHARD})
        for name, recipe in work.chain.by_stage.items():
            ledger.pg.execute(RESULTS, {"recipe": recipe.recipe_id, "stage": name})
    with work.ledger() as ledger:
        ledger.pg.execute("ANALYZE")


def timed(action):
    """`(seconds, result)`."""
    started = time.monotonic()
    result = action()
    return time.monotonic() - started, result


def stages(work, shards):
    """All stages over all shards; the calls they made."""
    run = RunContext(run_id="bench")
    return sum(run_shard(work, name, PARTITION, number, run).calls for name in STAGE_NAMES for number in range(shards))


def main():
    """Prints medians in seconds per 100,000 segments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--segments", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with database(folder) as dsn:
            work = workspace(dsn, folder / "store", folder, "http://127.0.0.1:1/v1")
            fill(work, options.segments)
            planned = [timed(lambda: plan(work, PARTITION)) for _ in range(options.runs)]
            assert all(not pending for _, pending in planned)
            forced = [timed(lambda: stages(work, options.segments // SHARD)) for _ in range(options.runs)]
            assert all(calls == 0 for _, calls in forced)
    scale = 100_000 / options.segments
    figures = {
        "plan": median(seconds for seconds, _ in planned),
        "stages": median(seconds for seconds, _ in forced),
    }
    print(json.dumps({name: round(value * scale, 2) for name, value in figures.items()}))


if __name__ == "__main__":
    main()
