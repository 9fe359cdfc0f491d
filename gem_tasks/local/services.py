"""`gem up` and `gem down`: PostgreSQL, the teacher and Airflow under one supervisor. Repeating either is harmless."""

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import psycopg
from pydantic import SecretStr

from gem_tasks.airflow_names import INGEST, LLM_POOL, SYNTHESIZE, WORLDS, pool_of
from gem_tasks.domain.stage import EVERY_STAGE
from gem_tasks.errors import GemError, UserError
from gem_tasks.lineage.migrate import migrate
from gem_tasks.local import health, processes, teacher
from gem_tasks.local.airflow_api import AirflowAPI
from gem_tasks.local.environment import airflow_env, gem_env, quoted
from gem_tasks.local.home import claim, home_dir
from gem_tasks.local.postgres import Postgres
from gem_tasks.local.state import State, load_state, save_state, settle_ports, write_private
from gem_tasks.local.supervisor import AIRFLOW, TEACHER
from gem_tasks.proxies import without_proxies
from gem_tasks.redaction import ending
from gem_tasks.settings import load

Say = Callable[[str], None]

LINEAGE_DB, AIRFLOW_DB = "gem", "airflow"
_HEALTHY_LIMIT_S = 240
_DAGS = (INGEST, SYNTHESIZE, WORLDS)


def up(*, airflow: bool = True, say: Say = lambda _: None) -> None:
    """Starts services that are not running and waits until all answer.

    Args:
        airflow: False starts only PostgreSQL and, if installed, the offline teacher.
        say: receives each step.

    Raises:
        UserError: a port is taken, or another `gem up` is at work.
        GemError: a service does not become healthy; names its log.
    """
    home = home_dir()
    with _alone(home):
        running = _running(home)
        if running is not None and set(_wanted(airflow)) <= running:
            say("services are running")
        else:
            _start(home, airflow or (running is not None and AIRFLOW[0] in running), say)
        if not (teacher.installed() or load().llm_base_url):
            say(f"no model is configured. {teacher.INSTEAD}")
        _wait_healthy(home, airflow, say)


def down(say: Say = lambda _: None) -> None:
    """Stops all services of this GEM_HOME, and keeps the data."""
    home = home_dir()
    if not home.exists():
        return
    with _alone(home):
        say("stopping services")
        if found := processes.supervisor(home):
            processes.end([found])
        processes.end(processes.ours(home))
        postgres_of(home, load_state(home)).stop()


def postgres_of(home: Path, state: State) -> Postgres:
    """The embedded cluster of a home."""
    return Postgres(home / "postgres", state.ports.get("postgres", 0), SecretStr(state.postgres_password))


def _start(home: Path, airflow: bool, say: Say) -> None:
    """Starts all services, also after a crash."""
    state = load_state(home)
    processes.end(processes.ours(home))
    processes.forget_sessions(home)
    postgres = postgres_of(home, state)
    # `gem synth` in another terminal may be at work with it.
    keep = postgres.accepts() and os.environ.get("GEM_POSTGRES_PORT") in (None, str(postgres.port))
    if not keep:
        postgres.stop()
    for line in settle_ports(state, running={"postgres"} if keep else frozenset()):
        say(line)
    save_state(home, state)
    if not keep:
        say("starting PostgreSQL")
        postgres = postgres_of(home, state)
        postgres.start()
    for name in (LINEAGE_DB, AIRFLOW_DB):
        postgres.create_database(name)
    env = gem_env(home, state, postgres.dsn(LINEAGE_DB))
    write_private(home / "services.env", "".join(f"{name}={quoted(value)}\n" for name, value in env.items()))
    env |= {processes.MARK: str(home), "GEM_TEACHER_PORT": str(state.ports["teacher"])}
    migrate(env["GEM_POSTGRES_DSN"])
    env = without_proxies(os.environ) | env
    if airflow:
        env |= airflow_env(home, state, postgres.dsn(AIRFLOW_DB))
        _migrate_airflow(home, postgres.dsn(AIRFLOW_DB), env, say)
    say("starting services")
    _supervise(home, _wanted(airflow), env)


def _wanted(airflow: bool) -> list[str]:
    """The services that the supervisor keeps running."""
    return [*([TEACHER] if teacher.installed() else []), *(AIRFLOW if airflow else ())]


def _migrate_airflow(home: Path, dsn: str, env: dict[str, str], say: Say) -> None:
    """`airflow db migrate`, unless this version has already done it to this database."""
    mark = home / "airflow" / ".migrated"
    current = version("apache-airflow-core")
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT to_regclass('alembic_version')").fetchone()
    if row and row[0] and mark.exists() and mark.read_text(encoding="utf-8") == current:
        return
    say("preparing Airflow's database")
    command = [str(Path(sys.executable).with_name("airflow")), "db", "migrate"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise GemError(f"airflow db migrate failed: {ending(done.stderr.strip(), 800)}")
    mark.write_text(current, encoding="utf-8")


def _supervise(home: Path, names: list[str], env: dict[str, str]) -> None:
    (home / "logs").mkdir(parents=True, exist_ok=True)
    with (home / "logs" / "supervisor.log").open("ab") as log:
        subprocess.Popen(
            [sys.executable, "-m", "gem_tasks.local.supervisor", *names],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _running(home: Path) -> set[str] | None:
    """The services of the running supervisor; None without one."""
    found = processes.supervisor(home)
    return set(found.cmdline()) & {TEACHER, *AIRFLOW} if found else None


def _wait_healthy(home: Path, airflow: bool, say: Say) -> None:
    settings = load()
    deadline = time.monotonic() + _HEALTHY_LIMIT_S
    told: set[str] = set()
    while waiting := faults(airflow):
        for name in sorted(set(parts(airflow)) - {"postgres"} - set(waiting) - told):
            told.add(name)
            say(f"{name} is up")
        if time.monotonic() > deadline:
            name, why = next(iter(waiting.items()))
            raise GemError(f"{name} did not become healthy ({why}); see its log in {home / 'logs'}")
        time.sleep(0.5)
    if airflow:
        with AirflowAPI(settings) as api:
            api.ensure_pool(LLM_POOL, settings.llm_slots, "Tasks that call the LLM endpoint at the same time")
            for stage in EVERY_STAGE:
                about = f"The same for {stage}, if it has a separate endpoint"
                api.ensure_pool(pool_of(stage), settings.llm_slots, about)
            say("reading the DAGs")
            api.wait_for_dags(_DAGS, deadline)


def parts(airflow: bool = True) -> tuple[str, ...]:
    """The components whose health `gem status` shows."""
    offline = [TEACHER] if teacher.installed() else []
    return ("postgres", *offline, *(("api_server", *health.AIRFLOW_PARTS) if airflow else ()))


def faults(airflow: bool = True) -> dict[str, str]:
    """Services that do not answer, with the reasons; empty if all answer."""
    settings = load()
    found = {"postgres": health.postgres(settings.database)}
    if teacher.installed():
        found[TEACHER] = health.teacher(load_state(home_dir()).ports["teacher"])
    if airflow and settings.airflow_url:
        found |= health.airflow(settings.airflow_url)
    return {name: why for name, why in found.items() if why}


@contextmanager
def _alone(home: Path) -> Generator[None]:
    """Allows one `gem up` or `gem down` at a time per home."""
    claim(home)
    with (home / "up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError("Another `gem up` or `gem down` is running", "Wait for it to finish.") from None
        yield
