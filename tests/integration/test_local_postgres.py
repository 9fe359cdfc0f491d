"""The embedded PostgreSQL: starts anywhere, for anybody, survives kill -9, and keeps its password."""

import os
import pwd
import signal
import subprocess
import sys

import psycopg
import pytest
from pydantic import SecretStr

from gem_tasks.local.postgres import Postgres
from tests.integration.conftest import free_port

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
def test_it_runs_for_a_normal_user(tmp_path):
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
