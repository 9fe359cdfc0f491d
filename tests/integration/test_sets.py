"""Sets over real Postgres and a real store: nothing is torn apart, nothing is made twice, everything can be traced."""

import json

import pytest

from gem_tasks.dataset import contamination
from gem_tasks.dataset.contamination import Index
from gem_tasks.distill import files, sets, steps
from gem_tasks.distill.formats import FORMATS
from gem_tasks.distill.imported import import_files
from gem_tasks.distill.preferences import write_preferences
from gem_tasks.domain.distill import SPLITS, SetSpec
from gem_tasks.errors import UserError
from gem_tasks.evals.calls.conversations import LeftOut
from gem_tasks.prompts import synthesis
from tests.corpus import PARTITION

SHARES = {"test_share": 0.3, "validation_share": 0.2}


def rows(work, found):
    return {split: list(sets.read(work, found, split)) for split in SPLITS}


def spec(**changes):
    return SetSpec(**{"kind": "agent", **SHARES, **changes})


def test_no_document_is_in_two_splits_and_the_set_is_traced_to_its_trajectories(finished):
    work, _, published = finished
    found = sets.build(work, spec())
    by = rows(work, found)
    documents = [{row["document_uri"] for row in by[split]} for split in SPLITS]
    assert sum(map(len, documents)) == len(set.union(*documents))
    assert sum(found.counts.values()) == published.trajectories
    assert found.versions == (published.version,)
    with work.ledger() as ledger:
        items = ledger.pg.execute("SELECT * FROM sft_set_items WHERE set_id = %s", [found.set_id]).fetchall()
    assert {(row["trajectory_id"], row["split"]) for row in items} == {
        (row["trajectory_id"], split) for split in SPLITS for row in by[split]
    }


def test_the_same_set_is_found_not_built_again(finished, monkeypatch):
    work = finished[0]
    found = sets.build(work, spec())
    monkeypatch.setattr(sets, "_write", lambda *_: pytest.fail("it was built again"))
    assert sets.build(work, spec()) == found
    assert sets.find(work, found.set_id[:6]) == found


def test_drafts_and_refined_of_one_seed_have_the_same_splits(finished):
    work = finished[0]
    refined, drafts = (rows(work, sets.build(work, spec(refined=each))) for each in (True, False))
    for split in SPLITS:
        assert [row["segment_id"] for row in refined[split]] == [row["segment_id"] for row in drafts[split]]
    assert refined["train"][0]["messages"] != drafts["train"][0]["messages"]


def test_a_synthesizer_learns_what_the_parser_reads(finished):
    work = finished[0]
    found = sets.build(work, spec(kind="synthesizer"))
    for row in rows(work, found)["train"]:
        system, user, answer = json.loads(row["messages"])
        assert [system["role"], user["role"], answer["role"]] == ["system", "user", "assistant"]
        assert row["text"] in user["content"]
        trajectory = synthesis.read(answer["content"])
        assert synthesis.write(trajectory) == answer["content"]


def test_held_out_texts_stand_beside_what_they_cost_the_pipeline(finished):
    work = finished[0]
    found = sets.build(work, spec(kind="synthesizer"))
    segments = steps.held_out(work, found)
    assert [each.segment_id for each in segments] == [row["segment_id"] for row in rows(work, found)["test"]]
    cost = steps.pipeline_yield(work, found, segments)
    assert (cost.texts, cost.accepted) == (len(segments), len(segments))
    assert cost.calls == 5 * len(segments)
    assert cost.completion_tokens > 0


def test_the_pipelines_cost_is_unknown_if_one_request_has_no_price(finished):
    work = finished[0]
    found = sets.build(work, spec(kind="synthesizer"))
    segments = steps.held_out(work, found)
    with work.ledger() as ledger:
        ledger.pg.execute("UPDATE stage_results SET usd = 0.5")
    assert steps.pipeline_yield(work, found, segments).usd == 0.5 * 5 * len(segments)
    with work.ledger() as ledger:
        of_one = "UPDATE stage_results SET usd = NULL WHERE segment_id = %s AND stage = 'filter'"
        ledger.pg.execute(of_one, [segments[0].segment_id])
    assert steps.pipeline_yield(work, found, segments).usd is None


def test_a_draft_that_overlaps_with_a_benchmark_is_left_out_and_counted(finished):
    work = finished[0]
    before = sets.build(work, spec(refined=False))
    said = [json.loads(row["messages"])[0]["content"] for row in rows(work, before)["train"]]
    grams = frozenset(gram for gram, _ in contamination._grams(said[0]))
    index = Index(packages={"bfcl_eval": "1"}, items=1, ngrams=grams, toolsets={})
    work.store.put(contamination.KEY, contamination.encode(index))
    after = sets.build(work, spec(refined=False))
    assert after.set_id != before.set_id
    assert after.left_out["contaminated"] >= 1
    assert sum(after.counts.values()) + after.left_out["contaminated"] == sum(before.counts.values())


def test_sets_and_published_trajectories_become_files_of_every_framework(finished, tmp_path):
    work, _, published = finished
    found = sets.build(work, spec())
    for name in FORMATS.keys() - {"steps"}:
        written = files.write_set(work, found, name, tmp_path / name)
        assert [each.rows + each.left_out for each in written] == [found.counts[split] for split in SPLITS], name
        assert files.write_published(work, name, tmp_path / f"all-{name}").rows == published.trajectories, name
    assert files.write_published(work, "steps", tmp_path / "steps").rows > published.trajectories


def test_preferences_leave_out_test_items_of_benchmarks(finished, tmp_path):
    work, *_ = finished
    before = write_preferences(work, "reward", tmp_path, [PARTITION])
    assert before.kinds["refined"] > 1
    (first, *_) = map(json.loads, before.path.read_text(encoding="utf-8").splitlines())
    said = next(message["content"] for message in first["chosen"] if message["role"] == "user")
    grams = frozenset(gram for gram, _ in contamination._grams(said))
    index = Index(packages={"bfcl_eval": "1"}, items=1, ngrams=grams, toolsets={})
    work.store.put(contamination.KEY, contamination.encode(index))
    after = write_preferences(work, "reward", tmp_path, [PARTITION])
    assert after.left_out["contaminated"] >= 1
    assert after.kinds["refined"] + after.left_out["contaminated"] == before.kinds["refined"]


def test_by_a_setting_sets_and_preferences_leave_out_what_names_persons(finished, workspace, tmp_path, monkeypatch):
    work, *_ = finished
    without = workspace(exclude_names=True, store_url=work.settings.store_url)
    chosen: list[str] = []

    def persons(trajectory, text):
        """The first text names one."""
        chosen.append(text)
        return ("Holger Krekel",) if text == chosen[0] else ()

    for place in ("sets", "preferences"):
        monkeypatch.setattr(f"gem_tasks.distill.{place}.named", persons)
    before, after = sets.build(work, spec()), sets.build(without, spec())
    assert after.set_id != before.set_id
    assert after.left_out == {**before.left_out, "persons_named": 1}
    assert sum(after.counts.values()) == sum(before.counts.values()) - 1
    both, fewer = (write_preferences(each, "reward", tmp_path, [PARTITION]) for each in (work, without))
    assert fewer.left_out["persons_named"] >= 1
    assert fewer.kinds["refined"] + fewer.left_out["persons_named"] == both.kinds["refined"]


def test_what_is_not_there_is_said(finished, workspace):
    with pytest.raises(UserError, match="no trajectories to train on"):
        sets.build(finished[0], spec(sources=("nowhere*",)))
    with pytest.raises(UserError, match="no trajectories to train on"):
        sets.build(finished[0], spec(audited=True))
    with pytest.raises(UserError, match="No set begins"):
        sets.find(finished[0], "zz")


def conversation(number, document=None, called="look_up"):
    asked = {"role": "user", "content": f"Where is parcel {number}?"}
    call = {"id": "c1", "type": "function", "function": {"name": called, "arguments": f'{{"parcel": {number}}}'}}
    parameters = {"type": "object", "properties": {"parcel": {"type": "integer"}}}
    tool = {"name": called, "description": "Finds a parcel.", "parameters": parameters}
    answer = [
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "{}"},
    ]
    row = {"id": f"n{number}", "messages": [asked, *answer, {"role": "assistant", "content": "At the depot."}]}
    return {**row, "tools": [{"type": "function", "function": tool}], **({"document": document} if document else {})}


def test_a_person_brings_conversations_and_trains_on_them(workspace, tmp_path):
    work, path, left_out = workspace(), tmp_path / "mine.jsonl", LeftOut()
    brought = [conversation(number, f"manual-{number // 4}") for number in range(40)]
    lines = [*map(json.dumps, [*brought, brought[0], {"id": "odd", "messages": "none"}]), "{broken"]
    path.write_text("\n".join(lines))
    found = import_files(work, [str(path)], spec(), left_out)
    by = rows(work, found)
    documents = [{row["document_uri"] for row in by[split]} for split in SPLITS]
    assert sum(map(len, documents)) == len(set.union(*documents)) == 10
    assert sum(found.counts.values()) == 40
    assert all(found.counts[split] for split in SPLITS)
    assert found.left_out == {"duplicate": 1, "unreadable_turn": 1, "no_json": 1}
    assert sets.build(work, SetSpec(kind="agent", imported=found.set_id[:6])) == found
    assert import_files(work, [str(path)], spec(), LeftOut()).set_id == found.set_id
    with pytest.raises(UserError, match="kind synthesizer"):
        sets.build(work, SetSpec(kind="synthesizer", imported=found.set_id))


def test_conversations_that_utf8_cannot_write_are_left_out_and_the_others_stay(workspace, tmp_path):
    path, left_out = tmp_path / "mine.jsonl", LeftOut()
    path.write_text("\n".join(json.dumps(conversation(1 + n, name)) for n, name in enumerate(("a\ud800", "b", "c"))))
    found = import_files(workspace(), [str(path)], spec(test_share=0, validation_share=0), left_out)
    assert (found.counts["train"], found.left_out) == (2, {"bad_encoding": 1})


def test_a_published_set_is_no_imported_one(finished):
    work = finished[0]
    with pytest.raises(UserError, match="imported"):
        sets.build(work, SetSpec(kind="agent", imported=sets.build(work, spec()).set_id))
