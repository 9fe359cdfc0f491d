"""What the processes of Airflow import as they start."""

import os
import subprocess
import sys

import pytest

from tests.dags.folder import PLUGINS

_STATE = """
import os, sys
sys.path.insert(0, sys.argv.pop(1))
import airflow_local_settings
names = airflow_local_settings.__all__
assert all(hasattr(airflow_local_settings, name) for name in names)
print(len(os.listdir("/proc/self/task")), "gem_tasks.stages" in sys.modules, names)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts the threads in /proc")
@pytest.mark.parametrize(
    ("command", "imported"),
    [(("scheduler", "--skip-serve-logs"), True), (("celery", "worker"), True), (("triggerer",), False)],
)
def test_workers_import_what_tasks_need_and_start_no_thread(command, imported, tmp_path):
    """A fork copies no thread, so a lock that one holds would stay locked in the task."""
    assert _started(tmp_path, *command) == ["1", str(imported), "()"]


def test_policies_of_a_deployment_still_apply(tmp_path):
    (tmp_path / "config").mkdir()
    own = "import os\n\ndef task_policy(task):\n    task.owner = 'team'\n\n__all__ = ['task_policy']\n"
    (tmp_path / "config" / "airflow_local_settings.py").write_text(own)
    assert _started(tmp_path, "scheduler")[2:] == ["('task_policy',)"]


_ORDER = """
import airflow.settings
import airflow_local_settings
airflow.settings.import_local_settings()
print(airflow_local_settings.__file__)
print(getattr(airflow.settings, "DASHBOARD_UIALERTS", None))
"""


@pytest.mark.parametrize(
    ("own", "alerts"), [("\n", "[]"), ("DASHBOARD_UIALERTS = ['of the chart']\n", "['of the chart']")]
)
def test_a_file_that_the_chart_mounts_hides_nothing_and_applies(own, alerts, tmp_path):
    """The Helm chart puts `airflowLocalSettings`, with Airflow 3 an empty file by default, into Airflow's own folder.

    Airflow appends that folder to the path, so PYTHONPATH, which the image sets, comes first.
    """
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "airflow_local_settings.py").write_text(own)
    env = os.environ | {"AIRFLOW_HOME": str(tmp_path), "PYTHONPATH": f"{PLUGINS}:{':'.join(sys.path)}"}
    done = subprocess.run([sys.executable, "-c", _ORDER], capture_output=True, text=True, check=True, env=env)
    assert done.stdout.splitlines()[-2:] == [str(PLUGINS / "airflow_local_settings.py"), alerts]


def _started(home, *command):
    run = [sys.executable, "-c", _STATE, str(PLUGINS), *command]
    env = os.environ | {"AIRFLOW_HOME": str(home)}
    return subprocess.run(run, capture_output=True, text=True, check=True, env=env).stdout.split()
