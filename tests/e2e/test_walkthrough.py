"""Every command of docs/tutorial.md, in order, in one shell session's folder.

The comment above a block says what it needs: a variable that has to be set (GEM_TEST_TUTORIAL=1: training and
benchmarks, ten minutes of CPU and 3 GB), or why it is not run. Blocks without one always run.
"""

import json
import os
import re
import shutil
import subprocess
from itertools import takewhile

import pytest

from tests.e2e.stack import EXAMPLES, GEM, ONE, ROOT, logs

pytestmark = pytest.mark.e2e
BLOCK = re.compile(r"(?:<!-- test: (?P<need>[^>]*?) -->\n)?```bash\n(?P<commands>.*?)```", re.DOTALL)
PAGE = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
BLOCKS = [(found["need"] or "", found["commands"]) for found in BLOCK.finditer(PAGE)]
FULL = "GEM_TEST_TUTORIAL"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tutorial")
    shutil.copytree(EXAMPLES, folder / "examples" / "corpus")
    return folder


def shell(commands, place, home):
    """The blocks' output; a failed command ends it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GEM_", "AIRFLOW"))}
    env = kept | {"PATH": f"{GEM.parent}{os.pathsep}{kept['PATH']}", "GEM_HOME": str(home)} | ONE
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=place, env=env, capture_output=True, text=True, timeout=3000, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{commands}: {done.stdout[-2000:]}{done.stderr[-3000:]}{logs(home)}"
    return done.stdout


def test_the_tutorial(place, home):
    said, ran = {}, []
    for need, commands in BLOCKS:
        if need.startswith("not run") or (need == FULL and FULL not in os.environ):
            continue
        if found := re.search(r"gem show (\w+)", said.get("gem run manuals\n", "")):
            commands = re.sub(r" ID$", f" {found[1]}", commands, flags=re.MULTILINE)
        said[commands] = shell(commands, place, home)
        ran.extend(commands.splitlines())
    assert {"gem up", "gem run manuals", "gem check data/trajectories.jsonl", "gem down"} <= set(ran)
    assert "No model was called" in " ".join(said["gem run manuals\n"].split())
    rows = [json.loads(line) for line in (place / "data" / "trajectories.jsonl").read_text().splitlines()]
    assert any(row["metadata"]["document_uri"].endswith("badges.md") for row in rows)
    if FULL in os.environ:
        assert "smoke" in said["gem models list\ngem eval list\ngem eval board\n"]


def test_every_block_runs_or_says_why_not():
    assert {need.partition(",")[0] for need, _ in BLOCKS} == {"", FULL, "not run"}
    assert sum(need.startswith("not run") for need, _ in BLOCKS) == 1
    assert [commands for _, commands in takewhile(lambda block: block[0] != FULL, BLOCKS)][-1].startswith("gem export")
