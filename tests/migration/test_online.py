"""Revisions 0026 and 0027 on a filled database: beside writers, interrupted, repeated, there and back."""

import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from threading import Event
from uuid import uuid4

import psycopg
import pytest

from gem_tasks.errors import UserError
from gem_tasks.lineage.migrate import migrate
from gem_tasks.lineage.online import LOCK_LIMIT_MS, Online
from gem_tasks.lineage.queries import queries
from gem_tasks.lineage.schema import schema_of

OLD, BOTH, NEW = "0025", "0026", "0027"
SEGMENTS, PARTS = 1200, 3
FILL = f"""
INSERT INTO sources (uri) VALUES ('file:///there');
INSERT INTO partitions (partition_key) SELECT 'p' || n FROM generate_series(1, {PARTS}) n;
INSERT INTO recipes (recipe_id, stage, version, params) VALUES ('r1', 'filter', 1, '{{}}'), ('r2', 'filter', 1, '{{}}');
INSERT INTO documents (document_id, source_id, partition_key, object_key, uri, etag, content_hash, chars)
SELECT 'd' || n, source_id, 'p' || n % {PARTS} + 1, '', 'u' || n, 'e', 'h' || n, 9
FROM generate_series(1, {SEGMENTS}) n, sources;
INSERT INTO segments (segment_id, document_id, partition_key, shard, row_no, start_char, end_char, tokens)
SELECT md5(document_id), document_id, partition_key, 0, 0, 0, 9, 3 FROM documents;
INSERT INTO stage_results (segment_id, recipe_id, stage, outcome, reason, calls, prompt_tokens, cached_tokens,
                           completion_tokens, latency_ms, partition_key, shard, object_key)
SELECT segment_id, 'r1', 'filter', 'rejected', 'not_procedural', 1, 1, 0, 1, 1, partition_key, 0, '' FROM segments;
INSERT INTO quota_texts (segment_id, recipe_id, partition_key, domains, platform, task)
SELECT segment_id, 'r1', partition_key, '{{}}', '', '' FROM segments;
"""
TOTALS = "SELECT * FROM stage_totals WHERE segments > 0 ORDER BY partition_key, recipe_id, outcome, why"
NEW_KEY = "ON CONFLICT (partition_key, segment_id, recipe_id)"
END = """
SELECT {}(pid) FROM pg_stat_activity
WHERE query LIKE 'CREATE%CONCURRENTLY%' AND datname = current_database() AND pid <> pg_backend_pid()
"""
VIEWS = "SELECT count(*) FROM pg_views WHERE schemaname = 'public'"


def query(dsn, statement, *values):
    with psycopg.connect(dsn, autocommit=True) as pg:
        cursor = pg.execute(statement, values or None)
        return cursor.fetchall() if cursor.description else None


def revision(dsn):
    return query(dsn, "SELECT version_num FROM gem_alembic_version")[0][0]


def statement(code):
    """The upsert of code before these revisions, or of this code."""
    ours = queries()["upsert_outcomes"]
    assert NEW_KEY in ours
    return ours if code == "new" else ours.replace(NEW_KEY, "ON CONFLICT (segment_id, recipe_id)")


def upsert(dsn, code, recipe="r1", outcome="accepted", part="p1"):
    """As a shard's commit: outcomes of all segments of a partition."""
    with psycopg.connect(dsn, autocommit=True) as pg:
        ids = [
            row[0] for row in pg.execute("SELECT segment_id FROM segments WHERE partition_key = %s ORDER BY 1", [part])
        ]
        same = {"outcome": outcome, "reason": None, "error_class": None, "detail": "", "doubtful": False, "calls": 1,
                "faults": "{}", "prompt_tokens": 1, "cached_tokens": 0, "completion_tokens": 1, "reasoning_tokens": 0,
                "latency_ms": 1, "usd": 0.25, "measures": None}  # fmt: skip
        place = {"recipe_id": recipe, "stage": "filter", "partition": part, "shard": 0, "object_key": "",
                 "run_id": None, "task_id": None, "map_index": None, "try_number": None}  # fmt: skip
        pg.execute(statement(code), {**{name: [value] * len(ids) for name, value in same.items()}, **place,
                                     "segment_id": ids})  # fmt: skip


@pytest.fixture(scope="module")
def filled_once(postgres):
    name = f"f{uuid4().hex[:12]}"
    postgres.create_database(name)
    migrate(postgres.dsn(name), OLD)
    query(postgres.dsn(name), FILL)
    return name


@pytest.fixture
def filled(postgres, filled_once):
    name = f"f{uuid4().hex[:12]}"
    postgres.create_database(name, template=filled_once)
    return postgres.dsn(name)


@contextmanager
def writing(dsn, code):
    """Commits of every partition in turn, by two writers; the yielded list gets their seconds."""
    done, took = Event(), []

    def write(part):
        while not done.is_set():
            began = time.monotonic()
            upsert(dsn, code, "r2", part=part)
            took.append(time.monotonic() - began)

    with ThreadPoolExecutor(2) as pool:
        writers = [pool.submit(write, part) for part in ("p1", "p2")]
        try:
            yield took
        finally:
            done.set()
        for writer in writers:
            writer.result()


@contextmanager
def held(dsn, statement):
    """An open transaction after a statement."""
    with psycopg.connect(dsn) as pg:
        pg.execute(statement)
        yield pg


@contextmanager
def migrating(dsn, *arguments):
    """The command in a separate process."""
    command = [sys.executable, "-m", "gem_tasks.lineage.migrate", *arguments]
    process = subprocess.Popen(command, env={"GEM_POSTGRES_DSN": dsn, "PATH": "/usr/bin:/bin"}, stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_until(true, limit_s=60):
    deadline = time.monotonic() + limit_s
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def unfinished(dsn):
    return [row[0] for row in query(dsn, "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid")]


def assert_whole(dsn):
    """All rows are there, the rollups are right, the schema is the newest one."""
    assert revision(dsn) == NEW
    counted = query(dsn, TOTALS)
    query(dsn, "SELECT gem_recount()")
    assert query(dsn, TOTALS) == counted
    assert query(dsn, "SELECT count(*) FROM stage_results WHERE recipe_id = 'r1'") == [(SEGMENTS,)]
    assert unfinished(dsn) == []


def test_there_and_back_keeps_rows_and_leaves_the_old_schema(filled):
    before, rows = schema_of(filled), query(filled, "SELECT * FROM stage_results ORDER BY segment_id")
    migrate(filled)
    assert_whole(filled)
    migrate(filled, OLD, down=True)
    assert revision(filled) == OLD
    assert schema_of(filled) == before
    assert query(filled, "SELECT * FROM stage_results ORDER BY segment_id") == rows
    migrate(filled)
    assert_whole(filled)


@pytest.mark.parametrize(
    ("at", "codes"), [(OLD, {"old"}), (BOTH, {"old", "new"}), (NEW, {"new"})], ids=["before", "between", "after"]
)
def test_who_can_write_at_which_revision(filled, at, codes):
    migrate(filled, NEW)
    migrate(filled, at, down=True)
    assert revision(filled) == at
    for code in ("old", "new"):
        if code in codes:
            upsert(filled, code)
            upsert(filled, code, "r2")
        else:
            with pytest.raises(psycopg.errors.InvalidColumnReference):
                upsert(filled, code)
    assert query(
        filled, "SELECT DISTINCT attempts FROM stage_results WHERE recipe_id = 'r1' AND partition_key = 'p1'"
    ) == [(1 + len(codes),)]
    assert query(filled, VIEWS)[0][0] > 0


def test_writers_of_old_and_new_code_continue(filled):
    with writing(filled, "old") as took:
        migrate(filled, BOTH)
        assert took
    with writing(filled, "new") as took, writing(filled, "old") as beside:
        wait_until(lambda: took and beside)
    with writing(filled, "new") as took:
        migrate(filled, NEW)
        wait_until(lambda: took)
    assert_whole(filled)
    with writing(filled, "new"):
        migrate(filled, BOTH, down=True)
    with writing(filled, "old"):
        migrate(filled, OLD, down=True)
        migrate(filled, BOTH)
    migrate(filled)
    assert_whole(filled)


def test_nobody_waits_long_while_a_reader_delays_the_exchange(filled):
    migrate(filled, BOTH)
    with ThreadPoolExecutor(1) as pool, writing(filled, "new") as took:
        with held(filled, "SELECT count(*) FROM stage_results"):
            migration = pool.submit(migrate, filled)
            wait_until(
                lambda: query(filled, "SELECT 1 FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'")
            )
            took.clear()
            time.sleep(4 * LOCK_LIMIT_MS / 1000)
            assert not migration.done()
            assert revision(filled) == BOTH
            assert len(took) > 2, "writers work between the tries"
        migration.result(60)
    assert_whole(filled)


@pytest.mark.parametrize(
    ("end", "told"),
    [
        ("pg_terminate_backend", "cannot be reached (terminating connection due to administrator command)"),
        ("pg_cancel_backend", "cannot be migrated (canceling statement due to user request). Correct the cause"),
        (None, ""),
    ],
    ids=["connection", "statement", "process"],
)
def test_an_interrupted_migration_continues(filled, end, told):
    # A row that is being written holds the first index of its table up, so that it is certainly unfinished.
    name = "stage_results_key"
    with held(filled, "UPDATE stage_results SET detail = 'open'") as transaction:
        with migrating(filled) as process:
            wait_until(lambda: unfinished(filled) == [name])
            if end:
                query(filled, END.format(end))
                assert process.wait(30) == 2
                line = process.stderr.read().decode()
                assert told in line
                assert line.count("\n") == 1
                assert unfinished(filled) == [name]
            else:
                process.send_signal(signal.SIGKILL)
        assert revision(filled) == OLD
        upsert(filled, "old", "r2")
        transaction.rollback()
    migrate(filled)
    assert_whole(filled)


def test_an_index_whose_building_is_the_victim_of_a_deadlock_is_built_again(filled):
    name = "stage_results_key"
    with ThreadPoolExecutor(1) as pool, closing(psycopg.connect(filled, autocommit=True)) as pg:
        pg.execute("SET deadlock_timeout = '4s'")  # the writer below looks for deadlocks much later
        with held(filled, "UPDATE stage_results SET detail = 'open'") as writer:
            writer.execute("SET deadlock_timeout = '100s'")
            on = "stage_results (partition_key, segment_id, recipe_id)"
            building = pool.submit(Online(pg).index, name, on, unique=True)
            wait_until(lambda: unfinished(filled) == [name])
            writer.execute("LOCK TABLE stage_results IN SHARE UPDATE EXCLUSIVE MODE")
            assert unfinished(filled) == [name]
            writer.rollback()
        building.result(60)
    assert unfinished(filled) == []
    assert query(filled, f"SELECT indisvalid FROM pg_index WHERE indexrelid = '{name}'::regclass") == [(True,)]


def test_processes_that_migrate_a_filled_database_at_once_take_turns(filled):
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(migrate, [filled] * 3))
    assert_whole(filled)


def test_results_under_another_partition_than_their_segment_are_named_and_nothing_is_lost(filled):
    query(filled, "UPDATE stage_results SET partition_key = 'p2' WHERE segment_id = md5('d3')")
    with pytest.raises(UserError, match=r"stage_results name the wrong partition .*p2"):
        migrate(filled)
    assert revision(filled) == OLD
    upsert(filled, "old")
    query(filled, "UPDATE stage_results SET partition_key = 'p1' WHERE segment_id = md5('d3')")
    migrate(filled)
    assert_whole(filled)


def test_a_result_cannot_name_another_partition_than_its_segment(filled):
    migrate(filled)
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        query(filled, "UPDATE stage_results SET partition_key = 'p2' WHERE segment_id = md5('d3')")


def test_the_command_downgrades_only_if_asked(filled):
    migrate(filled)
    with migrating(filled, OLD) as process:
        assert process.wait(60) == 2
        line = process.stderr.read().decode()
    assert f"is at revision {NEW}, and {OLD} is older. Leave the revision out" in line
    assert "add --down" in line
    assert line.count("\n") == 1
    assert revision(filled) == NEW
    with migrating(filled, OLD, "--down") as process:
        assert process.wait(60) == 0
    assert revision(filled) == OLD
    with migrating(filled, NEW, "--down") as process:
        assert process.wait(60) == 2
    assert revision(filled) == OLD


def test_an_earlier_revision_is_a_downgrade_and_the_way_back_ends_where_it_began(filled):
    migrate(filled)
    whole = schema_of(filled)
    migrate(filled, "0001", down=True)
    assert revision(filled) == "0001"
    migrate(filled)
    assert schema_of(filled) == whole
