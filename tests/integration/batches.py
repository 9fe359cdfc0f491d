"""What the tests of batch mode do and look at."""

import asyncio
import time

from gem_tasks.lineage import RunContext
from gem_tasks.pipeline.batch.poll import Pending
from gem_tasks.pipeline.batch.run import collect, poll

RUN = RunContext(run_id="r", last_try=False)
LAST = RunContext(run_id="r")
LIMIT_S = 60


def finish(work, found, run=LAST):
    """Polls and collects until there is a report; returns it and the number of rounds."""
    rounds = 0
    deadline = time.monotonic() + LIMIT_S
    while isinstance(found, Pending):
        while not asyncio.run(poll(work, found)).ended:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        found, rounds = collect(work, found, run), rounds + 1
        assert time.monotonic() < deadline
    return found, rounds


def rows(work, sql="SELECT segment_id, outcome, reason, error_class, calls, faults FROM stage_results ORDER BY 1"):
    with work.ledger() as ledger:
        return ledger.pg.execute(sql).fetchall()


def states(work):
    return [row["state"] for row in rows(work, "SELECT state FROM batches ORDER BY announced_at")]
