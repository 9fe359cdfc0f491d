"""What the processes of Airflow import as they start."""

import subprocess
import sys

import pytest

from tests.dags.folder import PLUGINS

_STATE = """
import os, sys
sys.path.insert(0, sys.argv.pop(1))
import airflow_local_settings
print(len(os.listdir("/proc/self/task")), "gem_tasks.stages" in sys.modules, airflow_local_settings.__all__)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts the threads in /proc")
@pytest.mark.parametrize(
    ("command", "imported"),
    [(("scheduler", "--skip-serve-logs"), True), (("celery", "worker"), True), (("triggerer",), False)],
)
def test_workers_import_what_tasks_need_and_start_no_thread(command, imported):
    """A fork copies no thread, so a lock that one holds would stay locked in the task."""
    run = [sys.executable, "-c", _STATE, str(PLUGINS), *command]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", str(imported), "()"]
