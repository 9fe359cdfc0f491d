"""Sources over time: documents that change, vanish and come back, and what that means for work and datasets."""

import gzip
import json
import os
from pathlib import Path

import pytest

from gem_tasks.dataset.export import published
from gem_tasks.dataset.publish import changed_partitions, publish, republish
from gem_tasks.domain.corpus import Source
from gem_tasks.domain.outcome import Outcome
from gem_tasks.domain.record import Topic
from gem_tasks.errors import StoreError, UserError
from gem_tasks.lineage import Registered, RunContext
from gem_tasks.pipeline.ingest import scan
from gem_tasks.pipeline.ingest.scan import Scan
from gem_tasks.pipeline.ingest.source import ingest
from gem_tasks.pipeline.shard.job import ShardJob
from gem_tasks.pipeline.shard.outcomes import Outcomes
from gem_tasks.pipeline.shard.records import inputs, load_records
from tests.corpus import EXAMPLES
from tests.integration.documents import FIRST, SECOND, THIRD, states, text, write
from tests.planning import plan, synthesise


def records(path, **texts):
    lines = [json.dumps({"id": name, "text": content}) for name, content in texts.items()]
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    return str(path)


@pytest.fixture
def opened(monkeypatch):
    """Every file that is read."""
    seen = []
    from gem_tasks.pipeline.ingest import source as module

    real = module.read

    def read(found, *limits):
        seen.append(found.uri.rpartition("/")[2])
        return real(found, *limits)

    monkeypatch.setattr(module, "read", read)
    return seen


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


def test_what_breaks_off_takes_nothing_along(workspace, tmp_path):
    work = workspace()
    source = records(tmp_path / "d.jsonl.gz", a=text("ant"), b=text("bee"))
    ingest(work, source, FIRST)
    path = tmp_path / "d.jsonl.gz"
    path.write_bytes(path.read_bytes()[:-30])
    report = ingest(work, source, SECOND)
    assert (report.superseded, report.gone) == (0, 0)
    found = states(work)
    assert found.pop("d.jsonl.gz") == ["unreadable"]
    assert set(map(tuple, found.values())) == {("live",)}


def test_a_listing_that_fails_half_way_takes_nothing_along(workspace, tmp_path, monkeypatch):
    work, source = workspace(), write(tmp_path / "s", a=text("ant"), b=text("bee"), c=text("cat"))
    ingest(work, source, FIRST)
    real = scan.list_objects

    def broken(uri, after, access):
        yield next(real(uri, after, access))
        raise StoreError("the bucket does not answer")

    monkeypatch.setattr(scan, "list_objects", broken)
    with pytest.raises(StoreError):
        ingest(work, source, SECOND)
    monkeypatch.setattr(scan, "list_objects", real)
    assert set(map(tuple, states(work).values())) == {("live",)}
    assert ingest(work, source, SECOND).gone == 0


@pytest.mark.parametrize("left", [0, 5])
def test_a_mass_that_vanishes_asks_before_it_is_retired(workspace, tmp_path, left):
    names = {f"n{number:02}": text(f"w{number}") for number in range(20)}
    work, source = workspace(), write(tmp_path / "s", **names)
    ingest(work, source, FIRST)
    for name in list(names)[left:]:
        (tmp_path / "s" / f"{name}.txt").unlink()
    if left:
        write(tmp_path / "s", new=text("new"))
    with pytest.raises(UserError, match=f"{20 - left} of {20 + bool(left)} objects .* have vanished.*accept.vanished"):
        ingest(work, source, SECOND)
    found = states(work)
    assert found.pop("new.txt", ["live"]) == ["live"]
    assert set(map(tuple, found.values())) == {("live",)}
    assert ingest(work, source, SECOND, accept_vanished=True).gone == 20 - left
    assert sum(state == ["gone"] for state in states(work).values()) == 20 - left


def test_a_folder_that_is_closed_is_not_gone(workspace, tmp_path, monkeypatch):
    from gem_tasks.corpus.sources import trees

    work, source = workspace(), write(tmp_path / "s", a=text("ant"))
    write(tmp_path / "s" / "inner", b=text("bee"))
    ingest(work, source, FIRST)
    real = trees._entries

    def entries(folder):
        if folder.endswith("inner"):
            raise PermissionError(13, "Permission denied")
        return real(folder)

    monkeypatch.setattr(trees, "_entries", entries)
    assert ingest(work, source, SECOND).gone == 0
    assert states(work)["b.txt"] == ["live"]


def test_a_limited_run_takes_nothing_for_gone(workspace, tmp_path):
    work, source = workspace(), write(tmp_path / "s", a=text("ant"), b=text("bee"), c=text("cat"))
    assert ingest(work, source, FIRST, limit=2).documents == 2
    (tmp_path / "s" / "a.txt").unlink()
    assert ingest(work, source, FIRST, limit=1).gone == 0
    assert states(work) == {"a.txt": ["live"], "b.txt": ["live"]}
    assert ingest(work, source, FIRST).gone == 1


def documents(work):
    with work.ledger() as ledger:
        rows = ledger.pg.execute("SELECT uri FROM documents WHERE live AND reason IS NULL ORDER BY uri").fetchall()
    return [row["uri"].rpartition("/")[2] for row in rows]


def test_a_limit_given_once_holds_for_every_later_run_until_it_is_lifted(workspace, tmp_path, opened):
    """What `gem run --limit 2` and the hourly run after it do; the hourly run names no limit."""
    work, uri = workspace(), write(tmp_path / "s", **{name: text(f"w{name}") for name in "bcdef"})
    report = ingest(work, Source(uri=uri, limit=2), FIRST)
    assert (report.documents, report.stopped_at) == (2, 2)
    opened.clear()
    write(tmp_path / "s", a=text("new"), g=text("newer"))
    report = ingest(work, uri, SECOND)
    assert (report.documents, report.unchanged, report.segments, report.stopped_at) == (2, 2, 0, 2)
    assert (opened, documents(work)) == ([], ["b.txt", "c.txt"])
    with work.ledger() as ledger:
        (row,) = ledger.sources.all()
        assert (row.limit, row.scanned_at) == (2, None)
        assert plan(work, SECOND) == []
        assert ledger.sources.limit(str(row.source_id), 3) == uri
    assert ingest(work, uri, SECOND).documents == 3
    assert len(documents(work)) == 3
    report = ingest(work, Source(uri=uri, limit=0), THIRD)
    assert (report.documents, report.stopped_at, len(documents(work))) == (7, None, 7)
    with work.ledger() as ledger:
        (row,) = ledger.sources.all()
    assert row.limit is None
    assert row.scanned_at is not None
    assert ingest(work, uri, THIRD).stopped_at is None


def test_under_a_limit_changes_are_followed_and_what_vanished_is_retired(workspace, tmp_path, monkeypatch):
    monkeypatch.setattr(scan, "_PIECE", 2)
    work, uri = workspace(), write(tmp_path / "s", **{name: text(f"w{name}") for name in "abcdef"})
    ingest(work, Source(uri=uri, limit=3), FIRST)
    write(tmp_path / "s", b=text("changed"))
    assert ingest(work, uri, SECOND).superseded == 1
    assert states(work) == {"a.txt": ["live"], "b.txt": ["old", "live"], "c.txt": ["live"]}
    (tmp_path / "s" / "c.txt").unlink()
    assert ingest(work, uri, SECOND).gone == 1
    assert documents(work) == ["a.txt", "b.txt"]
    assert ingest(work, uri, THIRD).documents == 3
    assert documents(work) == ["a.txt", "b.txt", "d.txt"]


def test_a_limit_that_cuts_a_dump_keeps_to_its_first_records(workspace, tmp_path):
    texts = {f"n{number}": text(f"w{number}") for number in range(6)}
    work, path = workspace(), records(tmp_path / "d.jsonl.gz", **texts)
    for _ in range(3):
        report = ingest(work, Source(uri=path, limit=2), FIRST)
        assert (report.documents, report.stopped_at) == (2, 2)
        assert len(documents(work)) == 2
    records(tmp_path / "d.jsonl.gz", **texts, n9=text("w9"))
    assert ingest(work, path, SECOND).segments == 0
    assert ingest(work, Source(uri=path, limit=0), SECOND).documents == 7
    assert len(documents(work)) == 7


def test_an_object_that_a_reader_trips_over_has_a_reason_and_the_others_are_read(workspace, tmp_path, monkeypatch):
    from gem_tasks.pipeline.ingest import source as module

    real = module.read

    def read(found, *limits):
        if found.uri.endswith("b.txt"):
            raise ZeroDivisionError("a fault in a parser")
        return real(found, *limits)

    monkeypatch.setattr(module, "read", read)
    work, uri = workspace(), write(tmp_path / "s", a=text("ant"), b=text("bee"), c=text("cat"))
    assert ingest(work, uri, FIRST).rejected == 1
    assert states(work) == {"a.txt": ["live"], "b.txt": ["unreadable"], "c.txt": ["live"]}
    monkeypatch.setattr(module, "read", real)
    assert ingest(work, uri, FIRST).segments == 1


def test_an_interrupted_scan_goes_on_where_it_was(workspace, tmp_path, monkeypatch, opened):
    monkeypatch.setattr(scan, "_PIECE", 2)
    names = {f"n{number}": text(f"w{number}") for number in range(6)}
    work, source = workspace(shard_segments=1), write(tmp_path / "s", **names)
    real = Scan.pieces

    def dying(self):
        for number, piece in enumerate(real(self)):
            if number == 2:
                raise KeyboardInterrupt
            yield piece

    monkeypatch.setattr(Scan, "pieces", dying)
    with pytest.raises(KeyboardInterrupt):
        ingest(work, source, FIRST)
    assert len(states(work)) == 4
    monkeypatch.setattr(Scan, "pieces", real)
    opened.clear()
    report = ingest(work, source, FIRST)
    assert opened == ["n4.txt", "n5.txt"]
    assert (report.objects, len(states(work))) == (2, 6)
    (tmp_path / "s" / "n0.txt").unlink()
    assert ingest(work, source, FIRST).gone == 1


def test_a_listing_out_of_order_is_refused(workspace, tmp_path, monkeypatch):
    work, source = workspace(), write(tmp_path / "s", a=text("ant"), b=text("bee"))
    real = scan.list_objects
    monkeypatch.setattr(scan, "list_objects", lambda uri, after, access: reversed(list(real(uri, after, access))))
    with pytest.raises(StoreError, match="is not sorted by key"):
        ingest(work, source, FIRST)


def test_settings_of_a_source_hold_for_its_documents(workspace, tmp_path):
    work, uri = workspace(), write(tmp_path / "s", a=text("ant") * 3, short="A few words.")
    source = Source(uri=uri, license="CC0-1.0", target_tokens=50, max_tokens=100, min_chars=5)
    small = ingest(work, source, FIRST)
    assert small.segments > 5
    with work.ledger() as ledger:
        (row,) = ledger.sources.all()
        licences = ledger.pg.execute("SELECT DISTINCT license, reason FROM documents").fetchall()
        again = ledger.sources.register(Source(uri=uri, max_tokens=200), "files")
    assert licences == [{"license": "CC0-1.0", "reason": None}]
    assert (row.license, row.objects, row.documents, row.kind) == ("CC0-1.0", 2, 2, "files")
    assert isinstance(again, Registered)
    assert (again.license, again.max_tokens, again.target_tokens) == ("CC0-1.0", 200, 50)


def test_a_disabled_source_is_left_out_of_the_hourly_run(workspace, tmp_path):
    from gem_tasks.pipeline.ingest.source import register, sources

    work, uri = workspace(), write(tmp_path / "s", a=text("ant"))
    number = register(work, Source(uri=uri)).source_id
    with work.ledger() as ledger:
        assert ledger.sources.enable(str(number), False) == uri
        assert sources(work, None) == []
        assert ledger.sources.enable(uri, True) == uri
        assert ledger.sources.enable("nothing", True) is None
    assert sources(work, None) == [uri]
    with pytest.raises(UserError, match="does not exist"):
        register(work, Source(uri=str(tmp_path / "nowhere")))
    assert sources(work, None) == [uri]


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
