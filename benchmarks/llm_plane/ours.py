"""GEM's filter stage over one shard as an Airflow task runs it: journal, parser, Parquet object and lineage included.

Run by `run.py` as the other peers are, with `BENCH_DSN` naming an empty, migrated database. The prompt is GEM's own
with the text cut so that the whole request is about as long as the others'.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent / "peers")]
from bench import PARTITION, add_shard, workspace
from common import Clock, options, prompt

from gem_tasks.lineage import RunContext
from gem_tasks.pipeline.shard.run import run_shard
from gem_tasks.prompts import load

asked_for = options()
with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    work = workspace(
        os.environ["BENCH_DSN"], folder / "store", folder, asked_for.base_url, llm_concurrency=asked_for.concurrency
    )
    size = max(200, 4096 - len(load("filter").text))
    add_shard(work, [prompt(number, size) for number in range(asked_for.calls)])
    with Clock() as clock:
        report = run_shard(work, "filter", PARTITION, 0, RunContext(run_id="bench"))
    with work.ledger() as ledger:
        found = ledger.pg.execute(
            "SELECT error_class, sum(calls)::int AS calls FROM wasted_calls GROUP BY 1"
        ).fetchall()
        asked = ledger.pg.execute("SELECT sum(calls)::int AS calls FROM stage_results").fetchone()["calls"]
# The parser reads the verdict, which comes after the answer's ID; an answer to another prompt has no other effect here,
# so that right answers reach right segments is for the tests to show.
clock.write(asked_for.output, asked_for.calls, report.rejected + report.accepted)
figures = json.loads(asked_for.output.read_text(encoding="utf-8"))
accounts = {
    "recorded_calls": asked,
    "wasted": {row["error_class"]: row["calls"] for row in found},
    "failed": report.failed,
}
asked_for.output.write_text(json.dumps(figures | {"accounts": accounts}), encoding="utf-8")
