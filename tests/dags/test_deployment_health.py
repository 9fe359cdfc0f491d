"""What health checks and `gem doctor` say of a deployment's services, over Airflow's own tables in Postgres."""

import socket
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from gem_tasks.local import deployment as module
from gem_tasks.local.deployment import Deployment, dag_ids, main
from gem_tasks.local.doctor import examine
from gem_tasks.settings import Settings

pytestmark = [pytest.mark.filterwarnings("default")]

HOST = socket.gethostname()


@pytest.fixture
def airflow(dsn, monkeypatch):
    """DSN of a database with Airflow's tables, in which all is well."""
    from airflow.models.base import Base
    from airflow.models.dag import DagModel
    from airflow.models.dagbundle import DagBundleModel
    from airflow.utils.db import import_all_models
    from sqlalchemy import create_engine
    from sqlalchemy.orm import Session

    url = dsn.replace("postgresql:", "postgresql+psycopg2:")
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", url)
    monkeypatch.delenv("AIRFLOW__CELERY__BROKER_URL", raising=False)
    import_all_models()
    engine = create_engine(url)
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(DagBundleModel(name="gem"))
        session.flush()
        session.add_all(DagModel(dag_id=dag, bundle_name="gem", is_stale=False) for dag in dag_ids())
        session.commit()
    engine.dispose()
    for name in module.JOBS.values():
        heartbeat(dsn, name)
    return dsn


def heartbeat(dsn, job, *, host=HOST, age_s=1, started_s=3600, state="running"):
    now = datetime.now(UTC)
    values = [job, host, state, now - timedelta(seconds=started_s), now - timedelta(seconds=age_s)]
    with psycopg.connect(dsn) as connection:
        connection.execute(
            "INSERT INTO job (job_type, hostname, state, start_date, latest_heartbeat) VALUES (%s, %s, %s, %s, %s)",
            values,
        )


def execute(dsn, sql, *values):
    with psycopg.connect(dsn) as connection:
        connection.execute(sql, values)


def wrong(settings=None):
    """What the doctor finds wrong with the services of the deployment."""
    services = {*module.JOBS, "worker", "services"}
    found = examine(settings or Settings())
    return {each.name: each.detail for each in found if each.name in services and not each.ok}


def test_services_that_send_heartbeats_are_well(airflow, capsys):
    assert [main([name]) for name in module.JOBS] == [0, 0, 0]
    assert wrong() == {}


@pytest.mark.parametrize(
    "other", [{"age_s": 61}, {"state": "failed"}, {"host": "another"}], ids=["silent", "ended", "on another host"]
)
def test_a_service_that_sends_none_from_this_host_is_dead(airflow, capsys, other):
    execute(airflow, "DELETE FROM job WHERE job_type = 'TriggererJob'")
    heartbeat(airflow, "TriggererJob", **other)
    assert main(["triggerer"]) == 1
    assert capsys.readouterr().err == f"triggerer has sent no heartbeat for 60 s from {HOST}\n"


def test_a_dag_processor_that_has_not_read_the_dags_is_not_well(airflow, capsys):
    execute(airflow, "UPDATE dag SET has_import_errors = true WHERE dag_id = 'gem_ingest'")
    execute(
        airflow,
        "INSERT INTO import_error (filename, bundle_name, stacktrace) VALUES ('gem_ingest.py', 'gem', %s)",
        "Traceback\nModuleNotFoundError: no gem",
    )
    execute(airflow, "DELETE FROM dag WHERE dag_id = 'gem_audit'")
    told = "Airflow did not load gem_audit; Airflow did not load gem_ingest: ModuleNotFoundError: no gem"
    assert main(["dag-processor"]) == 1
    assert capsys.readouterr().err.strip() == told
    assert wrong() == {"dag-processor": told}


def test_the_doctor_names_what_starts_again_and_again(airflow):
    for age in (400, 250, 100):
        heartbeat(airflow, "SchedulerJob", started_s=age)
        heartbeat(airflow, "DagProcessorJob", started_s=age, host=f"one of three {age}")
    assert wrong() == {"scheduler": "started 3 times within ten minutes"}


def test_without_its_database_a_service_is_not_well_and_the_password_stays_where_it_is(monkeypatch, capsys):
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "postgresql+psycopg2://gem:hunter2@127.0.0.1:9/airflow")
    assert main(["scheduler"]) == 1
    assert "scheduler cannot reach its database or broker" in (told := capsys.readouterr().err)
    assert "hunter2" not in told
    assert "hunter2" not in str(found := wrong())
    assert found == {"services": "Airflow's database does not answer (OperationalError)"}


def test_workers_are_counted_by_those_that_answer(airflow, monkeypatch):
    monkeypatch.setenv("AIRFLOW__CELERY__BROKER_URL", "memory://")
    monkeypatch.setenv("WORKERS", "2")
    monkeypatch.setattr(Deployment, "workers_at_work", lambda self, host=None: ["celery@one"])
    assert wrong() == {"worker": "1 of 2 answer through the broker"}
    monkeypatch.setattr(Deployment, "workers_at_work", lambda self, host=None: ["celery@one", "celery@two"])
    assert wrong() == {}


def test_outside_of_a_deployment_there_is_nothing_to_look_at(monkeypatch):
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "sqlite:////tmp/airflow.db")
    assert Deployment.here({"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "sqlite:////tmp/airflow.db"}) is None
    assert main(["scheduler"]) == 1


def test_a_worker_is_asked_through_the_broker_and_needs_no_database(monkeypatch, capsys):
    monkeypatch.delenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", raising=False)
    monkeypatch.setenv("AIRFLOW__CELERY__BROKER_URL", "memory://")
    monkeypatch.setattr(Deployment, "workers_at_work", lambda self, host=None: [f"celery@{host or HOST}"])
    assert main(["worker"]) == 0
    assert wrong() == {}
    monkeypatch.setattr(Deployment, "workers_at_work", lambda self, host=None: [])
    assert main(["worker"]) == 1
    assert capsys.readouterr().err == f"the worker on {HOST} does not answer through the broker\n"
    assert wrong() == {"worker": "0 of 1 answer through the broker"}
