"""What a person reads when a run of `gem_distill` fails."""

import pytest

from gem_tasks.airflow_names import DISTILL
from gem_tasks.cli import follow_distill
from gem_tasks.distill.experiment import Options
from gem_tasks.errors import GemError
from gem_tasks.settings import Settings


class _Airflow:
    """A run whose first task failed."""

    def __init__(self, settings):
        self.task = {"task_id": "plan", "map_index": -1, "state": "failed"}

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None

    def unpause(self, dag):
        return False

    def start(self, dag, conf):
        return "run-1"

    def run_url(self, dag, run_id):
        return f"http://airflow/{dag}/{run_id}"

    def run_state(self, dag, run_id):
        return "failed"

    def tasks(self, dag, run_id):
        return [self.task]

    def complaint(self, task):
        return "Runs may not load weights from '/w'. Name the folders in GEM_MODEL_ROOTS."


def test_a_failed_run_says_which_task_failed_and_why(monkeypatch):
    monkeypatch.setattr(follow_distill, "AirflowAPI", _Airflow)
    with pytest.raises(GemError) as failed:
        follow_distill.follow(Settings(_env_file=None), Options())
    assert str(failed.value) == (
        f"{DISTILL} failed in plan: Runs may not load weights from '/w'. Name the folders in GEM_MODEL_ROOTS.\n"
        f"http://airflow/{DISTILL}/run-1"
    )
