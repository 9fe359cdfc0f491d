"""The application: chat completions, models, files and batches of the OpenAI API, and `/health`."""

import errno
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from offline_teacher.server import delivery, protocol
from offline_teacher.server.batches import Batches
from offline_teacher.server.faults import HEADER, Faults
from offline_teacher.server.files import Files
from offline_teacher.server.protocol import MODEL, Refused
from offline_teacher.server.workers import Workers

_MAX_BODY_BYTES = 64 << 20
_ODD = (
    ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError, web.RequestPayloadError,
)  # fmt: skip
"""What a body of an odd type, charset or compression raises somewhere inside."""
_WORKERS = web.AppKey("workers", Workers)
_KEY = web.AppKey("key", str)
_STANDING: web.AppKey[dict[str, str]] = web.AppKey("standing")


def make_app(
    workers: Workers, state: Path, api_key: str = "", standing: Mapping[str, str] | None = None
) -> web.Application:
    """The application.

    Args:
        workers: make the answers.
        state: folder of files and batches.
        api_key: demanded as a bearer token on `/v1` when it is not empty.
        standing: faults of requests that ask for no others.
    """
    app = web.Application(client_max_size=_MAX_BODY_BYTES, middlewares=[_refusing, _authenticate])
    app[_KEY] = api_key
    app[_WORKERS] = workers
    app[_STANDING] = dict(standing or {})
    app.router.add_post("/v1/chat/completions", _complete)
    app.router.add_get("/v1/models", _models)
    app.router.add_get("/health", _health)
    files = Files(state / "files")
    app.router.add_post("/v1/files", files.upload)
    app.router.add_get("/v1/files/{id}", files.retrieve)
    app.router.add_get("/v1/files/{id}/content", files.content)
    app.router.add_delete("/v1/files/{id}", files.delete)
    batches = Batches(state / "batches", files, workers, app[_STANDING])
    app.router.add_post("/v1/batches", batches.create)
    app.router.add_get("/v1/batches", batches.list)
    app.router.add_get("/v1/batches/{id}", batches.retrieve)
    app.router.add_post("/v1/batches/{id}/cancel", batches.cancel)
    app.cleanup_ctx.append(batches.working)
    app.on_cleanup.append(workers.close)
    return app


@web.middleware
async def _refusing(request: web.Request, handler: Any) -> web.StreamResponse:
    """Errors have the protocol's form wherever they arise."""
    try:
        return await handler(request)
    except Refused as refused:
        return delivery.error(refused)
    except _ODD as error:
        return delivery.error(protocol.not_a_request(error))
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        return delivery.error(Refused(404, "No object has such a long id", "not_found"))


@web.middleware
async def _authenticate(request: web.Request, handler: Any) -> web.StreamResponse:
    key = request.app[_KEY]
    if key and request.path.startswith("/v1/") and request.headers.get("Authorization") != f"Bearer {key}":
        raise Refused(401, "Incorrect API key provided", "invalid_api_key")
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
    except (ValueError, RecursionError) as error:
        raise protocol.not_a_request(error) from error
    messages, limit = protocol.question(body)
    fate = Faults.asked(request.query, request.headers.get(HEADER, ""), messages, request.app[_STANDING])
    if how := await fate.before():
        return await delivery.cut_off(request, how)
    said = fate.after(await request.app[_WORKERS].answer(messages), limit)
    return await delivery.send(request, protocol.completion(messages, said), fate.drip_s())
