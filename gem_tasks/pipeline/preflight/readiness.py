"""Checks that the models of all stages answer one short real question each, before a run spends anything on texts.

There is one question per (endpoint, model, key, options) and shape of request, so usually two: with and without a
schema. They use the same client and the same memory of dialects as the stages' requests. A list of models is only a
hint.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple

from gem_tasks.domain.base import Value
from gem_tasks.domain.chat import ChatRequest
from gem_tasks.domain.key_source import KeySource
from gem_tasks.domain.request_options import ApiName
from gem_tasks.domain.stage import STAGE_NAMES, SYNTHESIZER_LINE, WORLD_LINE, StageName
from gem_tasks.errors import EndpointError, ErrorClass, UserError
from gem_tasks.llm.client import OpenAIClient
from gem_tasks.llm.dialects.dialect import shape_of
from gem_tasks.llm.dialects.memory import Memory, public_url
from gem_tasks.llm.question import ATTEMPTS, LIMIT_S, Reply, ask, listed, question
from gem_tasks.llm.usage.prices import pricing
from gem_tasks.patterns import IgnoringCase
from gem_tasks.pipeline.shard.endpoint import fix_of
from gem_tasks.ports import ObjectStore
from gem_tasks.proxies import proxy_for, shown
from gem_tasks.settings import Settings
from gem_tasks.stages import stage as stage_named

Told = Callable[[int, int], None]
"""Called with the number of settled questions, and with the total."""
_LIST_S = 15.0
_PATIENCE_S = 20.0
"""Seconds to retry an endpoint that rejects the question with 429: it is up, and a run would wait for it."""
_NAMES = 20
_LOADING = IgnoringCase(r"loading|being loaded|warming up")
_LOADING_S = 2.0
_UNLISTED = "the endpoint's list of models does not name it, but it answered"


class Ready(Value):
    """Result of one question, for all stages that send requests like it."""

    stages: tuple[StageName, ...]
    endpoint: str
    """Without the parts of the URL that may contain a secret."""
    model: str
    form: Literal["text", "JSON"]
    """The format of answers that the stages request."""
    ok: bool
    reply: Reply = Reply()
    dialect: str = ""
    window: int | None = None
    """Tokens of prompt and answer together; None: unknown."""
    priced: bool = False
    """Whether the model's price is known."""
    hint: str = ""
    """A suspicion that the endpoint's list of models raises."""
    error_class: ErrorClass | None = None
    keyless: bool = False
    """Whether the request was sent without a key."""
    cause: str = ""
    """The endpoint's message, if the model is not ready."""
    fix: str = ""
    """What to do, if the model is not ready."""

    @property
    def line(self) -> str:
        """One line for people; without the fix if the model is not ready."""
        who = f"{', '.join(self.stages)}: {self.model} at {self.endpoint}"
        if not self.ok:
            return self.cause
        reply = self.reply
        said = f'said "{reply.said}"' if reply.said else reply.note
        window = f"window {self.window:,} tokens" if self.window else "window unknown"
        price = "price known" if self.priced else "no price known (GEM_LLM_PRICES)"
        tokens = reply.usage.prompt_tokens, reply.usage.completion_tokens
        cost = f"{reply.seconds:.1f} s, {tokens[0]} + {tokens[1]} tokens{_COUNTED[reply.usage_fault]}"
        cached = f" ({reply.usage.cached_tokens} cached)" if reply.usage.cached_tokens else ""
        hint = f"; {self.hint}" if self.hint else ""
        return f"{who} {said} ({self.form}, {cost}{cached}); dialect {self.dialect}; {window}; {price}{hint}"


_COUNTED = {
    "": "",
    "missing": " as counted by GEM: the endpoint reports none",
    "impossible": " as counted by GEM: the endpoint's figures cannot be true, so GEM cannot enforce a budget",
}


class _Place(NamedTuple):
    """Stages with the same value ask the same model in the same way."""

    endpoint: str
    model: str
    key: KeySource
    headers: tuple[tuple[str, str], ...]
    stream: bool | None
    api: ApiName | None
    window: int | None


class _Question(NamedTuple):
    request: ChatRequest
    stages: list[StageName]


_Questions = dict[_Place, dict[str, _Question]]
"""Questions by place and shape of request."""


def check_models(settings: Settings, store: ObjectStore | None, told: Told = lambda done, total: None) -> list[Ready]:
    """Asks all places concurrently, and the questions of one model in turn until one fails.

    Args:
        settings: settings of the stages.
        store: where dialects are remembered.
        told: called with the progress.

    Raises:
        UserError: no endpoint is configured, or its proxy or key cannot be used.
    """
    return asyncio.run(_all(settings, store, _questions(settings), told))


def require_models(settings: Settings, store: ObjectStore | None, told: Told = lambda done, total: None) -> list[Ready]:
    """Like `check_models`, but all models have to be ready.

    Raises:
        UserError: one is not ready; the cause quotes the endpoint.
    """
    found = check_models(settings, store, told)
    raise_for(found)
    return found


def raise_for(found: Sequence[Ready]) -> None:
    """Raises UserError for models that are not ready."""
    if failed := [each for each in found if not each.ok]:
        more = f" (and {len(failed) - 1} more, see `gem doctor`)" if len(failed) > 1 else ""
        raise UserError(f"{failed[0].cause}{more}", failed[0].fix)


def _questions(settings: Settings) -> _Questions:
    found: _Questions = {}
    for name in _asked(settings):
        options, asked = settings.options_for(name), stage_named(name)
        place = _Place(
            settings.endpoint_for(name), settings.model_for(name), settings.key_for(name),
            tuple(sorted(options.headers.items())), options.stream, options.api, options.context_window,
        )  # fmt: skip
        schema = asked.answer_schema is not None or options.form == "json"
        request = question(place.model, options.applied_to(asked.sampling), schema=schema)
        shapes = found.setdefault(place, {})
        shapes.setdefault(shape_of(request), _Question(request, [])).stages.append(name)
    return found


def _asked(settings: Settings) -> tuple[StageName, ...]:
    """The stages of the lines that are on."""
    worlds = WORLD_LINE if settings.worlds == "on" else ()
    synthesizer = SYNTHESIZER_LINE if settings.synthesizer == "model" else ()
    return tuple(dict.fromkeys((*STAGE_NAMES, *worlds, *synthesizer)))


async def _all(settings: Settings, store: ObjectStore | None, questions: _Questions, told: Told) -> list[Ready]:
    total, found = sum(map(len, questions.values())), list[Ready]()
    told(0, total)

    async def one(place: _Place, asked: list[_Question]) -> list[Ready]:
        mine = await _ask(settings, store, place, asked)
        found.extend(mine)
        told(len(found), total)
        return mine

    nested = await asyncio.gather(*(one(place, list(shapes.values())) for place, shapes in questions.items()))
    told(total, total)
    return [each for some in nested for each in some]


async def _ask(settings: Settings, store: ObjectStore | None, place: _Place, asked: list[_Question]) -> list[Ready]:
    client = OpenAIClient(
        place.endpoint, place.key, concurrency=len(asked), timeout_s=LIMIT_S, max_attempts=ATTEMPTS,
        memory=Memory(store, place.endpoint), presets=settings.llm_dialects, headers=dict(place.headers),
        stream=place.stream, api=place.api, window=place.window, patience_s=_PATIENCE_S,
    )  # fmt: skip
    found: list[Ready] = []
    async with client:
        for number, each in enumerate(asked):
            try:
                async with asyncio.timeout(LIMIT_S):
                    reply = await _loaded(client, each.request)
            except (EndpointError, TimeoutError) as error:
                stages: list[StageName] = [name for waiting in asked[number:] for name in waiting.stages]
                names = await _listed(client)
                return [*found, _failed(settings, place, each.request, stages, error, names)]
            window = await client.window(place.model)
            found.append(_ready(settings, client, place, each, reply, window.tokens if window else None))
        if (names := await _listed(client)) and place.model not in names:
            return [each.model_copy(update={"hint": _UNLISTED}) for each in found]
    return found


async def _loaded(client: OpenAIClient, request: ChatRequest) -> Reply:
    """Returns the answer once the model is loaded: a local server takes about a minute, and reports it."""
    while True:
        try:
            return await ask(client, request)
        except EndpointError as error:
            if error.error_class is not ErrorClass.SERVER_ERROR or not _LOADING.search(error.detail):
                raise
            await asyncio.sleep(_LOADING_S)


async def _listed(client: OpenAIClient) -> list[str]:
    try:
        async with asyncio.timeout(_LIST_S):
            return await listed(client)
    except TimeoutError:
        return []


def _ready(
    settings: Settings, client: OpenAIClient, place: _Place, asked: _Question, reply: Reply, window: int | None
) -> Ready:  # fmt: skip
    return Ready(
        stages=tuple(asked.stages),
        endpoint=public_url(place.endpoint),
        model=place.model,
        form=_form(asked.request),
        ok=True,
        reply=reply,
        dialect=client.dialect_of(place.model).summary,
        window=window,
        priced=pricing(place.model, place.endpoint, settings.llm_prices) is not None,
        keyless=place.key is None,
    )


def _failed(
    settings: Settings, place: _Place, request: ChatRequest, stages: Sequence[StageName],
    error: EndpointError | TimeoutError, names: list[str],
) -> Ready:  # fmt: skip
    fault = error if isinstance(error, EndpointError) else _late()
    fix, hint = " ".join(_fixes(fault, place, names)), ""
    if names and place.model not in names:
        hint = f"; the endpoint does not list it, but {', '.join(names[:_NAMES])}"
    way = f" through the proxy {shown(proxy)}" if (proxy := proxy_for(place.endpoint)) else ""
    where = public_url(place.endpoint)
    return Ready(
        stages=tuple(stages),
        endpoint=where,
        model=place.model,
        form=_form(request),
        ok=False,
        priced=pricing(place.model, place.endpoint, settings.llm_prices) is not None,
        hint=hint.removeprefix("; "),
        error_class=fault.error_class,
        keyless=place.key is None,
        cause=f"The LLM endpoint {where}{way} cannot be used with model {place.model!r} for {', '.join(stages)}"
        f" ({fault}){hint}",
        fix=fix,
    )


def _fixes(error: EndpointError, place: _Place, names: list[str]) -> Iterator[str]:
    if error.error_class is ErrorClass.UNKNOWN_MODEL and names and place.model not in names:
        yield "Set GEM_LLM_MODEL (or that of the stage) to a model that the endpoint has."
    elif error.error_class is ErrorClass.AUTH and place.key is None:
        yield "The request had no key: set GEM_LLM_API_KEY (or that of the stage)."
    else:
        yield fix_of(error)
    if proxy_for(place.endpoint):
        yield "If the proxy refuses the request, name the host in NO_PROXY."


def _late() -> EndpointError:
    return EndpointError(ErrorClass.TIMEOUT, f"no answer to a short question within {LIMIT_S:.0f} s")


def _form(request: ChatRequest) -> Literal["text", "JSON"]:
    return "JSON" if request.answer_schema else "text"
