"""What models learn with every chat template of the locked TRL: calls as their family writes them, or a refusal."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from gem_tasks.distill.formats import FORMATS, Conversation
from gem_tasks.resources import shipped
from tests.integration.environments import templates_python


def calls(number, name, arguments):
    """A message that calls a tool, and the result."""
    key = f"call0000{number}"
    function = {"name": name, "arguments": arguments}
    yield {"role": "assistant", "content": None, "tool_calls": [{"id": key, "type": "function", "function": function}]}
    yield {"role": "tool", "content": '{"orders": [17]}', "tool_call_id": key, "name": name}


def tool(name):
    parameters = {"type": "object", "properties": {}}
    return {"type": "function", "function": {"name": name, "description": f"Does {name}.", "parameters": parameters}}


MESSAGES = [
    {"role": "system", "content": "Rules."},
    {"role": "user", "content": "Where is my order?"},
    *calls(1, "find_orders", '{"mail": "ä \\"b\\"", "last": 3}'),
    {"role": "assistant", "content": "It is order 17."},
    {"role": "user", "content": "Cancel it."},
    *calls(2, "cancel", '{"order": {"id": 17}, "why": ["asked"]}'),
    {"role": "assistant", "content": "It is cancelled."},
]
OTHER = [
    {"role": "user", "content": "Count."},
    *calls(3, "count", "{}"),
    {"role": "assistant", "content": "Seven."},
]
TOOLS = [tool("find_orders"), tool("cancel"), tool("count")]
REFUSED = {
    "leaves out": {
        "deepseek_r1_distill", "deepseekv3", "idefics3", "lfm2", "llama3", "phi3", "phi3_5", "qwen2_5_vl", "smolvlm",
    },
    "refuses": {"cohere", "cohere2", "gemma", "gemma3", "llava_next"},
}  # fmt: skip
"""Families whose templates have no tools, no system message, or leave out calls."""


@pytest.fixture(scope="module")
def templates(tmp_path_factory):
    path = tmp_path_factory.mktemp("rows") / "train.jsonl"
    rows = [FORMATS["trl"](Conversation(each, TOOLS)) for each in (MESSAGES, OTHER)]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    env = {**os.environ, "HF_HOME": str(path.parent), "HF_HUB_OFFLINE": "1"}
    command = [
        str(templates_python()),
        str(Path(__file__).with_name("templates.py")),
        str(shipped("envs") / "train"),
        str(path),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stderr[-3000:]
    return {found["name"]: found for found in map(json.loads, done.stdout.splitlines())}


def family(name):
    return name.removesuffix("_training")


def test_every_template_is_right_or_refused_for_a_known_reason(templates):
    refused = {name: found["why"] for name, found in templates.items() if found["form"] is None}
    assert {family(name) for name in refused} == set().union(*REFUSED.values())
    for kind, names in REFUSED.items():
        for name in refused:
            assert kind in refused[name] if family(name) in names else True, (name, refused[name])
    assert len(templates) - len(refused) >= 40


def test_arguments_are_written_once_and_no_row_has_those_of_another(templates):
    for name, found in templates.items():
        for (text, _), words in zip(
            found.get("rows", ()), (("find_orders", "cancel", "17", "asked", "ä"), ("count",)), strict=False
        ):
            assert '\\"mail\\"' not in text, name
            for word in words:
                assert word in text, (name, word)
        if found.get("rows"):
            body = found["rows"][1][0]
            called = body[body.index("Count.") :]
            assert "mail" not in called, name
            assert "null" not in called.lower(), name
            assert "none" not in called.lower(), name


def test_the_loss_is_on_calls_and_answers_and_on_nothing_else(templates):
    marked = {name: found for name, found in templates.items() if name.endswith("_training") and found["form"]}
    assert len(marked) >= 15
    for name, found in marked.items():
        learned = "".join(found["rows"][0][1])
        for word in ("find_orders", "asked", "It is order 17.", "It is cancelled."):
            assert word in learned, (name, word)
        for word in ("Rules.", "Where is my order?", '"orders"', "Does cancel", "Cancel it."):
            assert word not in learned, (name, word)


LAST = [["12", "12"], ["34", "34"]]
"""Two rows: the second shows no thought of the first turn of the user, as a server would not."""
ALL = [["1234", "1234"]]
THINKING = {
    **dict.fromkeys(("glm4moe", "lfm2_2_5", "lfm2_2_5_v2", "lfm2_2_5_vl", "qwen3", "qwen3_5_think", "qwen3_6"), LAST),
    **dict.fromkeys((f"nemotron_3_{name}" for name in ("5_lightning", "nano", "super", "ultra")), LAST),
    **dict.fromkeys(("qwen3_8", "muse_glimmer"), ALL),
    **dict.fromkeys(("qwen2_5", "qwen3_instruct_2507", "qwen3_vl", "llama3_1", "llama3_2", "lfm2_v2", "gemma4_v2"),
                    "it leaves out thoughts"),
    **dict.fromkeys(("gemma4", "gemma4_v3", "gemma4_v4"), "it leaves out the thoughts of some turns"),
    **dict.fromkeys(("qwen3_5_nothink", "gptoss", "gemma4_v5", "diffusion_gemma"),
                    "its prompt for an answer is not how it begins the answer"),
}  # fmt: skip
"""What each family's own template makes of thoughts: docs/reasoning.md has the table."""


def test_thoughts_are_learned_after_what_a_server_shows_or_refused_for_a_known_reason(templates):
    own = {name: found["thoughts"] for name, found in templates.items() if found["form"] and family(name) == name}
    assert own == THINKING
