"""Run in a project with the stage `poem`: a corpus through the first stages, and what is seen of it, as JSON."""

import json
import sys

from fastapi import Request

from gem_console.rendering import page
from gem_console.routes.editor import NOTHING_WRITTEN
from gem_tasks.console.trajectory import by_segment
from gem_tasks.domain.stage import STAGE_NAMES
from gem_tasks.errors import UserError
from gem_tasks.lineage import RunContext
from gem_tasks.lineage.console import ConsolePool
from gem_tasks.pipeline.ingest.source import ingest
from gem_tasks.pipeline.prompt_files import check_prompt
from gem_tasks.pipeline.shard.records import inputs
from gem_tasks.pipeline.shard.run import run_shard
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import load
from tests.planning import plan

PARTITION = "2026-01-31T14:00"


def refusal(text):
    """Why a prompt of one's own for the stage is refused."""
    try:
        check_prompt("poem", text, "mine.md")
    except UserError as error:
        return error.cause
    return None


def shown(work):
    """The view of a segment up to `extract`, and its page."""
    segment = min(inputs(work, "generate", PARTITION, 0))
    pool = ConsolePool(work.settings.database)
    with pool.rows() as db:
        view = by_segment(db, work, segment, work.chain.id_of("extract"))
    pool.close()
    scope = {"type": "http", "path": "/made/r/s", "query_string": b"", "headers": [], "root_path": ""}
    given = {"view": view, "show": "", "may_act": False, **NOTHING_WRITTEN}
    html = page(Request(scope), "trajectory.html", given).body.decode()
    return {"results": [(one.stage, one.model, one.output) for one in view.results], "page": html}


def main(corpus):
    """Runs, looks and prints."""
    work = Workspace.open(load())
    ingest(work, corpus, PARTITION)
    (shard,) = plan(work, PARTITION)
    reports = [run_shard(work, name, PARTITION, shard["shard"], RunContext()) for name in STAGE_NAMES[:3]]
    recipes = work.chain.by_stage
    seen = {
        "stages": STAGE_NAMES,
        "parents": {name: next((other for other in recipes if recipes[other].recipe_id == recipes[name].parent), None)
                    for name in recipes},
        "reports": [report.model_dump(include={"stage", "accepted", "failed", "calls"}) for report in reports],
        "refusals": [refusal(b"Write a poem."), refusal(b"Write a <poem>.")],
    }  # fmt: skip
    print(json.dumps(seen | shown(work)))


main(sys.argv[1])
