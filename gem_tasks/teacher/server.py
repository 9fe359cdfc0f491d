"""The offline teacher over HTTP: `/v1/chat/completions`, `/v1/models`, `/health` of the OpenAI API.

Started with `python -m gem_tasks.teacher.server --port N`. Answers are made in worker processes, so that a burst of
long ones does not keep the server from answering anything else.
"""

import argparse
import asyncio
import json
import os
import time
from concurrent.futures import ProcessPoolExecutor
from math import ceil
from typing import Any

from aiohttp import web

from gem_tasks.teacher.answers import UnknownTask, answer
from gem_tasks.teacher.faults import Faults

MODEL = "offline-rules"
_CHARS_PER_TOKEN = 4
_MAX_BODY_BYTES = 64 << 20
_POOL = web.AppKey("pool", ProcessPoolExecutor)
_KEY = web.AppKey("key", str)


def make_app(workers: int, api_key: str = "") -> web.Application:
    """The application.

    Args:
        workers: processes that make answers.
        api_key: demanded as a bearer token when it is not empty.
    """
    app = web.Application(client_max_size=_MAX_BODY_BYTES, middlewares=[_authenticate])
    app[_KEY] = api_key
    app[_POOL] = ProcessPoolExecutor(max_workers=workers)
    app.router.add_post("/v1/chat/completions", _complete)
    app.router.add_get("/v1/models", _models)
    app.router.add_get("/health", _health)
    app.on_cleanup.append(_close)
    return app


async def _close(app: web.Application) -> None:
    app[_POOL].shutdown(wait=False, cancel_futures=True)


@web.middleware
async def _authenticate(request: web.Request, handler: Any) -> web.StreamResponse:
    key = request.app[_KEY]
    if key and request.headers.get("Authorization") != f"Bearer {key}":
        return _error(401, "Incorrect API key provided", "invalid_api_key")
    return await handler(request)


async def _health(request: web.Request) -> web.Response:
    del request
    return web.json_response({"status": "ok"})


async def _models(request: web.Request) -> web.Response:
    del request
    return web.json_response({"object": "list", "data": [{"id": MODEL, "object": "model", "owned_by": "gem"}]})


async def _complete(request: web.Request) -> web.Response:
    try:
        body = await request.json()
        messages = [(str(message["role"]), str(message["content"])) for message in body["messages"]]
    except (ValueError, TypeError, KeyError):
        return _error(400, "The body must be JSON with a list of messages", "invalid_request_error")
    if body.get("model") != MODEL:
        return _error(404, f"The model {body.get('model')!r} does not exist; there is {MODEL}", "model_not_found")
    faults = Faults.from_query(request.query, messages)
    if refusal := await faults.before():
        return _error(refusal.status, refusal.message, refusal.code, refusal.headers)
    try:
        text = await asyncio.get_running_loop().run_in_executor(request.app[_POOL], answer, messages)
    except UnknownTask as error:
        return _error(400, str(error), "invalid_request_error")
    return web.json_response(_completion(messages, *faults.after(text, _limit(body))))


def _limit(body: dict[str, Any]) -> int:
    """Characters the answer may have."""
    tokens = body.get("max_completion_tokens") or body.get("max_tokens") or 1_000_000
    return int(tokens) * _CHARS_PER_TOKEN


def _completion(messages: list[tuple[str, str]], text: str, finish_reason: str) -> dict[str, Any]:
    prompt = ceil(sum(len(content) for _, content in messages) / _CHARS_PER_TOKEN)
    completion = ceil(len(text) / _CHARS_PER_TOKEN)
    usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    message = {"role": "assistant", "content": text}
    return {
        "id": f"chatcmpl-{time.time_ns():x}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": MODEL,
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason, "logprobs": None}],
        "usage": usage,
    }


def _error(status: int, message: str, code: str, headers: dict[str, str] | None = None) -> web.Response:
    body = json.dumps({"error": {"message": message, "type": "error", "param": None, "code": code}})
    return web.Response(status=status, text=body, content_type="application/json", headers=headers)


def main() -> None:
    """Serves until it is stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--workers", type=int, default=max(1, min(4, (os.cpu_count() or 2) - 1)))
    options = parser.parse_args()
    app = make_app(options.workers, os.environ.get("GEM_TEACHER_API_KEY", ""))
    web.run_app(app, host=options.host, port=options.port, print=None, access_log=None)


if __name__ == "__main__":
    main()
