"""Postgres finds results by their partition: the plan of every named query, on a filled lineage."""

import re

import psycopg
import pytest

from gem_tasks.lineage.queries import queries

PARTS = 40
FILL = f"""
SET session_replication_role = replica;
INSERT INTO sources (uri) VALUES ('file:///there');
INSERT INTO partitions (partition_key) SELECT 'p' || n FROM generate_series(1, {PARTS}) n;
INSERT INTO recipes (recipe_id, stage, version, params)
SELECT 'r' || n, (ARRAY['filter', 'extract', 'synthesize', 'confirm'])[n], 1, '{{}}' FROM generate_series(1, 4) n;
INSERT INTO documents (document_id, source_id, partition_key, object_key, uri, etag, content_hash, chars)
SELECT 'd' || n, source_id, 'p' || n % {PARTS} + 1, '', 'u' || n, 'e', 'h' || n, 9
FROM generate_series(1, {PARTS * 25}) n, sources;
INSERT INTO segments (segment_id, document_id, partition_key, shard, row_no, start_char, end_char, tokens)
SELECT md5(document_id || k), document_id, partition_key, k, 0, 0, 9, 3 FROM documents, generate_series(0, 3) k;
INSERT INTO stage_results (segment_id, recipe_id, stage, outcome, calls, prompt_tokens, cached_tokens,
                           completion_tokens, latency_ms, partition_key, shard, object_key, measures)
SELECT segment_id, recipe_id, stage, 'accepted', 1, 1, 0, 1, 1, partition_key, shard, 'key',
       CASE WHEN stage IN ('synthesize', 'confirm') AND shard = 0 THEN '{{"way": "both"}}'::jsonb END
FROM segments, recipes;
INSERT INTO quota_texts (segment_id, recipe_id, partition_key, domains, platform, task)
SELECT segment_id, 'r1', partition_key, '{{}}', '', '' FROM segments;
ANALYZE;
"""
PARAMETER = re.compile(r"%\((\w+)\)s")
TABLES = ("stage_results", "quota_texts")
READS = re.compile(r"\b(stage_results|quota_texts|held_segments|synthesized_texts|document_life)\b")
ONE_PARTITION = re.compile(r"(?<!IS NULL OR )(?<!IS NULL OR r\.)\b(\w\.)?partition_key = %\(partition\)s")
ONE_TEXT = re.compile(
    r"segment_id = %\(segment_id\)s|document_id = (ANY\()?%\((document_id|ids)\)s|segment_id = ANY\(%"
)
OTHERS_TOO = {"quota_unknown"}  # texts that the next stage works on, in any partition
NAMES = sorted(name for name, text in queries().items() if READS.search(text))
LOCAL = [
    name
    for name in NAMES
    if name not in OTHERS_TOO and (ONE_PARTITION.search(queries()[name]) or ONE_TEXT.search(queries()[name]))
]


@pytest.fixture(scope="module")
def filled(postgres):
    from tests.services import TEMPLATE

    postgres.create_database("plans", template=TEMPLATE)
    with psycopg.connect(postgres.dsn("plans"), autocommit=True) as pg:
        pg.execute(FILL)
        # Small tables, so that only what an index cannot find is read whole.
        pg.execute("SET session_replication_role = origin; SET enable_seqscan = off; SET enable_indexonlyscan = off")
        pg.execute("SET jit = off")
        yield pg


def explain(pg, statement):
    """The plan for any values."""
    names = list(dict.fromkeys(PARAMETER.findall(statement)))
    text = PARAMETER.sub(lambda match: f"${names.index(match[1]) + 1}", statement).replace("%%", "%")
    (found,) = pg.execute(f"EXPLAIN (GENERIC_PLAN, FORMAT JSON) {text}").fetchone()
    return found[0]["Plan"]


def scans(plan):
    """Conditions by which it finds rows of the tables; an empty one reads all."""
    if plan.get("Relation Name") in TABLES and plan["Node Type"] != "ModifyTable":
        yield plan.get("Index Cond") or plan.get("Recheck Cond") or ""
    for each in plan.get("Plans", ()):
        yield from scans(each)


@pytest.mark.parametrize("name", LOCAL)
def test_a_query_about_a_partition_or_a_text_reads_its_partition_only(filled, name):
    for condition in scans(explain(filled, queries()[name])):
        assert "partition_key" in condition or "airflow_run_id" in condition


@pytest.mark.parametrize("name", NAMES)
def test_results_of_a_text_are_found_by_its_partition(filled, name):
    for condition in scans(explain(filled, queries()[name])):
        assert "segment_id" not in condition or "partition_key" in condition


@pytest.mark.parametrize(
    "statement",
    ["SELECT * FROM document_life WHERE document_id = %(id)s", "SELECT * FROM cost_document WHERE document_id = %(id)s",
     "SELECT * FROM funnel WHERE partition_key = %(key)s"],
)  # fmt: skip
def test_views_of_a_document_or_a_partition_read_its_partition_only(filled, statement):
    found = list(scans(explain(filled, statement)))
    assert found
    assert all("partition_key" in condition for condition in found)


def test_outcomes_are_written_by_the_key_that_begins_with_the_partition(filled):
    plan = explain(filled, queries()["upsert_outcomes"])
    assert plan["Conflict Arbiter Indexes"] == ["stage_results_pkey"]


@pytest.mark.parametrize(
    ("name", "index"),
    [("both_ways", "stage_results_way"), ("both_ways_cost", "stage_results_way"),
     ("synthesizer_alone", "stage_results_way"), ("console_refused", "stage_results_refused_newest")],
)  # fmt: skip
def test_rare_results_have_their_index(filled, name, index):
    assert index in str(explain(filled, queries()[name]))


def test_the_rules_are_about_most_queries():
    assert len(NAMES) > len(LOCAL) > 30
    assert set(NAMES) >= OTHERS_TOO
