"""`gem doctor`: is everything there that a run needs, and what to do if not."""

import asyncio
import os
import shutil
import sys
from collections.abc import Iterator

import psycopg

from gem_tasks.confine import means
from gem_tasks.domain.base import Value
from gem_tasks.domain.chat import ChatMessage, ChatRequest, Sampling
from gem_tasks.errors import CONFIGURATION, EndpointError, ErrorClass, GemError, StoreError, UserError
from gem_tasks.llm.client import OpenAIClient
from gem_tasks.llm.memory import remembered
from gem_tasks.local import health
from gem_tasks.local.deployment import JOBS, Deployment
from gem_tasks.proxies import proxy_for, shown
from gem_tasks.settings import STAGE_NAMES, Settings, StageName
from gem_tasks.store import open_store

_PYTHONS = ((3, 11), (3, 14))
_FREE_GB = 2
_PATIENCE_S = 20.0


class Diagnosis(Value):
    """One thing that was looked at."""

    name: str
    ok: bool
    detail: str
    mend: str = ""
    """What to do; empty when nothing is wrong."""

    @property
    def line(self) -> str:
        """Both, for people."""
        return f"{self.detail.rstrip('.')}. {self.mend}" if self.mend else self.detail


def examine(settings: Settings) -> Iterator[Diagnosis]:
    """Looks at everything; what is wrong with one thing keeps none of the others from being looked at."""
    for check in (_python, _disk, _sandbox, _database, _store, _endpoint, _dialects, _airflow):
        try:
            yield check(settings)
        except UserError as error:
            yield Diagnosis(name=check.__name__.strip("_"), ok=False, detail=error.cause, mend=error.mend)
    if deployment := Deployment.here(os.environ):
        yield from _deployed(deployment)


def _python(settings: Settings) -> Diagnosis:
    del settings
    found = sys.version.split()[0]
    ok = _PYTHONS[0] <= sys.version_info[:2] < _PYTHONS[1]
    return Diagnosis(name="python", ok=ok, detail=found, mend="" if ok else "Use Python 3.11, 3.12 or 3.13.")


def _disk(settings: Settings) -> Diagnosis:
    home = settings.home.absolute()
    place = next(path for path in (home, *home.parents) if path.exists())
    free = shutil.disk_usage(place).free / 1e9
    ok = free > _FREE_GB
    return Diagnosis(name="disk", ok=ok, detail=f"{free:.0f} GB free", mend="" if ok else f"Free some below {place}.")


def _sandbox(settings: Settings) -> Diagnosis:
    """How harnesses and foreign weights are confined; `gem doctor --security` tries it."""
    return Diagnosis(name="sandbox", ok=True, detail=means.chosen(settings.sandbox).summary)


def _database(settings: Settings) -> Diagnosis:
    fault = health.postgres(settings.database)
    mend = "Start it with `gem up`, or correct GEM_POSTGRES_DSN." if fault else ""
    return Diagnosis(name="database", ok=not fault, detail=fault or "answers", mend=mend)


def _store(settings: Settings) -> Diagnosis:
    store, key = open_store(settings.store_root), "doctor/probe"
    try:
        store.put(key, b"probe")
        store.delete(key)
    except GemError as error:
        return Diagnosis(name="store", ok=False, detail=str(error), mend="Check GEM_STORE_URL and its permissions.")
    return Diagnosis(name="store", ok=True, detail=f"{settings.store_root} can be written")


def _endpoint(settings: Settings) -> Diagnosis:
    offered = asyncio.run(offered_models(settings))
    shown = (
        f"{endpoint} offers {', '.join(models[:5]) or 'no list of models'}" for endpoint, models in offered.items()
    )
    return Diagnosis(name="endpoint", ok=True, detail="; ".join(shown))


def _dialects(settings: Settings) -> Diagnosis:
    """What was learned of the models that the stages use."""
    places = {(settings.endpoint_for(stage).partition("?")[0], settings.model_for(stage)) for stage in STAGE_NAMES}
    try:
        known = [each for each in remembered(open_store(settings.store_root)) if (each.endpoint, each.model) in places]
    except StoreError as error:
        return Diagnosis(name="dialects", ok=False, detail=str(error), mend="Check GEM_STORE_URL and its permissions.")
    detail = "; ".join(f"{each.model}: {each.dialect.summary}" for each in known) or "nothing learned yet"
    return Diagnosis(name="dialects", ok=True, detail=detail)


def _airflow(settings: Settings) -> Diagnosis:
    if settings.airflow_url is None:
        return Diagnosis(name="airflow", ok=False, detail="not started", mend="Start it with `gem up`.")
    faults = {name: why for name, why in health.airflow(settings.airflow_url).items() if why}
    detail = ", ".join(f"{name}: {why}" for name, why in faults.items()) or f"healthy at {settings.airflow_url}"
    logs = "the logs of the services it names" if Deployment.here(os.environ) else settings.home.absolute() / "logs"
    mend = f"See {logs}." if faults else ""
    return Diagnosis(name="airflow", ok=not faults, detail=detail, mend=mend)


def _deployed(deployment: Deployment) -> Iterator[Diagnosis]:
    """Each service beside this one, by its heartbeats, its starts and what it has read; then the workers."""
    try:
        restarted = deployment.restarted()
        faults = {name: deployment.service_fault(name) for name in JOBS}
    except psycopg.Error as error:
        yield _seen("services", f"Airflow's database does not answer ({type(error).__name__})")
        return
    for name, fault in faults.items():
        starts = f"started {restarted[name]} times within ten minutes" if name in restarted else None
        yield _seen(name, fault or starts)
    if deployment.broker:
        yield _workers(deployment)


def _workers(deployment: Deployment) -> Diagnosis:
    try:
        found = deployment.workers_at_work()
    except OSError as error:
        return _seen("worker", f"the broker does not answer ({type(error).__name__})")
    enough = len(found) >= deployment.workers
    return _seen("worker", None if enough else f"{len(found)} of {deployment.workers} answer through the broker")


def _seen(service: str, fault: str | None) -> Diagnosis:
    mend = f"See its log: docker compose logs {service}" if fault else ""
    return Diagnosis(name=service, ok=not fault, detail=fault or "alive", mend=mend)


_MENDS: dict[str, str] = {
    "auth": "Set GEM_LLM_API_KEY to a valid key.",
    "forbidden": "Give the key the right to use the endpoint, or set another GEM_LLM_API_KEY.",
    "no_credit": "Add credit to the account behind GEM_LLM_API_KEY.",
    "connection": "Is it running? `gem up` starts the offline teacher; GEM_LLM_BASE_URL names another.",
    "timeout": "It did not answer in time; is GEM_LLM_BASE_URL right?",
    "unknown_model": "GEM_LLM_BASE_URL must end where /chat/completions follows, usually in /v1.",
}


_ASK_FIRST = frozenset({ErrorClass.CONNECTION, ErrorClass.TIMEOUT, ErrorClass.NO_CREDIT})
"""What a list that cannot be read means for certain; anything else is found out with a real request."""
_PING = (ChatMessage(role="user", content="Answer with the word ok."),)
_PING_TOKENS = 64


async def offered_models(settings: Settings) -> dict[str, list[str]]:
    """Models by endpoint, none where there is no list.

    A list is a hint: Anthropic's cannot be read with a bearer key, Gemini's names begin with `models/`, Azure's has no
    deployments. A stage whose model is not in it is asked one small question.

    Raises:
        UserError: one does not answer, refuses the key, or lacks a model; says what to set.
    """
    offered: dict[str, list[str]] = {}
    asked: set[tuple[str, str]] = set()
    for stage in STAGE_NAMES:
        endpoint, model = settings.endpoint_for(stage), settings.model_for(stage)
        if endpoint not in offered:
            offered[endpoint] = await _models(settings, stage)
        if model not in offered[endpoint] and (endpoint, model) not in asked:
            asked.add((endpoint, model))
            await _ping(settings, stage, offered[endpoint])
    return offered


def _client(settings: Settings, stage: StageName) -> OpenAIClient:
    options = settings.options_for(stage)
    return OpenAIClient(
        settings.endpoint_for(stage), settings.key_for(stage), concurrency=1, timeout_s=_PATIENCE_S, max_attempts=1,
        presets=settings.llm_dialects, headers=options.headers, stream=options.stream, api=options.api,
    )  # fmt: skip


async def _models(settings: Settings, stage: StageName) -> list[str]:
    """What the endpoint lists, without the prefix that some put before names; nothing if it has no list.

    Raises:
        UserError: it does not answer.
    """
    try:
        async with _client(settings, stage) as client:
            listed = await client.models()
    except EndpointError as error:
        if error.error_class in _ASK_FIRST:
            raise _unusable(settings, stage, error) from error
        return []
    return list(dict.fromkeys(name.removeprefix("models/") for name in listed))


async def _ping(settings: Settings, stage: StageName, known: list[str]) -> None:
    """One small question to a model that is not listed.

    Raises:
        UserError: the endpoint has no such model, or does not take the key.
    """
    model, endpoint = settings.model_for(stage), settings.endpoint_for(stage)
    request = ChatRequest(model=model, messages=_PING, sampling=Sampling(max_tokens=_PING_TOKENS))
    try:
        async with _client(settings, stage) as client:
            await client.complete(request)
    except EndpointError as error:
        if error.error_class is ErrorClass.UNKNOWN_MODEL and known:
            raise UserError(
                f"The LLM endpoint {endpoint} has no model {model!r} (for stage {stage})",
                f"Set GEM_LLM_MODEL or GEM_LLM_MODEL_{stage.upper()} to one of: {', '.join(known[:20])}.",
            ) from error
        if error.error_class in CONFIGURATION | _ASK_FIRST | {ErrorClass.FORBIDDEN}:
            raise _unusable(settings, stage, error) from error


def _unusable(settings: Settings, stage: StageName, error: EndpointError) -> UserError:
    endpoint = settings.endpoint_for(stage)
    mend, way = _MENDS.get(error.error_class, "Look at the endpoint's own log."), ""
    if proxy := proxy_for(endpoint):
        way = f" through the proxy {shown(proxy)}"
        mend += " Or does the proxy refuse? Then name the host in NO_PROXY."
    return UserError(f"The LLM endpoint {endpoint}{way} cannot be used ({error})", mend)
