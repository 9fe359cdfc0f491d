"""The embedded PostgreSQL: starts anywhere, for anybody, survives kill -9, and keeps its password."""

import os
import pwd
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr

from gem_tasks.errors import UserError
from gem_tasks.local import postgres as module
from gem_tasks.local.postgres import Postgres
from tests.services import free_port

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


def test_what_was_committed_survives_kill_9(tmp_path):
    server = Postgres(tmp_path / "pg", free_port(), SecretStr("p"))
    server.start()
    try:
        with psycopg.connect(server.dsn("postgres")) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
        os.kill(server.pid, signal.SIGKILL)
        server.start()
        with psycopg.connect(server.dsn("postgres")) as connection:
            assert connection.execute("SELECT number FROM kept").fetchone() == (7,)
            assert connection.execute("SHOW fsync").fetchone() == ("on",)
    finally:
        server.stop()
    assert not server.running


def test_only_the_password_opens_it(postgres):
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(postgres.dsn("postgres").replace("test-password", "guess"))


@needs_root
def test_below_a_private_folder_the_data_go_elsewhere_and_nothing_is_opened_up(tmp_path):
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    server = Postgres(private / "pg", free_port(), SecretStr("p"))
    server.start()
    try:
        assert not server.data.is_relative_to(private)
        assert private.stat().st_mode & 0o777 == 0o700
    finally:
        server.stop()
        subprocess.run(["rm", "-rf", server.data.parent], check=True)


@needs_root
@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_binaries_below_a_private_folder_are_copied_with_their_libraries(tmp_path, monkeypatch, umask):
    """As in an environment below /root: the wheel keeps libpq beside its package."""
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    package = module._binaries().parents[1]
    for part in (package, *package.parent.glob(f"{package.name}.libs")):
        (private / part.name).symlink_to(part)
    found = private / module._binaries().relative_to(package.parent)
    monkeypatch.setattr(module, "_binaries", lambda: found)
    before = os.umask(umask)
    server = Postgres(private / "pg", free_port(), SecretStr("p"))
    try:
        server.start()
        with psycopg.connect(server.dsn("postgres")) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert server._bin.is_relative_to(server.data.parent)
        assert private.stat().st_mode & 0o777 == 0o700
    finally:
        os.umask(before)
        server.stop()
        subprocess.run(["rm", "-rf", server.data.parent], check=True)


@needs_root
def test_with_a_strict_umask_it_starts_in_a_folder_that_all_may_enter_and_stays_there(tmp_path, monkeypatch):
    may_enter = module._all_may_enter  # asked of the binaries too, and the checkout may lie in a private home
    monkeypatch.setattr(module, "_all_may_enter", lambda path: may_enter(path) and not path.is_relative_to(tmp_path))
    before = os.umask(0o077)
    server = Postgres(tmp_path / "shut" / "pg", free_port(), SecretStr("p"))
    try:
        server.start()
        assert server.running
        monkeypatch.setattr(module, "_all_may_enter", lambda path: path.is_relative_to(tmp_path) or may_enter(path))
        assert Postgres(tmp_path / "shut" / "pg", server.port, SecretStr("p")).data == server.data
        with pytest.raises(UserError, match=r"created with another state\.json"):
            Postgres(tmp_path / "shut" / "pg", server.port, SecretStr("another")).start()
    finally:
        os.umask(before)
        server.stop()
        subprocess.run(["rm", "-rf", server.data.parent], check=True)


def test_a_folder_of_that_name_that_is_no_database_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_all_may_enter", lambda path: True)
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "notes.txt").write_text("precious")
    with pytest.raises(UserError, match="is not a PostgreSQL database"):
        Postgres(tmp_path / "postgres", free_port(), SecretStr("p"))._init()
    assert (tmp_path / "postgres" / "notes.txt").read_text() == "precious"


@needs_root
def test_it_runs_for_a_normal_user(tmp_path):
    if not module._all_may_enter(Path(sys.prefix)):
        pytest.skip("this checkout lies in a private home: a normal user cannot run its interpreter")
    nobody = pwd.getpwnam("nobody")
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    for folder in (tmp_path, *tmp_path.parents):
        if not folder.stat().st_mode & 0o001 and folder.is_relative_to(tmp_path.parents[2]):
            folder.chmod(folder.stat().st_mode | 0o011)
    code = (
        "from pathlib import Path; from pydantic import SecretStr; from gem_tasks.local.postgres import Postgres;"
        f"s = Postgres(Path({str(home / 'pg')!r}), {free_port()}, SecretStr('p')); s.start(); print(s.data); s.stop()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], user=nobody.pw_uid, group=nobody.pw_gid, cwd="/", capture_output=True, text=True,
        env={"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": os.pathsep.join(sys.path)}, check=False,
    )  # fmt: skip
    assert done.stdout.strip() == str(home / "pg"), done.stderr
