"""Migrations: from nothing to the contract and back, step by step, at once, and never over what they do not know."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from gem_tasks.errors import UserError
from gem_tasks.lineage import Ledger
from gem_tasks.lineage.migrate import migrate
from gem_tasks.lineage.schema import schema_of
from gem_tasks.resources import shipped

TABLES = set(
    "sources source_objects documents segments partitions prompts recipes stage_results spending batches"
    " gate_decisions trajectories datasets dataset_exclusions segment_signatures segment_bands near_duplicates"
    " audits audit_items audit_ratings audit_findings announcements sft_sets sft_set_items models evaluations"
    " evaluation_cases promotions stage_totals stage_activity ingest_totals api_findings"
    " run_prompts run_recipes prefilters quota_texts plan_judgements item_changes considered_changes".split()
)
VIEWS = {path.stem for path in (shipped("sql") / "views").glob("*.sql")}
REVISIONS = sorted(path.name[:4] for path in (shipped("sql") / "migrations/versions").glob("0*.py"))

# What a schema is, for comparing: columns with types, indexes, constraints, views.
SHAPE = """
    SELECT 'column', table_name || '.' || column_name, data_type || is_nullable || coalesce(column_default, '')
    FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT 'constraint', conname, pg_get_constraintdef(oid) FROM pg_constraint
              WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT 'view', viewname, definition FROM pg_views WHERE schemaname = 'public'
    ORDER BY 1, 2, 3
"""


def query(dsn, statement):
    with psycopg.connect(dsn, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else None


def names(dsn, kind):
    return {row[0] for row in query(dsn, f"SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
                                         f" WHERE nspname = 'public' AND relkind = '{kind}'")}  # fmt: skip


def test_from_nothing_to_the_contract_and_back(empty_dsn):
    migrate(empty_dsn)
    assert names(empty_dsn, "r") == TABLES | {"gem_alembic_version"}
    assert names(empty_dsn, "v") == VIEWS
    migrate(empty_dsn, "base", down=True)
    assert names(empty_dsn, "r") == {"gem_alembic_version"}
    assert names(empty_dsn, "v") == set()
    migrate(empty_dsn)
    assert names(empty_dsn, "r") >= TABLES


def test_step_by_step_ends_where_all_at_once_does(empty_dsn, dsn):
    for revision in REVISIONS:
        migrate(empty_dsn, revision)
    migrate(empty_dsn)
    assert query(empty_dsn, SHAPE) == query(dsn, SHAPE)


def test_what_was_recorded_under_the_first_schema_survives(empty_dsn):
    migrate(empty_dsn, "0001")
    query(empty_dsn, "INSERT INTO sources (uri) VALUES ('file:///old')")
    migrate(empty_dsn)
    with Ledger(empty_dsn) as ledger:
        assert ledger.sources.enabled() == ["file:///old"]


def test_migrating_again_changes_nothing_and_leaves_views_alone(dsn):
    identity = "SELECT oid, relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY oid"
    before = query(dsn, identity)
    migrate(dsn)
    assert query(dsn, identity) == before


def test_a_view_follows_its_file(dsn):
    shape = query(dsn, SHAPE)
    query(dsn, "DROP VIEW funnel_total")
    query(dsn, "CREATE VIEW funnel_total AS SELECT 1 AS of_yesterday")
    migrate(dsn)
    assert query(dsn, SHAPE) == shape


def test_processes_that_migrate_at_once_take_turns(empty_dsn):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate, [empty_dsn] * 4))
    assert names(empty_dsn, "r") >= TABLES
    assert query(empty_dsn, "SELECT count(*) FROM gem_alembic_version") == [(1,)]


def test_a_migration_that_fails_leaves_the_schema_as_it_was(empty_dsn):
    migrate(empty_dsn, "0001")
    query(empty_dsn, "DROP INDEX documents_uri")  # so that the next step stumbles
    before = query(empty_dsn, SHAPE)
    with pytest.raises(Exception, match="documents_uri"):
        migrate(empty_dsn)
    assert query(empty_dsn, SHAPE) == before


def test_a_database_of_a_newer_gem_is_refused_in_one_line(dsn):
    query(dsn, "UPDATE gem_alembic_version SET version_num = '9999'")
    with pytest.raises(UserError, match="Use the version of GEM that migrated it"):
        migrate(dsn)


def test_a_database_that_nobody_migrated_is_one_line_with_the_mend(empty_dsn):
    with Ledger(empty_dsn) as ledger, pytest.raises(UserError, match=r"not up to date .*python -m gem_tasks"):
        ledger.sources.enabled()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda dsn: dsn.replace("test-password", "hush"),
        lambda dsn: dsn.replace("test-password", "hu/sh"),
        lambda dsn: dsn.replace("127.0.0.1", "127.0.0.1:1").replace("postgresql", "mysql"),
        lambda dsn: f"{dsn}_of_nobody",
    ],
    ids=["wrong password", "unescaped password", "not Postgres", "no such database"],
)
def test_a_database_that_cannot_be_reached_is_one_line_without_the_password(empty_dsn, spoil):
    with pytest.raises(UserError) as error:
        migrate(spoil(empty_dsn))
    line = str(error.value)
    assert "\n" not in line
    assert not any(secret in line for secret in ("hush", "hu/", "test-password"))


def test_other_ways_to_write_the_address_work(empty_dsn):
    migrate(empty_dsn.replace("postgresql://", "postgres://") + "?application_name=50%25")
    with Ledger(empty_dsn) as ledger:
        assert ledger.sources.enabled() == []


def test_the_committed_schema_is_what_the_migrations_make(dsn):
    committed = (shipped("sql") / "schema.sql").read_text(encoding="utf-8")
    assert schema_of(dsn) == committed, "sql/schema.sql is out of date: run `python -m gem_tasks.local.schema`"
