"""What a user of the wheel has: no checkout, an empty folder. GEM_TEST_WHEEL=1 runs a corpus through Airflow too.

The locked versions come from uv's cache into an environment that has nothing else: no development dependency helps.
"""

import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.e2e.stack import ROOT

UV = shutil.which("uv") or str(Path(os.environ.get("GEM_HOME") or ROOT / ".gem") / "uv" / "bin" / "uv")
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not Path(UV).exists(), reason="needs uv, which `make install` provides"),
]
MANUAL = """# Renewing a badge

The badge office renews badges for staff. Follow these steps.

1. Search for the employee by name in the badge system.
2. Open the employee record and check the expiry date.
3. Create a renewal request with the employee ID and the new expiry date.
4. Print the badge at the printer on floor 3.
5. Send a confirmation email to the employee.

Badges cannot be renewed more than 30 days before the expiry date. A renewal costs 12 euros.
"""
CONVERSATION = {
    "messages": [
        {"role": "user", "content": "What is the weather in Kiel?"},
        {
            "role": "assistant",
            "tool_calls": [
                {"id": "1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": 3}'}}
            ],
        },
        {"role": "tool", "tool_call_id": "1", "content": '{"sky": "clear"}'},
        {"role": "assistant", "content": "The sky is clear."},
    ],
    "tools": [
        {
            "type": "function",
            "function": {
                "name": "get_weather",
                "description": "The weather of a city.",
                "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
            },
        }
    ],
}


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """Every distribution of the repository, built as a release builds it: the wheel from the sdist."""
    folder = tmp_path_factory.mktemp("dist")
    for project in (ROOT, ROOT / "teacher"):
        call(UV, "build", "-q", "-o", folder, project)
    return {path.name.partition("-")[0]: path for path in folder.glob("*.whl")}


@pytest.fixture(scope="module")
def place(tmp_path_factory, wheels):
    """An empty folder beside an environment with GEM's wheel and what it asks for; without the offline teacher."""
    folder = tmp_path_factory.mktemp("wheel")
    call(UV, "venv", "-q", folder / "venv")
    install(folder, wheels["gem_tasks"])
    (folder / "empty").mkdir()
    yield folder / "empty"
    gem(folder / "empty", "down")


def install(folder, wheel):
    call(UV, "pip", "install", "-q", "--python", folder / "venv", "-c", ROOT / "requirements.lock", wheel)


def call(*command, cwd="/", code=0):
    env = {name: value for name, value in os.environ.items() if not name.startswith(("GEM_", "AIRFLOW", "PYTHON"))}
    done = subprocess.run(
        [*map(str, command)], cwd=cwd, env=env, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == code, f"{command}: {done.stdout[-2000:]}{done.stderr[-4000:]}"
    return done.stderr if code else done.stdout


def gem(place, *arguments, code=0):
    return call(place.parent / "venv" / "bin" / "gem", *arguments, cwd=place, code=code)


def test_what_lies_beside_the_package_is_in_the_wheel(wheels):
    packed = set(zipfile.ZipFile(wheels["gem_tasks"]).namelist())
    tracked = call("git", "ls-files", "sql", "dags", "plugins", "envs", "examples", cwd=ROOT).splitlines()
    assert {f"gem_tasks/_shipped/{name}" for name in tracked if (ROOT / name).is_file()} <= packed


def test_the_command_knows_its_version(place, wheels):
    assert gem(place, "--version").split() == ["gem", wheels["gem_tasks"].name.split("-")[1]]
    assert "Usage: gem" in gem(place, "--help")


def test_a_conversation_is_checked(place):
    (place / "rows.jsonl").write_text(json.dumps(CONVERSATION))
    told = json.loads(gem(place, "check", "rows.jsonl", "--json", "--fail-on", "never"))
    assert [finding["kind"] for finding in told["rows"][0]["findings"] if finding["severity"] == "error"] == [
        "wrong_type"
    ]


def test_a_text_becomes_a_trajectory_once_there_is_a_model(place, wheels):
    (place / "manual.md").write_text(MANUAL)
    last = gem(place, "synth", "manual.md", "--out", "data", code=2).strip().splitlines()[-1]
    assert "No LLM endpoint is configured" in last
    assert "GEM_LLM_BASE_URL" in last
    assert "offline teacher" in last
    install(place.parent, wheels["gem_offline_teacher"])
    gem(place, "synth", "manual.md", "--out", "data")
    (row,) = map(json.loads, (place / "data" / "trajectories.jsonl").read_text().splitlines())
    assert row["metadata"]["document_uri"].endswith("manual.md")


@pytest.mark.skipif("GEM_TEST_WHEEL" not in os.environ, reason="starts Airflow, minutes: set GEM_TEST_WHEEL=1")
def test_a_corpus_goes_through_airflow(place):
    examples = gem(place, "up").rpartition("gem run ")[2].strip()
    gem(place, "run", examples)
    gem(place, "export", "--out", "all")
    rows = [json.loads(line) for line in (place / "all" / "trajectories.jsonl").read_text().splitlines()]
    assert {"hotel-front-desk.md", "library-loans.txt"} <= {
        row["metadata"]["document_uri"].rpartition("/")[2] for row in rows
    }
