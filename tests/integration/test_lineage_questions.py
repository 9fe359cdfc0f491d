"""The questions people ask of the lineage: the funnel, a document's life; and writers that come at once."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from gem_tasks.domain.corpus import Document, Segment, content_hash, segment_id
from gem_tasks.domain.outcome import Outcome
from gem_tasks.domain.recipe import Recipe
from gem_tasks.errors import ErrorClass, UserError
from gem_tasks.lineage import Ledger, RunContext, TrajectoryRow
from gem_tasks.lineage.console import ConsoleRows
from gem_tasks.lineage.console.listing import Place
from gem_tasks.lineage.queries import queries
from gem_tasks.lineage.rebuild import _links
from gem_tasks.pipeline.recipes import Chain
from gem_tasks.settings import Settings

EARLY, LATE = "2026-01-31T14:00", "2026-01-31T15:00"
CHAIN = Chain(Settings())
FILTER, EXTRACT, VALIDATE = (CHAIN.by_stage[name] for name in ("filter", "extract", "validate"))
ACCEPTED = {"kind": "accepted"}
REJECTED = {"kind": "rejected", "reason": "not_procedural"}
FAILED = {"kind": "failed", "error_class": ErrorClass.TIMEOUT}


def record(ledger, partition, name, segments, reason=None):
    """A document with so many segments of ten characters, in one shard."""
    document = Document(
        document_id=name, uri=f"file:///{name}", etag="1", content_hash=content_hash(name), chars=9, reason=reason
    )
    cut = [
        Segment(
            segment_id=segment_id(name, 10 * number, 10 * number + 10), document_id=name, document_uri=document.uri,
            start=10 * number, end=10 * number + 10, tokens=2, text="ten chars.",
        )
        for number in range(segments)
    ]  # fmt: skip
    source = ledger.sources.register_source("file:///corpus")
    ledger.ingestion.commit_ingest(
        partition, source, [document], {ledger.ingestion.reserve_shards(partition, 1): cut} if cut else {}
    )
    return [found.segment_id for found in cut]


def judge(ledger, partition, recipe, *verdicts):
    outcomes = [Outcome(segment_id=segment, **verdict) for segment, verdict in verdicts]
    ledger.stages.commit_outcomes(recipe, partition, 0, outcomes, "key", RunContext(run_id="r1"))


def publish(ledger, partition, version, trajectories):
    rows = [
        TrajectoryRow(
            trajectory_id=key, recipe_id=VALIDATE.recipe_id, segment_id=segment, messages=20, tools=5, calls=8,
            domains=("health",), platform="operator", task_category="customer_support",
        )
        for key, segment in trajectories.items()
    ]  # fmt: skip
    ledger.datasets.commit(version, partition, VALIDATE, {"version": version}, rows)


@pytest.fixture
def ledger(dsn):
    with Ledger(dsn) as opened:
        opened.stages.record_recipes(CHAIN.prompt_texts(), CHAIN.recipes)
        yield opened


def ask(ledger, statement):
    return [tuple(row.values()) for row in ledger.pg.execute(statement).fetchall()]


def test_the_funnel_counts_every_step_of_a_partition_and_of_all(ledger):
    first, second = record(ledger, EARLY, "doc1", 2)
    record(ledger, EARLY, "doc2", 0, reason="too_short")
    (third,) = record(ledger, LATE, "doc3", 1)
    judge(ledger, EARLY, FILTER, (first, ACCEPTED), (second, REJECTED))
    judge(ledger, EARLY, EXTRACT, (first, FAILED))
    judge(ledger, LATE, FILTER, (third, ACCEPTED))
    columns = "stage, outcomes, accepted, rejected, failed"
    assert ask(ledger, f"SELECT {columns} FROM funnel WHERE partition_key = '{EARLY}' ORDER BY step") == [
        ("documents", 2, 1, 1, 0), ("segments", 2, 2, 0, 0), ("filter", 2, 1, 1, 0), ("extract", 1, 0, 0, 1),
    ]  # fmt: skip
    assert ask(ledger, f"SELECT {columns} FROM funnel_total") == [
        ("documents", 3, 2, 1, 0), ("segments", 3, 3, 0, 0), ("filter", 3, 2, 1, 0), ("extract", 1, 0, 0, 1),
    ]  # fmt: skip
    assert ask(ledger, "SELECT reason, documents FROM ingestion ORDER BY partition_key, reason NULLS FIRST") == [
        (None, 1), ("too_short", 1), (None, 1),
    ]  # fmt: skip
    assert ask(ledger, "SELECT stage, reason, segments FROM rejections") == [("filter", "not_procedural", 1)]
    assert ask(ledger, "SELECT stage, error_class, segments FROM failures") == [("extract", "timeout", 1)]
    assert ask(ledger, "SELECT stage, model, segments FROM cost ORDER BY partition_key, stage DESC") == [
        ("filter", "offline-rules", 2), ("extract", "offline-rules", 1), ("filter", "offline-rules", 1),
    ]  # fmt: skip
    life = ask(ledger, "SELECT segment_id, stage, outcome FROM document_life WHERE document_id = 'doc1'")
    assert set(life) == {(first, "filter", "accepted"), (first, "extract", "failed"), (second, "filter", "rejected")}


def test_every_outcome_of_a_long_document_is_under_its_own_segment(ledger):
    segments = record(ledger, EARLY, "doc1", 300)
    judge(ledger, EARLY, FILTER, *((segment, ACCEPTED) for segment in segments))
    publish(ledger, EARLY, "v1", {"abcdef01": segments[7]})
    life = ledger.reports.lineage("doc1")
    assert [found.segment_id for found in life.segments] == segments
    assert all(len(found.outcomes) == 1 for found in life.segments)
    assert [len(found.trajectories) for found in life.segments] == [number == 7 for number in range(300)]


def test_the_newest_version_of_a_document_answers_for_its_uri(ledger):
    record(ledger, EARLY, "doc1", 1)
    ledger.pg.execute(
        "INSERT INTO documents (document_id, source_id, partition_key, object_key, uri, etag, content_hash, chars)"
        " SELECT 'doc1b', source_id, partition_key, uri, uri, '2', 'other', 9 FROM documents"
    )
    assert ledger.reports.lineage("file:///doc1").document_id == "doc1b"
    assert ledger.reports.lineage("doc1").document_id == "doc1"


def test_the_beginning_of_a_trajectorys_id_must_mean_one_document(ledger):
    (first,) = record(ledger, EARLY, "doc1", 1)
    (second,) = record(ledger, EARLY, "doc2", 1)
    publish(ledger, EARLY, "v1", {"abcdef01": first, "abcdef02": second})
    assert ledger.reports.lineage("abcdef01").document_id == "doc1"
    assert ledger.reports.lineage("abcde") is None  # too short to be meant
    with pytest.raises(UserError, match="several documents"):
        ledger.reports.lineage("abcdef")


def test_finding_a_document_reads_no_table_as_a_whole(ledger):
    ledger.pg.execute("SET enable_seqscan = off")  # where an index can do it, it does
    plan = ledger.pg.execute(f"EXPLAIN {queries()['find_document']}".encode(), {"id": "abcdef"}).fetchall()
    text = "\n".join(row["QUERY PLAN"] for row in plan)
    assert "Seq Scan" not in text
    assert "documents_uri" in text


def test_without_a_synthesizer_no_query_about_open_work_reads_the_results_of_all_partitions_for_it(ledger):
    record(ledger, EARLY, "doc1", 2)
    chain = [CHAIN.link(stage) for stage in CHAIN.line]
    one = {"partition": EARLY, "shard": 0, "narrowed": False, "sources": [], "limit": None, "first": None, "last": None}
    one |= {"parent_id": None, "recipe_id": FILTER.recipe_id, "takes": "accepted", "counts": "workflows"}
    many = _links(chain) | {"stages": [link.stage for link in chain], "least": [link.workflow for link in chain]}
    asked = one | many | {"asked": [link.recipe_id for link in chain]} | CHAIN.take.model_dump()
    single = one | {"spared_by": None, "workflow": 0}
    for name, given in (("pending", asked), ("unfinished", asked), ("shard_state", single), ("stale", asked)):
        statement = f"EXPLAIN (ANALYZE, FORMAT JSON) {queries()[name]}".encode()
        (plan,) = ledger.pg.execute(statement, given).fetchone()["QUERY PLAN"]
        for node in reads_of_synthesized(plan["Plan"]):
            assert node["Actual Loops"] == 0 or "partition_key" in str(node), name


def reads_of_synthesized(node):
    """Nodes of a plan that read the view `synthesized_texts`."""
    if "'confirm'" in node.get("Filter", ""):
        yield node
    for each in node.get("Plans", ()):
        yield from reads_of_synthesized(each)


def at_once(dsn, act, number=4):
    """Runs act(ledger, n) on so many connections together."""

    def run(index):
        with Ledger(dsn) as opened:
            act(opened, index)

    with ThreadPoolExecutor(number) as pool:
        list(pool.map(run, range(number)))


def test_versions_published_at_once_leave_one_current(ledger, dsn):
    (segment,) = record(ledger, EARLY, "doc1", 1)
    at_once(dsn, lambda opened, index: publish(opened, EARLY, f"v{index}", {"abcdef01": segment}))
    (current,) = ledger.datasets.current(EARLY)
    assert ledger.datasets.find_trajectories("abcdef01") == [("abcdef01", current)]
    assert ask(ledger, f"SELECT count(*) FROM datasets WHERE superseded_by = '{current}'")[0][0] >= 1


def test_the_same_outcomes_written_at_once_neither_deadlock_nor_double(ledger, dsn):
    segments = record(ledger, EARLY, "doc1", 200)

    def write(opened, index):
        ordered = segments if index % 2 else list(reversed(segments))
        judge(opened, EARLY, FILTER, *((segment, ACCEPTED) for segment in ordered))

    at_once(dsn, write)
    assert ask(ledger, "SELECT count(*), min(attempts), max(attempts) FROM stage_results") == [(200, 4, 4)]


def test_ingestions_of_one_partition_at_once_share_no_shard(ledger, dsn):
    at_once(dsn, lambda opened, index: record(opened, EARLY, f"doc{index}", 3))
    assert [segments for _, segments in ledger.ingestion.shards(EARLY)] == [3, 3, 3, 3]


def test_the_list_of_refused_conversations_has_those_of_every_line(ledger):
    segments = record(ledger, EARLY, "refused", 6)
    stages = ("validate", "simulate", "verify", "confirm", "filter", "extract")
    for stage, segment in zip(stages, segments, strict=True):
        judge(ledger, EARLY, Recipe(stage=stage, version=1), (segment, {**REJECTED, "detail": stage}))
    place = Place(at=None, id=None)
    listed = ConsoleRows(ledger.pg).trajectories
    assert [row.detail for row in listed.refused(None, place, 9).rows] == ["confirm", "verify", "simulate", "validate"]
    assert len(listed.refused("not_procedural", place, 9).rows) == 4
