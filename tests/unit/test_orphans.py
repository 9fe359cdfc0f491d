"""Worker processes end with their parent, even a killed one."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = """
import os, signal
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from {module} import end_with_parent
if __name__ == "__main__":
    pool = ProcessPoolExecutor(1, mp_context=get_context("{method}"), initializer=end_with_parent)
    assert pool.submit(abs, -1).result() == 1
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(
    ("module", "method"), [("gem_tasks.lint.run", "spawn"), ("offline_teacher.server.workers", "forkserver")]
)
def test_a_worker_does_not_outlive_a_killed_parent(tmp_path, module, method):
    program = tmp_path / "parent.py"
    program.write_text(PROGRAM.format(module=module, method=method), encoding="utf-8")
    env = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (ROOT / "teacher", ROOT)))}
    parent = subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE, env=env, start_new_session=True)
    try:
        parent.communicate(timeout=60)  # returns when no process that it started holds its output
        assert parent.returncode == -signal.SIGKILL
    except subprocess.TimeoutExpired:
        os.killpg(parent.pid, signal.SIGKILL)
        raise
