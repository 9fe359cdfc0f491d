"""`replay_files`: honest rows, tampered rows, missing and hostile worlds; one odd row never stops the others."""

import copy
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from gem_tasks.lint.files import read_files
from gem_tasks.lint.replay import replay_files, run
from gem_tasks.worlds.built import world_id
from gem_tasks.worlds.played import Replayable
from gem_tasks.worlds.world import Limits
from tests.executed import LENDING, LENDING_ID, LENT, RETURNED, SHOWN, STEPS, UNAVAILABLE, executed, result

LOOPS = LENDING.model_copy(update={"code": "function show_book() { for (;;); }", "limits": Limits(seconds=0.01)})
BROKEN = LENDING.model_copy(update={"code": "function lend_book( {"})
ANOTHER = "a" * 24
LEND = 'lend_book {"id": "b-2", "member": "m-1"}'


def changed(edit):
    row = copy.deepcopy(executed())
    edit(row)
    return row


def as_strings(row):
    """As in a version's Parquet file."""
    row.update({name: json.dumps(row[name]) for name in ("messages", "tools", "metadata")})


def other_argument(row):
    row["messages"][2]["tool_calls"][0]["function"]["arguments"] = '{"id": "b-2", "member": "m-9"}'


ROWS = {
    "equal": (executed(), "equal", ""),
    "strings": (changed(as_strings), "equal", ""),
    "nested": ({**executed(), "metadata": {"execution": executed()["metadata"]}}, "equal", ""),
    "result": (
        executed(results=(UNAVAILABLE, SHOWN, {**LENT, "lent_to": "m-2"})),
        "different",
        'message 8 lend_book $.lent_to: told "m-2", real "m-1"',
    ),
    "absent": (
        executed(results=(UNAVAILABLE, {"id": "b-2", "lent_to": None}, LENT)),
        "different",
        'message 7 show_book $.note: told (absent), real "phoned"',
    ),
    "false": (
        executed(results=(UNAVAILABLE, {**SHOWN, "lent_to": False}, LENT)),
        "different",
        "told false, real null",
    ),
    "argument": (
        changed(other_argument),
        "different",
        f"message 2 the step: told {LEND.replace('m-1', 'm-9')}, real {LEND}",
    ),
    "second result": (
        changed(lambda row: row["messages"].insert(9, result(3, LENT))),
        "different",
        "message 9 the step: told (a result without a call) null, real (none)",
    ),
    "steps": (executed(steps=STEPS[:-1]), "different", f"message 6 the step: told {LEND}, real (none)"),
    "deed": (executed(steps=[{"kind": "deed", "name": "nothing"}, *STEPS]), "different", "no deed 'nothing'"),
    "seed": (executed(seed=6), "different", "$.receipt: told"),
    "none": (changed(lambda row: row.update(metadata={})), "not_executed", ""),
    "no steps": (changed(lambda row: row["metadata"].pop("steps")), "unreadable", "incomplete: steps"),
    "many steps": (executed(steps=[{"kind": "turn"}] * 10_001), "unreadable", "more than 10,000 steps"),
    "variant": (executed(variant="x"), "world_broken", "no scenario '0/x'"),
    "missing": (executed(world="f" * 24), "world_missing", "no file ffffffffffffffffffffffff.json in"),
    "outside": (executed(world="../../../etc/passwd"), "world_broken", "the row's id of the world is none"),
    "another": (executed(world=ANOTHER), "world_broken", f"the file holds another world: {LENDING_ID}"),
    "empty": (executed(world="e" * 24), "world_broken", "the file is not JSON"),
    "loops": (executed(world=world_id(LOOPS)), "world_broken", "show_book: timeout"),
    "syntax": (executed(world=world_id(BROKEN)), "world_broken", "threw: SyntaxError"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    found = tmp_path_factory.mktemp("dataset")
    worlds = found / "worlds"
    worlds.mkdir()
    files = {LENDING_ID: LENDING, ANOTHER: LENDING, world_id(LOOPS): LOOPS, world_id(BROKEN): BROKEN}
    for name, world in files.items():
        text = Replayable(world=world, scenarios={"0/returned": RETURNED}).model_dump_json()
        (worlds / f"{name}.json").write_text(text)
    (worlds / f"{'e' * 24}.json").write_text("{")
    (found / "rows.jsonl").write_text("\n".join([*(json.dumps(row) for row, *_ in ROWS.values()), "no row", ""]))
    return found


@pytest.fixture(scope="module")
def replayed(folder):
    return list(replay_files([str(folder / "rows.jsonl")], jobs=2))


@pytest.mark.parametrize("name", ROWS)
def test_a_row_has_its_result(replayed, name):
    row = replayed[list(ROWS).index(name)]
    _, status, detail = ROWS[name]
    assert (row.status, detail in row.detail) == (status, True), row.detail


def test_every_line_has_one_result_in_its_place(replayed, folder):
    assert [row.origin for row in replayed] == [f"{folder}/rows.jsonl:{n}" for n in range(1, len(ROWS) + 2)]
    assert replayed[-1].status == "unreadable"
    assert replayed[3].message == 8


def test_rows_of_several_processes_stay_in_their_order(monkeypatch, tmp_path, folder):
    """Threads in the place of processes, which take a second to start."""
    monkeypatch.setattr(run, "ProcessPoolExecutor", lambda jobs, mp_context, **begun: ThreadPoolExecutor(1, **begun))
    monkeypatch.setattr(run, "end_with_parent", lambda: None)
    names = ["equal", "result", "missing", "none"] * 40
    file = tmp_path / "many.jsonl"
    file.write_text("\n".join(json.dumps(ROWS[name][0]) for name in names))
    found = list(replay_files([str(file)], worlds=folder / "worlds", jobs=2))
    run._children.close()
    assert [row.status for row in found] == [ROWS[name][1] for name in names]
    assert [row.origin for row in found] == [f"{file}:{n}" for n in range(1, len(names) + 1)]


def test_a_world_that_uses_its_limits_up_again_and_again_ends_after_a_while(monkeypatch, folder, tmp_path):
    monkeypatch.setattr(run, "_PATIENCE_S", -1.0)
    (tmp_path / "one.jsonl").write_text(json.dumps(ROWS["loops"][0]))
    (row,) = replay_files([str(tmp_path / "one.jsonl")], worlds=folder / "worlds")
    assert (row.status, row.detail) == ("world_broken", "the replay took more than -1 s")


def test_worlds_are_no_rows_of_a_folder(folder):
    assert {line.origin.rpartition("/")[2].partition(":")[0] for line in read_files([str(folder)])} == {"rows.jsonl"}
