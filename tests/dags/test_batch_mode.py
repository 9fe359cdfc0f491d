"""The synthesis with stages in batch mode, through Airflow's own deferral, in this process."""

import os
from datetime import UTC, datetime

import psycopg
import pytest

from gem_tasks.pipeline.ingest.source import ingest
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import Settings
from tests.corpus import EXAMPLES
from tests.dags.folder import DAGS

pytestmark = [pytest.mark.filterwarnings("default")]
NOW = datetime(2026, 1, 31, 14, 5, tzinfo=UTC)


@pytest.fixture
def settings(dsn, teacher_url, tmp_path, monkeypatch):
    values = {
        "GEM_HOME": str(tmp_path),
        "GEM_POSTGRES_DSN": dsn,
        "GEM_LLM_BASE_URL": f"{teacher_url}?rate_malformed=0.3&seed=5",
        "GEM_LLM_MODE_FILTER": "batch",
        "GEM_LLM_MODE_GENERATE": "batch",
        "GEM_LLM_BATCH_POLL_S": "1",
        "GEM_MAX_WORKFLOWS": "2",
    }
    for name in [name for name in os.environ if name.startswith("GEM_")]:
        monkeypatch.delenv(name)
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return Settings()


def test_a_partition_goes_through_batches_to_the_dataset(settings):
    from airflow.dag_processing.dagbag import DagBag
    from airflow.utils.db import initdb

    initdb()
    ingest(Workspace.open(settings), str(EXAMPLES), "2026-01-31T14:00")
    run = DagBag(dag_folder=str(DAGS)).dags["gem_synthesize"].test(run_after=NOW)
    states = {(ti.task_id, ti.map_index): ti.state for ti in run.get_task_instances()}
    assert run.state == "success", states
    with psycopg.connect(settings.database) as connection:
        batches = connection.execute(
            "SELECT stage, count(*), min(state), max(state) FROM batches JOIN recipes USING (recipe_id) GROUP BY 1"
        ).fetchall()
        published = connection.execute("SELECT count(*), count(DISTINCT segment_id) FROM trajectories").fetchone()
    assert {stage for stage, *_ in batches} == {"filter", "generate"}
    assert {state for _, _, *both in batches for state in both} == {"done"}
    assert any(count > 1 for _, count, *_ in batches), "a repair round was deferred for as well"
    assert published[0] > published[1] > 5, "several conversations of one text"
