"""`deploy/init.sh`: what it refuses before any service starts, and what it makes."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from gem_tasks.settings import Settings

ROOT = Path(__file__).parents[2]
REFUSED = [
    ({"GEM_CONSOLE_DB_PASSWORD": "a@b"}, "GEM_CONSOLE_DB_PASSWORD is part of URLs"),
    ({"POSTGRES_PASSWORD": "a@b"}, "POSTGRES_PASSWORD is part of URLs"),
    ({"REDIS_PASSWORD": "a/b"}, "REDIS_PASSWORD is part of URLs"),
    ({"AWS_ENDPOINT_URL": "http://s3:8333", "AWS_ACCESS_KEY_ID": "gem"}, "AWS_SECRET_ACCESS_KEY is missing"),
    ({"AWS_ENDPOINT_URL": "HTTP://S3.gem:8333/", "AWS_SECRET_ACCESS_KEY": "x"}, "AWS_ACCESS_KEY_ID is missing"),
    ({"GEM_HOME": "/proc/nowhere"}, "/proc/nowhere cannot be written by user"),
]


@pytest.mark.parametrize(("wrong", "told"), REFUSED, ids=[told.split()[0] for _, told in REFUSED])
def test_the_first_job_refuses_what_would_be_seen_much_later(tmp_path, wrong, told):
    (tmp_path / "logs").mkdir()
    env = {"PATH": "/usr/bin:/bin", "AIRFLOW_HOME": str(tmp_path), "GEM_HOME": str(tmp_path), **wrong}
    done = subprocess.run(["bash", ROOT / "deploy/init.sh"], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(f"init: {told}")


def test_the_first_job_makes_the_folders_that_an_empty_volume_hides(tmp_path):
    """The chart's migration job has an empty volume over AIRFLOW_HOME, and none for logs."""
    (tmp_path / "python").write_text("#!/bin/sh\nexit 7\n", encoding="utf-8")
    (tmp_path / "python").chmod(0o755)
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin", "AIRFLOW_HOME": str(tmp_path / "airflow"), "GEM_HOME": str(tmp_path)}
    done = subprocess.run(["bash", ROOT / "deploy/init.sh"], env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (7, ""), "it came as far as its first program"
    assert (tmp_path / "airflow/logs").is_dir()


AIRFLOW_REPLACED = """
import sys
from unittest.mock import MagicMock

for part in ("models", "models.pool", "providers.fab.auth_manager.cli_commands.utils"):
    names = ["airflow", *part.split(".")]
    sys.modules |= {".".join(names[:end]): MagicMock() for end in range(1, len(names) + 1)}
pools = sys.modules["airflow.models.pool"] = MagicMock()
pools.Pool.create_or_update_pool = lambda name, slots, **others: print(name, slots)
"""


@pytest.mark.parametrize("told", ["", "3"])
def test_the_pools_have_the_slots_that_ingestion_divides_by(tmp_path, told):
    script = (ROOT / "deploy/init.sh").read_text("utf-8").rpartition("<<'PY'\n")[2].removesuffix("PY\n")
    env = {"PYTHONPATH": str(ROOT), "GEM_LLM_SLOTS": told, "AIRFLOW_ADMIN_PASSWORD": "x", "GEM_HOME": str(tmp_path)}
    run = [sys.executable, "-c", AIRFLOW_REPLACED + script]
    done = subprocess.run(run, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    pools = dict(line.split() for line in done.stdout.splitlines())
    assert len(pools) == 6
    assert set(pools.values()) == {told or str(Settings.model_fields["llm_slots"].default)}


def test_the_chart_gives_the_pools_and_ingestion_one_number():
    values = yaml.safe_load((ROOT / "deploy/helm-values.yaml").read_text("utf-8"))
    assert "GEM_LLM_SLOTS" in {each["name"] for each in values["env"]}, "what `env` has goes to the job and all pods"
    assert "GEM_LLM_SLOTS" not in {each["name"] for each in values["migrateDatabaseJob"]["env"]}
