"""`gem doctor`: checks everything that a run needs, and says how to fix what is missing."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator

import psycopg
from pydantic import field_validator

from gem_tasks.confine import means
from gem_tasks.domain.base import Value
from gem_tasks.errors import GemError, UserError
from gem_tasks.local import health
from gem_tasks.local.deployment import JOBS, Deployment
from gem_tasks.pipeline.preflight.readiness import Ready, Told, check_models
from gem_tasks.redaction import message
from gem_tasks.settings import Settings, unread_variables
from gem_tasks.store import open_store
from gem_tasks.variables import Unread

_PYTHONS = ((3, 11), (3, 14))
_FREE_GB = 2


class Diagnosis(Value):
    """The result of one check, with its fix if it failed."""

    name: str
    ok: bool
    detail: str
    fix: str = ""
    """How to fix it; empty if the check passed."""
    model: Ready | None = None
    """The facts about a tested model."""

    @field_validator("detail", "fix")
    @classmethod
    def _without_secrets(cls, text: str) -> str:
        return message(text)

    @property
    def line(self) -> str:
        """Detail and fix in one line."""
        return f"{self.detail.rstrip('.')}. {self.fix}" if self.fix else self.detail


def examine(settings: Settings, told: Told = lambda done, total: None) -> Iterator[Diagnosis]:
    """Runs all checks; a failing one does not prevent the others.

    Args:
        settings: settings of the command.
        told: receives the number of tested models, and of all models.
    """
    yield from (_unread(each) for each in unread_variables())
    yield from _looked(settings, _python, _disk, _sandbox, _database, _store)
    yield from _models(settings, told)
    yield from _looked(settings, _airflow)
    if deployment := Deployment.here(os.environ):
        yield from _deployed(deployment)


def _looked(settings: Settings, *checks: Callable[[Settings], Diagnosis]) -> Iterator[Diagnosis]:
    for check in checks:
        try:
            yield check(settings)
        except UserError as error:
            yield Diagnosis(name=check.__name__.strip("_"), ok=False, detail=error.cause, fix=error.fix)


def _unread(variable: Unread) -> Diagnosis:
    """A fault where it looks like a typing error: the intended setting has no effect."""
    return Diagnosis(name="settings", ok=not variable.nearest, detail=variable.cause, fix=variable.fix)


def _python(settings: Settings) -> Diagnosis:
    del settings
    found = sys.version.split()[0]
    ok = _PYTHONS[0] <= sys.version_info[:2] < _PYTHONS[1]
    return Diagnosis(name="python", ok=ok, detail=found, fix="" if ok else "Use Python 3.11, 3.12 or 3.13.")


def _disk(settings: Settings) -> Diagnosis:
    home = settings.home.absolute()
    place = next(path for path in (home, *home.parents) if path.exists())
    free = shutil.disk_usage(place).free / 1e9
    ok = free > _FREE_GB
    return Diagnosis(
        name="disk", ok=ok, detail=f"{free:.0f} GB free", fix="" if ok else f"Free disk space below {place}."
    )


def _sandbox(settings: Settings) -> Diagnosis:
    """How harnesses and foreign weights are confined; `gem doctor --security` tries it."""
    return Diagnosis(name="sandbox", ok=True, detail=means.chosen(settings.sandbox).summary)


def _database(settings: Settings) -> Diagnosis:
    fault = health.postgres(settings.database)
    fix = "Start it with `gem up`, or correct GEM_POSTGRES_DSN." if fault else ""
    return Diagnosis(name="database", ok=not fault, detail=fault or "answers", fix=fix)


def _store(settings: Settings) -> Diagnosis:
    store, key = open_store(settings.store_root, settings.s3), "doctor/probe"
    try:
        store.put(key, b"probe")
        store.delete(key)
    except GemError as error:
        return Diagnosis(name="store", ok=False, detail=str(error), fix="Check GEM_STORE_URL and its permissions.")
    return Diagnosis(name="store", ok=True, detail=f"{settings.store_root} is writable")


def _models(settings: Settings, told: Told) -> Iterator[Diagnosis]:
    """Each model's answer to a small question."""
    try:
        store = open_store(settings.store_root, settings.s3)
        for each in check_models(settings, store, told):
            yield Diagnosis(name="model", ok=each.ok, detail=each.line, fix=each.fix, model=each)
    except UserError as error:
        yield Diagnosis(name="model", ok=False, detail=error.cause, fix=error.fix)


def _airflow(settings: Settings) -> Diagnosis:
    if settings.airflow_url is None:
        return Diagnosis(name="airflow", ok=False, detail="not started", fix="Start it with `gem up`.")
    faults = {name: why for name, why in health.airflow(settings.airflow_url).items() if why}
    detail = ", ".join(f"{name}: {why}" for name, why in faults.items()) or f"healthy at {settings.airflow_url}"
    logs = "the logs of the services it names" if Deployment.here(os.environ) else settings.home.absolute() / "logs"
    fix = f"See {logs}." if faults else ""
    return Diagnosis(name="airflow", ok=not faults, detail=detail, fix=fix)


def _deployed(deployment: Deployment) -> Iterator[Diagnosis]:
    """Each service of this deployment, by its heartbeats, starts and loaded DAGs; then the workers."""
    if deployment.database:
        yield from _services(deployment)
    if deployment.broker:
        yield _workers(deployment)


def _services(deployment: Deployment) -> Iterator[Diagnosis]:
    try:
        restarted = deployment.restarted()
        faults = {name: deployment.service_fault(name) for name in JOBS}
    except psycopg.Error as error:
        yield _seen("services", f"Airflow's database does not answer ({type(error).__name__})")
        return
    for name, fault in faults.items():
        starts = f"started {restarted[name]} times within ten minutes" if name in restarted else None
        yield _seen(name, fault or starts)


def _workers(deployment: Deployment) -> Diagnosis:
    try:
        found = deployment.workers_at_work()
    except OSError as error:
        return _seen("worker", f"the broker does not answer ({type(error).__name__})")
    enough = len(found) >= deployment.workers
    return _seen("worker", None if enough else f"{len(found)} of {deployment.workers} answer through the broker")


def _seen(service: str, fault: str | None) -> Diagnosis:
    fix = f"See its log: docker compose logs {service}" if fault else ""
    return Diagnosis(name=service, ok=not fault, detail=fault or "alive", fix=fix)
