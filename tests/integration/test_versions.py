"""Sources over time: documents that change, vanish and come back, and what that means for work and datasets."""

import json
import os
from pathlib import Path

from gem_tasks.dataset.export import published
from gem_tasks.dataset.publish import changed_partitions, publish, republish
from gem_tasks.domain.outcome import Outcome
from gem_tasks.domain.record import Topic
from gem_tasks.lineage import RunContext
from gem_tasks.pipeline.ingest.source import ingest
from gem_tasks.pipeline.shard.job import ShardJob
from gem_tasks.pipeline.shard.outcomes import Outcomes
from gem_tasks.pipeline.shard.records import inputs, load_records
from tests.corpus import EXAMPLES
from tests.integration.documents import FIRST, SECOND, THIRD, records, states, text, write
from tests.planning import plan, synthesise


def test_what_is_unchanged_is_not_even_opened(workspace, tmp_path, opened):
    work, source = workspace(), write(tmp_path / "s", a=text("ant"), b=text("bee"))
    ingest(work, source, FIRST)
    opened.clear()
    report = ingest(work, source, SECOND)
    assert (report.objects, report.documents, report.unchanged, report.segments) == (2, 2, 2, 0)
    assert opened == []
    write(tmp_path / "s", b=text("bug"), c=text("cat"))
    report = ingest(work, source, SECOND)
    assert opened == ["b.txt", "c.txt"]
    assert (report.documents, report.unchanged, report.superseded, report.gone) == (3, 1, 1, 0)
    assert states(work) == {"a.txt": ["live"], "b.txt": ["old", "live"], "c.txt": ["live"]}


def test_a_superseded_text_leaves_further_work_and_its_partition_is_to_be_published_anew(workspace, tmp_path):
    work, source = workspace(), write(tmp_path / "s", a=text("ant"), b=text("bee"))
    ingest(work, source, FIRST)
    write(tmp_path / "s", a=text("asp"))
    ingest(work, source, SECOND)
    with work.ledger() as ledger:
        assert len(ledger.stages.segment_ids(FIRST, 0)) == 1
        assert ledger.versions.changes(FIRST) == 1
        assert ledger.versions.changes(SECOND) == 0
    (tmp_path / "s" / "b.txt").unlink()
    ingest(work, source, SECOND)
    assert plan(work, FIRST) == []
    assert len(plan(work, SECOND)) == 1


def test_a_text_that_is_back_lives_again_in_its_old_partition(workspace, tmp_path):
    work, source = workspace(), write(tmp_path / "s", a=text("ant"))
    ingest(work, source, FIRST)
    write(tmp_path / "s", a=text("asp"))
    ingest(work, source, SECOND)
    write(tmp_path / "s", a=text("ant"))
    report = ingest(work, source, THIRD)
    assert (report.restored, report.superseded, report.segments) == (1, 1, 0)
    assert states(work) == {"a.txt": ["live", "old"]}
    assert [len(plan(work, partition)) for partition in (FIRST, SECOND, THIRD)] == [1, 0, 0]


def test_a_vanished_document_is_gone_and_can_reappear(workspace, tmp_path):
    work, source = workspace(), write(tmp_path / "s", a=text("ant"), b=text("bee"))
    ingest(work, source, FIRST)
    (tmp_path / "s" / "b.txt").rename(tmp_path / "b.away")
    assert ingest(work, source, SECOND).gone == 1
    assert states(work)["b.txt"] == ["gone"]
    (tmp_path / "b.away").rename(tmp_path / "s" / "b.txt")
    assert ingest(work, source, THIRD).restored == 1
    assert states(work)["b.txt"] == ["live"]


def test_a_renamed_file_is_no_duplicate_of_itself(workspace, tmp_path):
    work, source = workspace(), write(tmp_path / "s", b=text("bee"), c=text("cat"))
    ingest(work, source, FIRST)
    (tmp_path / "s" / "b.txt").rename(tmp_path / "s" / "a.txt")
    report = ingest(work, source, SECOND)
    assert states(work) == {"a.txt": ["live"], "b.txt": ["gone"], "c.txt": ["live"]}
    assert (report.gone, report.segments) == (1, 1)
    with work.ledger() as ledger:
        assert ledger.ingestion.shards(SECOND) == [(0, 1)]


def test_inside_a_dump_records_are_compared(workspace, tmp_path, monkeypatch):
    from gem_tasks.pipeline.ingest import pool

    work = workspace()
    source = records(tmp_path / "d.jsonl.gz", a=text("ant"), b=text("bee"), c=text("cat"))
    ingest(work, source, FIRST)
    read = []
    real = pool.prepare
    monkeypatch.setattr(pool, "prepare", lambda raws, rules: read.extend(raws) or real(raws, rules))
    records(tmp_path / "d.jsonl.gz", d=text("dog"), a=text("ant"), b=text("bug"))
    report = ingest(work, source, SECOND)
    assert [raw.uri.rpartition("#")[2] for raw in read] == ["d", "b"]
    assert (report.unchanged, report.superseded, report.gone, report.segments) == (1, 1, 1, 2)
    assert states(work) == {
        "d.jsonl.gz#a": ["live"], "d.jsonl.gz#b": ["old", "live"], "d.jsonl.gz#c": ["gone"], "d.jsonl.gz#d": ["live"],
    }  # fmt: skip


def test_two_records_of_one_id_are_two_documents(workspace, tmp_path):
    path = tmp_path / "d.jsonl"
    lines = [json.dumps({"id": "a", "text": text(word)}) for word in ("ant", "asp")]
    work = workspace()
    for extra in ([], [json.dumps({"id": "b", "text": text("bee")})]):
        path.write_text("\n".join([*lines, *extra]), encoding="utf-8")
        report = ingest(work, str(path), FIRST)
        assert (report.superseded, report.gone) == (0, 0)
    assert states(work) == {"d.jsonl#a": ["live", "live"], "d.jsonl#b": ["live"]}


def test_the_dataset_of_an_old_partition_gets_its_next_version_without_a_call(workspace, tmp_path, teacher_url):
    folder = tmp_path / "s"
    folder.mkdir()
    for name in ("library-loans.txt", "hotel-front-desk.md"):
        (folder / name).write_text((EXAMPLES / name).read_text(encoding="utf-8"), encoding="utf-8")
    work, source = workspace(), str(folder)
    ingest(work, source, FIRST)
    synthesise(work, FIRST)
    before = publish(work, FIRST)
    assert before.trajectories == 2
    (folder / "library-loans.txt").unlink()
    ingest(work, source, SECOND)
    assert uris(work) == ["hotel-front-desk.md"], "export leaves it out before any new version"
    assert changed_partitions(work) == [FIRST]
    # Whatever the prompts and the endpoint are by now.
    changed = workspace(llm_model="another", llm_base_url="http://127.0.0.1:9/v1")
    after = republish(changed, FIRST)
    assert after.version not in (None, before.version)
    assert (after.trajectories, changed_partitions(work)) == (1, [])
    with work.ledger() as ledger:
        assert ledger.datasets.current() == [after.version]
        (row,) = ledger.pg.execute("SELECT * FROM withdrawn").fetchall()
    assert (Path(row["uri"]).name, row["dataset_version"]) == ("library-loans.txt", before.version)
    (folder / "hotel-front-desk.md").unlink()
    (folder / "library-loans.txt").write_text((EXAMPLES / "library-loans.txt").read_text(), encoding="utf-8")
    ingest(work, source, THIRD)
    assert republish(changed, FIRST).trajectories == 1
    assert uris(work) == ["library-loans.txt"]
    (folder / "library-loans.txt").rename(folder / "library-loans.away")
    ingest(work, source, THIRD, accept_vanished=True)
    assert republish(changed, FIRST).version is None
    with work.ledger() as ledger:
        assert ledger.datasets.current() == []
    assert changed_partitions(work) == []
    (folder / "library-loans.away").rename(folder / "library-loans.txt")
    os.utime(folder / "library-loans.txt")
    ingest(work, source, THIRD)
    assert republish(changed, FIRST).trajectories == 1


def uris(work):
    return sorted(row["metadata"]["document_uri"].rpartition("/")[2] for row in published(work))


def filtered(work, segment_id):
    """An accepted outcome of the filter stage, saved as a task of its own would."""
    topic = Topic(summary="s", platform="phone", domains=("games",), task_category="search")
    with work.ledger() as ledger, ledger.locks.shard(work.chain.id_of("filter"), FIRST, 0):
        outcomes = Outcomes(ShardJob.of(work, "filter", FIRST, 0, RunContext(run_id="r")), ledger)
        outcomes.save([Outcome(segment_id=segment_id, kind="accepted", payload=topic.model_dump_json())])


def test_a_text_that_was_gone_while_its_shard_was_rewritten_goes_on_where_it_stopped(workspace, tmp_path):
    """Its paid answer stays in the shard's object, although that was written anew without the text."""
    work, source = workspace(), write(tmp_path / "s", a=text("ant"), b=text("bee"))
    ingest(work, source, FIRST)
    first, second = sorted(inputs(work, "filter", FIRST, 0))
    with work.ledger() as ledger:
        ledger.stages.record_recipes(work.chain.prompt_texts(), work.chain.recipes)
        uris = {row["segment_id"]: row["uri"] for row in ledger.pg.execute(
            "SELECT segment_id, uri FROM segments JOIN documents USING (document_id)")}  # fmt: skip
    filtered(work, first)
    name = uris[first].rpartition("/")[2].removesuffix(".txt")
    write(tmp_path / "s", **{name: text("asp")})
    ingest(work, source, SECOND)
    filtered(work, second)
    write(tmp_path / "s", **{name: text({"a": "ant", "b": "bee"}[name])})
    assert ingest(work, source, THIRD).restored == 1
    asked = inputs(work, "extract", FIRST, 0)
    assert asked == {first, second}
    loaded = load_records(work, "extract", FIRST, 0, asked)
    records = {record.segment.segment_id: record.outputs["filter"] for record in loaded}
    assert records.keys() == asked
    assert all(topic.task_category == "search" for topic in records.values())
