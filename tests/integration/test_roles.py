"""Each service's role of the database can do its own work, and nothing else."""

from contextlib import closing
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege
from pydantic import SecretStr

from gem_tasks.dataset.export import published
from gem_tasks.dataset.publish import publish
from gem_tasks.domain.stage import STAGE_NAMES
from gem_tasks.edits.make import By, undo, veto
from gem_tasks.errors import UserError
from gem_tasks.lineage import RunContext
from gem_tasks.lineage.migrate import migrate
from gem_tasks.lineage.roles import PASSWORDS, main, make_roles
from gem_tasks.pipeline.ingest.source import ingest
from gem_tasks.pipeline.shard.run import run_shard
from gem_tasks.pipeline.upkeep.failures import FailureFilter, retry
from tests.corpus import EXAMPLES, PARTITION
from tests.planning import plan

SECRETS = {"gem_pipeline": "one'%", "gem_console": "two"}


def of(dsn, role):
    """The DSN of another role."""
    parts = urlsplit(dsn)
    return psycopg.conninfo.make_conninfo(
        host=parts.hostname, port=parts.port, dbname=parts.path[1:], user=role, password=SECRETS[role]
    )


@pytest.fixture
def roles(dsn):
    make_roles(dsn, SECRETS)
    return {role: of(dsn, role) for role in SECRETS}


@pytest.mark.parametrize("role", SECRETS)
@pytest.mark.parametrize(
    "forbidden",
    [
        "CREATE TABLE mine (x int)",
        "DROP TABLE segments",
        "ALTER TABLE segments ADD COLUMN x int",
        "CREATE ROLE another",
        "UPDATE gem_alembic_version SET version_num = 'x'",
        "COPY segments TO '/tmp/stolen'",
        "SELECT pg_read_file('/etc/passwd')",
    ],
)
def test_no_role_of_a_service_changes_the_schema_or_reads_files(roles, role, forbidden):
    with closing(psycopg.connect(roles[role])) as connection, pytest.raises(InsufficientPrivilege):
        connection.execute(forbidden)


def test_the_console_reads_everything_and_writes_nothing_but_marks(roles, dsn):
    with closing(psycopg.connect(dsn)) as owner:
        tables = [row[0] for row in owner.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    with closing(psycopg.connect(roles["gem_console"], autocommit=True)) as connection:
        for table in tables:
            connection.execute(psycopg.sql.SQL("SELECT * FROM {} LIMIT 1").format(psycopg.sql.Identifier(table)))
        counted = {"stage_totals", "stage_activity"}
        for table in sorted(set(tables) - counted):
            with pytest.raises(InsufficientPrivilege):
                connection.execute(psycopg.sql.SQL("DELETE FROM {}").format(psycopg.sql.Identifier(table)))
        with pytest.raises(InsufficientPrivilege):
            connection.execute("UPDATE stage_results SET outcome = 'accepted'")


def test_a_run_needs_no_more_than_the_role_of_the_pipeline_and_a_veto_that_of_the_console(roles, workspace):
    work = workspace(postgres_dsn=SecretStr(roles["gem_pipeline"]), shard_segments=100)
    ingest(work, str(EXAMPLES), PARTITION)
    plan(work, PARTITION)
    for stage in STAGE_NAMES:
        run_shard(work, stage, PARTITION, 0, RunContext(run_id="r", last_try=True))
    assert publish(work, PARTITION).trajectories > 0
    (vetoed, *others) = (row["metadata"]["trajectory_id"] for row in published(work))
    console = workspace(postgres_dsn=SecretStr(roles["gem_console"]), shard_segments=100)
    change = veto(console, vetoed, "wrong", By("Anna", "page"))
    assert [row["metadata"]["trajectory_id"] for row in published(work)] == others
    undo(console, change.change_id, By("Anna", "page"))


def test_the_console_can_mark_what_is_to_be_asked_for_again(roles, workspace, dsn):
    work = workspace(postgres_dsn=SecretStr(roles["gem_pipeline"]), shard_segments=100)
    ingest(work, str(EXAMPLES), PARTITION)
    plan(work, PARTITION)
    run_shard(work, "filter", PARTITION, 0, RunContext(run_id="r", last_try=True))
    with closing(psycopg.connect(dsn, autocommit=True)) as owner:
        owner.execute("UPDATE stage_results SET outcome = 'failed', error_class = 'timeout', reason = NULL")
    console = workspace(postgres_dsn=SecretStr(roles["gem_console"]))
    assert sum(retry(console, FailureFilter(), dry_run=False).values()) > 0


def test_tables_of_later_versions_are_theirs_too_and_passwords_change(dsn):
    make_roles(dsn, SECRETS)
    migrate(dsn, "base", down=True)
    migrate(dsn)
    make_roles(dsn, SECRETS)
    with closing(psycopg.connect(dsn, autocommit=True)) as owner:
        owner.execute("CREATE TABLE later (x int)")
    with closing(psycopg.connect(of(dsn, "gem_pipeline"), autocommit=True)) as connection:
        connection.execute("INSERT INTO later VALUES (1)")
    with closing(psycopg.connect(of(dsn, "gem_console"), autocommit=True)) as connection:
        assert connection.execute("SELECT x FROM later").fetchall() == [(1,)]
    make_roles(dsn, {**SECRETS, "gem_console": "new"})
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(of(dsn, "gem_console"))


def test_without_passwords_or_rights_it_says_so(dsn, roles, monkeypatch):
    for name in PASSWORDS.values():
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UserError, match="GEM_PIPELINE_DB_PASSWORD and GEM_CONSOLE_DB_PASSWORD must be set"):
        main()
    with pytest.raises(UserError, match="may not create or change roles"):
        make_roles(roles["gem_pipeline"], SECRETS)
