"""The offline teacher over HTTP: `/v1/chat/completions`, `/v1/models`, `/health` of the OpenAI API.

Started with `python -m gem_tasks.teacher.server --port N`. Answers are made in worker processes, so that a burst of
long ones does not keep the server from answering anything else. `GEM_TEACHER_API_KEY` makes it demand a key.
"""

import argparse
import asyncio
import json
import os
import time
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor
from math import ceil
from multiprocessing import get_context
from typing import Any, cast

from aiohttp import web

from gem_tasks.teacher.answers import UnknownTask, answer
from gem_tasks.teacher.faults import HEADER, Faults, Refusal
from gem_tasks.teacher.spoil import Answer

MODEL = "offline-rules"
_CHARS_PER_TOKEN = 4
_MAX_BODY_BYTES = 64 << 20
_MAX_WORKERS = 4
_UNLIMITED = 1_000_000
_DROPS = 20
Messages = list[tuple[str, str]]


class Workers:
    """Runs answers elsewhere; when a worker dies (killed for memory), the next call starts new ones."""

    def __init__(self, start: Callable[[], Executor]) -> None:
        self._start = start
        self._pool: Executor | None = None

    async def answer(self, messages: Messages) -> str:
        """The completion.

        Raises:
            UnknownTask: the rules have no answer to this.
            BrokenExecutor: a worker died of it.
        """
        pool = self._pool = self._pool or self._start()
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, answer, messages)
        except BrokenExecutor:
            if self._pool is pool:
                self._pool = None
            raise

    async def close(self, app: web.Application) -> None:
        """Waits for nothing."""
        del app
        if self._pool:
            self._pool.shutdown(wait=False, cancel_futures=True)


_WORKERS = web.AppKey("workers", Workers)
_KEY = web.AppKey("key", str)
_FAULTS = web.AppKey("faults", str)


def make_app(workers: Workers, api_key: str = "", faults: str = "") -> web.Application:
    """The application.

    Args:
        workers: make the answers.
        api_key: demanded as a bearer token on `/v1` when it is not empty.
        faults: options of `Faults` that hold unless a request asks for others, as in a query.
    """
    app = web.Application(client_max_size=_MAX_BODY_BYTES, middlewares=[_authenticate])
    app[_KEY] = api_key
    app[_WORKERS] = workers
    app[_FAULTS] = faults
    app.router.add_post("/v1/chat/completions", _complete)
    app.router.add_get("/v1/models", _models)
    app.router.add_get("/health", _health)
    app.on_cleanup.append(workers.close)
    return app


@web.middleware
async def _authenticate(request: web.Request, handler: Any) -> web.StreamResponse:
    key = request.app[_KEY]
    if key and request.path.startswith("/v1/") and request.headers.get("Authorization") != f"Bearer {key}":
        return _error(401, "Incorrect API key provided", "invalid_api_key")
    return await handler(request)


async def _health(request: web.Request) -> web.Response:
    del request
    return web.json_response({"status": "ok"})


async def _models(request: web.Request) -> web.Response:
    del request
    entry = {"id": MODEL, "object": "model", "created": 0, "owned_by": "gem"}
    return web.json_response({"object": "list", "data": [entry]})


async def _complete(request: web.Request) -> web.StreamResponse:
    try:
        body = await request.json()
        model, messages, limit = body.get("model"), _messages(body["messages"]), _limit(body)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        return _error(400, f"The body must be a chat completion request: {error!r:.200}", "invalid_request")
    if model != MODEL:
        return _error(404, f"The model {model!r:.100} does not exist; there is {MODEL!r}", "model_not_found")
    if body.get("stream"):
        return _error(400, f"{MODEL} does not stream", "unsupported_parameter")
    faults = Faults.asked(request.query, request.headers.get(HEADER, ""), messages, request.app[_FAULTS])
    match await faults.before():
        case Refusal() as refusal:
            return _error(refusal.status, refusal.message, refusal.code, refusal.headers)
        case "hang":
            await _until_gone(request)
        case "reset":
            _reset(request)
        case None:
            pass
    try:
        text = await request.app[_WORKERS].answer(messages)
    except UnknownTask as error:
        return _error(400, str(error), "invalid_request")
    except BrokenExecutor:
        return _error(503, "A worker died while answering", "server_error")
    body = _completion(messages, faults.after(text, limit))
    drip_s = faults.drip_s()
    return await _drip(request, body, drip_s) if drip_s else web.json_response(body)


async def _until_gone(request: web.Request) -> None:
    """Says nothing for as long as somebody waits."""
    while request.transport and not request.transport.is_closing():
        await asyncio.sleep(0.2)


def _reset(request: web.Request) -> None:
    """Breaks the connection off."""
    if request.transport:
        request.transport.abort()


async def _drip(request: web.Request, body: dict[str, Any], seconds: float) -> web.StreamResponse:
    """The answer in twenty pieces."""
    data = json.dumps(body).encode()
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    size = len(data) // _DROPS + 1
    for start in range(0, len(data), size):
        await asyncio.sleep(seconds / _DROPS)
        await response.write(data[start : start + size])
    return response


def _messages(given: Any) -> Messages:
    """`(role, text)` of each message; content is a string or a list of text parts.

    Raises:
        ValueError, TypeError, KeyError: it is something else.
    """
    if not isinstance(given, list) or not given:
        raise ValueError("messages must be a list with at least one message")
    return [(str(message["role"]), _text(message.get("content"))) for message in cast("list[Any]", given)]


def _text(content: Any) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    return "\n".join(str(part["text"]) for part in content if part["type"] == "text")


def _limit(body: dict[str, Any]) -> int:
    """Characters the answer may have.

    Raises:
        ValueError: the limit is not a positive whole number.
    """
    tokens = body.get("max_completion_tokens") or body.get("max_tokens") or _UNLIMITED
    if not isinstance(tokens, int) or tokens < 1:
        raise ValueError("max_tokens must be a positive whole number")
    return tokens * _CHARS_PER_TOKEN


def _completion(messages: Messages, answer: Answer) -> dict[str, Any]:
    text = answer.text or answer.refusal or ""
    prompt = ceil(sum(len(content) for _, content in messages) / _CHARS_PER_TOKEN)
    completion = ceil(len(text) / _CHARS_PER_TOKEN)
    usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    message = {"role": "assistant", "content": answer.text, "refusal": answer.refusal}
    return {
        "id": f"chatcmpl-{time.time_ns():x}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": MODEL,
        "choices": [{"index": 0, "message": message, "finish_reason": answer.finish_reason, "logprobs": None}],
        "usage": usage,
    }


def _error(status: int, message: str, code: str, headers: dict[str, str] | None = None) -> web.Response:
    kind = "server_error" if status >= 500 else "rate_limit_error" if status == 429 else "invalid_request_error"
    body = json.dumps({"error": {"message": message, "type": kind, "param": None, "code": code}})
    return web.Response(status=status, text=body, content_type="application/json", headers=headers)


def main() -> None:
    """Serves until it is stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--workers", type=int, default=max(1, min(_MAX_WORKERS, (os.cpu_count() or 2) - 1)))
    parser.add_argument("--faults", default="", help='for every request, such as "rate_429=0.05&latency_s=0.2"')
    options = parser.parse_args()
    # Not forked: the server has threads by the time the first answer is asked for.
    workers = Workers(lambda: ProcessPoolExecutor(options.workers, mp_context=get_context("forkserver")))
    app = make_app(workers, os.environ.get("GEM_TEACHER_API_KEY", ""), options.faults)
    web.run_app(app, host=options.host, port=options.port, print=None, access_log=None, shutdown_timeout=2)


if __name__ == "__main__":
    main()
