"""Other users of the machine see nothing of what GEM keeps, in old homes as in new ones; DSNs are not repeated."""

import os
import stat
import subprocess
import sys

import pytest
from pydantic import SecretStr

from gem_tasks import redaction
from gem_tasks.files import PRIVATE, make_private
from gem_tasks.local import health, security_edges
from gem_tasks.local.environment import airflow_env
from gem_tasks.local.home import MARK, claim
from gem_tasks.local.state import State, save_state
from gem_tasks.local.supervisor import AIRFLOW, commands
from gem_tasks.settings import Settings


def modes(folder):
    found = {str(path.relative_to(folder)): stat.S_IMODE(path.lstat().st_mode) for path in folder.rglob("*")}
    return found


@pytest.fixture
def umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.usefixtures("umask")
def test_an_open_home_is_closed_and_what_it_points_to_is_left_alone(tmp_path):
    home, other = tmp_path / "home", tmp_path / "other.txt"
    other.write_text("of somebody else")
    for name in ("store/a/b.zst", "journal/x/y.jsonl", "logs/z.log", "airflow/logs/t.log", "envs/bfcl/bin/python"):
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
        path.chmod(0o755)
    (home / MARK).touch()
    (home / "state.json").write_text("{}")
    (home / "store" / "link").symlink_to(other)
    claim(home)
    found = modes(home)
    assert [
        name for name, mode in found.items() if mode & PRIVATE and not name.startswith(("envs", "store/link"))
    ] == []
    assert found["envs/bfcl/bin/python"] == 0o755
    assert found["store/a/b.zst"] == 0o700
    assert found["logs"] == 0o700
    assert stat.S_IMODE(other.stat().st_mode) == 0o644
    assert stat.S_IMODE(home.stat().st_mode) == (0o711 if os.geteuid() == 0 else 0o700)


@pytest.mark.usefixtures("umask")
def test_a_folder_that_gem_did_not_make_keeps_its_rights(tmp_path):
    (tmp_path / "mine.txt").write_text("x")
    tmp_path.chmod(0o755)
    claim(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755
    assert stat.S_IMODE((tmp_path / "mine.txt").stat().st_mode) == 0o644


@pytest.mark.usefixtures("umask")
def test_what_is_closed_is_not_walked_again(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_text("x")
    make_private(tmp_path / "a")
    (tmp_path / "a" / "b").chmod(0o644)
    make_private(tmp_path / "a")
    assert modes(tmp_path)["a/b"] == 0o644


def test_a_command_writes_for_its_owner_and_exports_for_whom_the_umask_says(tmp_path):
    code = (
        "import sys; from gem_tasks.files import keep_private, for_others; from pathlib import Path; keep_private()\n"
        "Path('own').touch()\nwith for_others():\n    Path('given').touch()\nPath('again').touch()"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, umask=0o022)
    assert modes(tmp_path) == {"own": 0o600, "given": 0o644, "again": 0o600}


DSNS = [
    "mysql://gem:PASSW0RD-x@h/x", "postgresql://gem:PASSW0RD-x@h:port/x", "postgresql://gem:PASSW0RD-x/y@h/x",
    "postgresql://gem:PASSW0RD-x@h@i/x", "postgresql://gem:PASSW0RD-x%zz@127.0.0.1:1/x", "gem:PASSW0RD-x@h/x",
    "postgres//gem:PASSW0RD-x@h", "host=127.0.0.1 port=1 password=PASSW0RD-x", "password='PASSW0RD-x host=h",
    "postgresql://gem:PASSW0RD-x@127.0.0.1:1/x?sslmode=odd", "postgresql://gem:PASSW0RD-x\udcff@127.0.0.1:1/x",
    "postgresql://gem:PASSW0RD-x@127.0.0.1:1/x\0y",
]  # fmt: skip


@pytest.mark.parametrize("dsn", DSNS)
@pytest.mark.enable_socket
def test_a_dsn_s_password_is_in_no_diagnosis(dsn):
    fault = health.postgres(dsn)
    assert fault
    assert "PASSW0RD" not in fault


def test_no_service_listens_beyond_this_machine(monkeypatch, tmp_path):
    monkeypatch.setenv("GEM_HOME", str(tmp_path))
    monkeypatch.setenv("AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT", "18793")
    found = commands(list(AIRFLOW))
    assert "--skip-serve-logs" in found["scheduler"]
    assert "--skip-serve-logs" in found["triggerer"]
    assert found["log-server"][-6:] == ["--host", "127.0.0.1", "--port", "18793", "--log-level", "warning"]
    state = State(ports={"airflow": 1, "worker_logs": 18793, "postgres": 2, "teacher": 3})
    env = airflow_env(tmp_path, state, "postgresql://h/x")
    assert env["AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT"] == env["AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT"]
    assert env["AIRFLOW__LOGGING__FILE_TASK_HANDLER_NEW_FILE_PERMISSIONS"] == "0o600"
    assert env["AIRFLOW__CORE__HOSTNAME_CALLABLE"] == "gem_airflow.here.hostname"


@pytest.mark.usefixtures("umask")
def test_the_doctor_says_what_holds(tmp_path, monkeypatch):
    monkeypatch.delenv("GEM_TORCH_LOCK", raising=False)
    redaction.know("GEM_AIRFLOW_PASSWORD", "short")
    open_settings = Settings(home=tmp_path, eval_api_key=SecretStr("k"), store_url=str(tmp_path / "given"))
    (tmp_path / "given").mkdir()
    try:
        found = {name: (holds, detail) for name, holds, detail in security_edges.security(open_settings)}
    finally:
        redaction.IN_FORCE.forget()
    assert {name: holds for name, (holds, _) in found.items()} == {
        "secrets": False, "files": False, "listeners": True, "sources": False, "endpoints": False,
        "models": True, "database role": True, "pytorch": True,
    }  # fmt: skip
    assert "GEM_AIRFLOW_PASSWORD" in found["secrets"][1]
    assert "short" not in found["secrets"][1].replace("shorter", "")
    assert str(tmp_path / "given") in found["files"][1]
    (tmp_path / "given").chmod(0o700)
    closed = open_settings.model_copy(update={"source_roots": "/data", "eval_endpoints": "https://h"})
    assert [holds for _, holds, _ in security_edges.security(closed)] == [True] * 8
    save_state(tmp_path, State())
    assert modes(tmp_path)["state.json"] == 0o600
