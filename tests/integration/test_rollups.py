"""The pages' rollups are exact whatever writers do at once."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from gem_tasks.domain.chat import Usage
from gem_tasks.domain.outcome import Cost, Outcome
from gem_tasks.errors import ErrorClass
from gem_tasks.lineage import Ledger, RunContext
from tests.corpus import PARTITION
from tests.integration.ledger_rows import EXTRACT, FILTER, document, segment

WRITERS, WRITES, SEGMENTS = 6, 30, 40
TOTALS = """SELECT partition_key, recipe_id, source_id, outcome, why, segments, calls, prompt_tokens, completion_tokens,
                   latency_ms, priced, round(usd::numeric, 6) AS usd
            FROM stage_totals WHERE segments <> 0 ORDER BY 1, 2, 3, 4, 5"""

WORK = "SELECT sum(calls) AS calls, sum(prompt_tokens) AS tokens, sum(usd) AS usd FROM {}"


def outcome(number, chance):
    kind, calls = chance.choice(("accepted", "rejected", "failed")), chance.randint(0, 3)
    usage = Usage(prompt_tokens=10 * calls, completion_tokens=3 * calls)
    return Outcome(
        segment_id=segment(number).segment_id,
        kind=kind,
        reason=chance.choice(("not_procedural", "too_few_steps")) if kind == "rejected" else None,
        error_class=chance.choice((ErrorClass.MALFORMED, ErrorClass.TIMEOUT)) if kind == "failed" else None,
        cost=Cost(calls=calls, usage=usage, latency_s=0.5 * calls, usd=chance.choice((None, 0.25)) if calls else None),
    )


def write(dsn, seed):
    chance = random.Random(seed)
    with Ledger(dsn) as ledger:
        for _ in range(WRITES):
            numbers = chance.sample(range(1, SEGMENTS + 1), chance.randint(1, 12))
            found = [outcome(number, chance) for number in numbers]
            run = RunContext(run_id=f"r{seed}", task_id="t")
            ledger.stages.commit_outcomes(chance.choice((FILTER, EXTRACT)), PARTITION, 0, found, "key", run)


@pytest.mark.usefixtures("ledger")
def test_writers_of_the_same_segments_at_once_leave_exact_totals_and_no_deadlock(dsn):
    with Ledger(dsn) as ledger:
        source = ledger.sources.register_source("file:///corpus")
        for number in range(3, SEGMENTS + 1):
            ledger.ingestion.commit_ingest(PARTITION, source, [document(number)], {number: [segment(number)]})
    with ThreadPoolExecutor(WRITERS) as pool:
        for done in [pool.submit(write, dsn, seed) for seed in range(WRITERS)]:
            done.result()
    with Ledger(dsn) as ledger:
        kept, ingested = (ledger.pg.execute(sql).fetchall() for sql in (TOTALS, "SELECT * FROM ingest_totals"))
        worked, spent = (
            ledger.pg.execute(WORK.format(table)).fetchone() for table in ("stage_activity", "stage_results")
        )
        ledger.pg.execute("SELECT gem_recount()")
        assert kept == ledger.pg.execute(TOTALS).fetchall()
        assert sorted(map(str, ingested)) == sorted(
            map(str, ledger.pg.execute("SELECT * FROM ingest_totals").fetchall())
        )
    assert sum(row["segments"] for row in kept) > SEGMENTS
    assert worked == spent
