"""A run by hand and the hourly one announce the same partition in the same second (apache/airflow#71070).

Airflow keeps a pending run per consumer and partition, which events fill. Looking for one and making one is guarded by
a lock of the *asset*: events of two assets can make two pending runs for one partition, each of which waits for what
the other got, for ever. `gem_synthesize` waits for one asset only, so what any event makes is complete by itself.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest

from tests.dags.folder import DAGS

pytestmark = [pytest.mark.filterwarnings("default")]

HOUR = datetime(2026, 3, 1, 14, tzinfo=UTC)
BY_HAND, SCHEDULED = (None, {"ingest_run_id": "manual"}), (HOUR, {"ingest_run_id": "scheduled"})
"""Only the hourly run's event carries the partition's date; the other one got its key by `add_partitions`."""


@pytest.fixture(scope="module", autouse=True)
def database():
    """Airflow's tables, with GEM's DAGs in them as its DAG processor writes them."""
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
    from airflow.models.dag import DagModel
    from airflow.models.dagbundle import DagBundleModel
    from airflow.utils.db import initdb
    from airflow.utils.session import create_session

    initdb()
    with create_session() as session:
        session.merge(DagBundleModel(name="dags-folder"))
        session.flush()
        bag = DagBag(dag_folder=str(DAGS), bundle_path=DAGS, bundle_name="dags-folder")
        sync_bag_to_db(bag, "dags-folder", None, session=session)
        session.get(DagModel, "gem_synthesize").is_paused = False


def announce(key, date, extra):
    """What the end of `gem_ingest.announce` makes the API server do."""
    from airflow.assets.manager import AssetManager
    from airflow.models.asset import AssetModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        asset = session.scalar(select(AssetModel).where(AssetModel.name == "gem_segments"))
        AssetManager().register_asset_change(
            asset=asset, extra=extra, partition_key=key, partition_date=date, session=session
        )


def started(key):
    """The runs that the scheduler now makes of `gem_synthesize` for a partition: who announced each."""
    from airflow.jobs.job import Job
    from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        SchedulerJobRunner(job=Job())._create_dagruns_for_partitioned_asset_dags(session)
        runs = session.scalars(select(DagRun).where(DagRun.dag_id == "gem_synthesize", DagRun.partition_key == key))
        return sorted(sorted(event.extra["ingest_run_id"] for event in run.consumed_asset_events) for run in runs)


@pytest.mark.parametrize("order", [(BY_HAND, SCHEDULED), (SCHEDULED, BY_HAND)], ids=["hand first", "schedule first"])
def test_one_run_has_both_events_whichever_came_first(order):
    key = f"2026-03-01T1{order.index(BY_HAND)}:00"
    for event in order:
        announce(key, *event)
    assert started(key) == [["manual", "scheduled"]]
    assert started(key) == [["manual", "scheduled"]]  # and the scheduler's next look makes no other


def test_both_at_once_start_every_announcement_once():
    """At the same moment: however Airflow pairs them, nothing stays pending."""
    key, together = "2026-03-01T14:00", Barrier(2)

    def at_once(event):
        together.wait()
        announce(key, *event)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(at_once, (BY_HAND, SCHEDULED)))
    assert sorted(each for run in started(key) for each in run) == ["manual", "scheduled"]


def test_two_pending_runs_as_in_the_report_both_start():
    """What the report shows: one pending run with a date, one without. Here neither waits for the other.

    The two runs of the partition then take its locks one after the other, and the second finds nothing to do.
    """
    from airflow.models.asset import AssetPartitionDagRun
    from airflow.utils.session import create_session
    from sqlalchemy import select

    key = "2026-03-01T15:00"
    announce(key, *BY_HAND)
    with create_session() as session:
        pending = session.scalar(select(AssetPartitionDagRun).where(AssetPartitionDagRun.partition_key == key))
        pending.partition_key = "hidden"  # the second event must not find what the first one made
    announce(key, *SCHEDULED)
    with create_session() as session:
        pending = session.scalar(select(AssetPartitionDagRun).where(AssetPartitionDagRun.partition_key == "hidden"))
        pending.partition_key = key
        session.flush()
        dates = session.scalars(
            select(AssetPartitionDagRun.partition_date).where(AssetPartitionDagRun.partition_key == key)
        )
        assert set(dates) == {None, HOUR}
    assert started(key) == [["manual"], ["scheduled"]]


def test_the_consumer_waits_for_one_asset():
    """What all of the above rests on."""
    from airflow.dag_processing.dagbag import DagBag
    from airflow.sdk import Asset

    bag = DagBag(dag_folder=str(DAGS))
    for dag in bag.dags.values():
        if condition := getattr(dag.timetable, "asset_condition", None):
            assert isinstance(condition, Asset), dag.dag_id
