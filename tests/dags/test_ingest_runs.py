"""`gem_ingest` as Airflow runs it, in this process: new text announced, withdrawn text republished, faults isolated."""

import os
from datetime import UTC, datetime, timedelta

import pytest

from gem_tasks.dataset.publish import publish
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import Settings
from tests.corpus import EXAMPLES
from tests.dags.folder import DAGS
from tests.planning import synthesise

pytestmark = [pytest.mark.filterwarnings("default")]
# Asked for in the last minute of an hour: whatever its tasks take, they write to that hour.
NOW, LATER = datetime(2026, 1, 31, 14, 59, 59, tzinfo=UTC), datetime(2026, 1, 31, 15, 5, tzinfo=UTC)
FIRST, SECOND = "2026-01-31T14:00", "2026-01-31T15:00"


@pytest.fixture
def work(dsn, teacher_url, tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("GEM_")]:
        monkeypatch.delenv(name)
    values = {"GEM_HOME": str(tmp_path / "home"), "GEM_POSTGRES_DSN": dsn, "GEM_LLM_BASE_URL": teacher_url}
    values["GEM_MAX_WORKFLOWS"] = "1"
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return Workspace.open(Settings())


def run(moment, **conf):
    """How each task ended."""
    from airflow.dag_processing.dagbag import DagBag

    done = DagBag(dag_folder=str(DAGS)).dags["gem_ingest"].test(run_after=moment, run_conf=conf)
    return done.state, {(ti.task_id, ti.map_index): ti.state for ti in done.get_task_instances()}


def test_an_hour_reads_announces_and_republishes(work, tmp_path):
    from airflow.utils.db import initdb

    initdb()
    folder = tmp_path / "s"
    folder.mkdir()
    for name in ("library-loans.txt", "hotel-front-desk.md"):
        (folder / name).write_text((EXAMPLES / name).read_text(encoding="utf-8"), encoding="utf-8")
    state, tasks = run(NOW, source=str(folder), license="CC0-1.0")
    assert (state, tasks["announce", -1]) == ("success", "success")
    with work.ledger() as ledger:
        (source,) = ledger.sources.all()
        assert source.license == "CC0-1.0"
        assert [segments for _, segments in ledger.ingestion.shards(FIRST)] == [2]
    synthesise(work, FIRST)
    assert publish(work, FIRST).trajectories == 2
    (folder / "library-loans.txt").unlink()
    with work.ledger() as ledger:
        ledger.sources.register_source(str(tmp_path / "unplugged"))
    state, tasks = run(LATER)
    assert tasks["republish", 0] == "success"
    assert [tasks["ingest_source", number] for number in (0, 1)] == ["success", "failed"]
    assert (tasks["announce", -1], tasks["all_read", -1], state) == ("skipped", "upstream_failed", "failed")
    with work.ledger() as ledger:
        (version,) = ledger.datasets.current()
        assert ledger.versions.withdrawn_trajectories(version) == set()
        assert ledger.ingestion.shards(SECOND) == []


def test_a_trial_with_a_limit_does_not_make_the_next_hour_read_the_whole_source(work, tmp_path):
    from airflow.utils.db import initdb

    initdb()
    folder = tmp_path / "s"
    folder.mkdir()
    for name in ("hotel-front-desk.md", "library-loans.txt", "parcel-locker.md"):
        (folder / name).write_text((EXAMPLES / name).read_text(encoding="utf-8"), encoding="utf-8")
    hours = [NOW + timedelta(days=1, hours=number) for number in range(4)]  # a run of this name there was already
    run(hours[0], source=str(folder), limit=1)
    state, tasks = run(hours[1])
    assert (state, tasks["ingest_source", 0], tasks["announce", -1]) == ("success", "success", "skipped")
    with work.ledger() as ledger:
        (source,) = ledger.sources.all()
        assert (source.limit, source.documents, ledger.ingestion.shards("2026-02-01T15:00")) == (1, 1, [])
    run(hours[2], limit=2)  # names no source: about that run only, and the source's own limit is smaller
    with work.ledger() as ledger:
        (source,) = ledger.sources.all()
    assert (source.limit, source.documents) == (1, 1)
    run(hours[3], source=str(folder), limit=0)
    with work.ledger() as ledger:
        (source,) = ledger.sources.all()
    assert (source.limit, source.documents) == (None, 3)
