"""Exported environments in the real packages of verifiers and NeMo Gym, with policies that need no model.

uv venv v && uv pip install --python v/bin/python -r envs/verifiers/requirements.txt
GEM_TEST_VERIFIERS=v/bin/python pytest tests/integration/test_environment_rollouts.py       (uv in PATH; a minute)
GEM_TEST_NEMO_GYM=PYTHON …        a Python 3.13 with nemo-gym, jsonschema-rs, psutil, httpx2 and quickjs-ng
"""

import json
import os
import shutil
import subprocess

import pytest

from gem_tasks.environments.rows import environments_of
from gem_tasks.environments.write import write_packages
from gem_tasks.resources import shipped
from tests.executed import REPLAYABLE, STEPS, TASKS

IDLE = [step for step in STEPS if step["kind"] != "call"]
PYTHONS = {name: os.environ.get(f"GEM_TEST_{name.upper()}") for name in ("verifiers", "nemo_gym")}


def rewards(framework, tmp_path, place):
    """Reward and steps of each policy, in the package that lies at `place`."""
    if not (python := PYTHONS[framework]):
        pytest.skip(f"set GEM_TEST_{framework.upper()} to a Python with the framework: takes a minute")
    write_packages(environments_of([REPLAYABLE.model_copy(update={"tasks": TASKS})], seed=5), tmp_path)
    folder = tmp_path / place
    if framework == "nemo_gym":
        shutil.copytree(tmp_path / "nemo_gym", folder / "resources_servers")
    script = shipped("envs") / framework / "rollout.py"
    command = [python, str(script), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=500, cwd=tmp_path)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert lines, done.stderr[-2000:]
    return {line["policy"]: (line["reward"], line["steps"]) for line in lines}


@pytest.mark.parametrize(("framework", "place"), [("verifiers", "verifiers"), ("nemo_gym", "gym")])
def test_a_rollout_earns_the_goal(framework, place, tmp_path):
    assert rewards(framework, tmp_path, place) == {"oracle": (1.0, STEPS), "idle": (0.0, IDLE)}
