"""`gem up` where the offline teacher is not installed, and after it has been."""

import subprocess
import sys

import psycopg
import pytest

from gem_tasks.local import services
from gem_tasks.settings import load

_UP = "from gem_tasks.local import services; services.up(airflow=False, say=print)"
_HIDING = "import sys; sys.modules['offline_teacher'] = None; "


@pytest.fixture
def home(tmp_path, monkeypatch):
    for name in ("GEM_LLM_BASE_URL", "GEM_POSTGRES_DSN", "GEM_STORE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GEM_HOME", str(tmp_path / "home"))
    yield tmp_path / "home"
    services.down()


def up(before=""):
    """What is said, line by line; the processes started outlive the one that starts them."""
    return subprocess.run(
        [sys.executable, "-c", before + _UP], capture_output=True, text=True, check=True
    ).stdout.splitlines()


def test_the_services_start_without_a_teacher_and_take_it_up_once_it_is_there(home, monkeypatch):
    said = up(_HIDING)
    assert [line for line in said if "GEM_LLM_BASE_URL" in line and "install the offline teacher" in line]
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "offline_teacher", None)
        assert services.parts(airflow=False) == ("postgres",)
        assert services.faults(airflow=False) == {}
        assert load().llm_base_url is None
    assert "services are running" in up(_HIDING)
    said = up()
    assert "starting services" in said and not [line for line in said if "no model" in line]
    assert services.faults(airflow=False) == {}
    assert str(load().llm_base_url).startswith("http://127.0.0.1:")


def test_a_later_start_leaves_a_running_postgres_to_those_who_work_with_it(home):
    """`gem synth` in one terminal, `gem up` in another: the first kept its lock on a connection that `up` ended."""
    up(_HIDING)
    with psycopg.connect(load().postgres_dsn.get_secret_value()) as at_work:
        assert "starting services" in up()
        assert at_work.execute("SELECT 1").fetchone() == (1,)
