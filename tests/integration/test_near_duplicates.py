"""Near duplicates across partitions: found once, recorded, never paid for."""

import random

import pytest

from gem_tasks.lineage import RunContext
from gem_tasks.pipeline.ingest.source import ingest
from gem_tasks.pipeline.shard.run import run_shard
from tests.planning import plan

FIRST, SECOND = "2026-01-31T14:00", "2026-01-31T15:00"
WORDS = "open the valve wait until pressure falls below limit then close it and note value in log sheet".split()


def manual(seed):
    rng = random.Random(seed)
    return " ".join(f"{rng.choice(WORDS)}{rng.randrange(60)}" for _ in range(300)) + "."


def write(folder, **texts):
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    return str(folder)


def duplicates(work):
    with work.ledger() as ledger:
        rows = ledger.pg.execute(
            "SELECT d.uri, e.uri AS of_uri, n.similarity FROM near_duplicates n"
            " JOIN segments s USING (segment_id) JOIN documents d USING (document_id)"
            " JOIN segments t ON t.segment_id = n.of_segment_id JOIN documents e ON e.document_id = t.document_id"
        ).fetchall()
    return {(row["uri"].rsplit("/")[-1], row["of_uri"].rsplit("/")[-1]): row["similarity"] for row in rows}


def test_a_repetition_is_found_in_the_batch_and_in_other_partitions(workspace, tmp_path):
    work = workspace()
    a, b = manual(1), manual(2)
    report = ingest(work, write(tmp_path / "one", a=a, b=b, a2=a.replace("open", "shut", 1)), FIRST)
    assert (report.segments, report.near_duplicates) == (3, 1)
    assert list(duplicates(work)) == [("a2.txt", "a.txt")]
    report = ingest(work, write(tmp_path / "two", b2=b + " The end.", c=manual(3)), SECOND)
    assert (report.segments, report.near_duplicates) == (2, 1)
    assert set(duplicates(work)) == {("a2.txt", "a.txt"), ("b2.txt", "b.txt")}
    assert all(similarity >= 0.85 for similarity in duplicates(work).values())


def test_it_is_rejected_without_a_call(workspace, tmp_path):
    work = workspace()
    ingest(work, write(tmp_path / "one", a=manual(1), a2=manual(1) + " The end."), FIRST)
    (shard,) = plan(work, FIRST)
    report = run_shard(work, "filter", FIRST, shard["shard"], RunContext())
    assert report.calls == 1
    with work.ledger() as ledger:
        rows = ledger.pg.execute("SELECT reason, detail, calls FROM stage_results WHERE calls = 0").fetchall()
    assert [row["reason"] for row in rows] == ["near_duplicate"]
    assert "nearly the same text as segment" in rows[0]["detail"]


def test_a_new_version_of_a_document_is_no_duplicate_of_the_old_one(workspace, tmp_path):
    work = workspace()
    ingest(work, write(tmp_path / "one", a=manual(1)), FIRST)
    report = ingest(work, write(tmp_path / "one", a=manual(1) + " The end."), SECOND)
    assert (report.segments, report.near_duplicates) == (1, 0)


@pytest.mark.parametrize(("threshold", "found"), [(0, 0), (1, 0), (0.5, 1)])
def test_the_threshold_can_be_set(workspace, tmp_path, threshold, found):
    work = workspace(near_duplicate=threshold)
    text = manual(1)
    report = ingest(work, write(tmp_path / "one", a=text, a2=text.replace("1", "7", 6)), FIRST)
    assert report.near_duplicates == found


def test_ingesting_again_changes_nothing(workspace, tmp_path):
    work = workspace()
    source = write(tmp_path / "one", a=manual(1), a2=manual(1) + " The end.")
    ingest(work, source, FIRST)
    before = duplicates(work)
    assert ingest(work, source, SECOND).segments == 0
    assert duplicates(work) == before
