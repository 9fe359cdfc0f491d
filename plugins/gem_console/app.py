"""The FastAPI app: it includes every router with its permissions, and serves nothing outside a router.

Dependencies do not cover FastAPI's own documentation routes, so they are off; `routes/docs.py` replaces them.
"""

import json
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from psycopg import DataError
from psycopg.errors import QueryCanceled
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException

from gem_console import auth, rendering
from gem_console.reading import Reader
from gem_console.routes import actions, api, changes, docs, pages, static
from gem_tasks.errors import StoreError, UserError
from gem_tasks.redaction import clean
from gem_tasks.redaction.outlets import guard_logs
from gem_tasks.visible import visible

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self';"
    " frame-ancestors 'self'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "SAMEORIGIN",
    "Cross-Origin-Resource-Policy": "same-origin",
}


_FAULTS = 10


def create_app() -> FastAPI:
    """Builds the app with all its routes and error handlers, and redacts the logs of this process from then on."""
    guard_logs()
    app = FastAPI(
        title="GEM",
        summary="Read GEM's data and act on it",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,  # they would be absolute
    )
    app.state.reader = Reader()
    for router in (pages.router, static.router, docs.router):
        app.include_router(router, dependencies=[auth.reads], include_in_schema=False)
    app.include_router(api.router, prefix="/api", dependencies=[auth.reads])
    app.include_router(actions.router, prefix="/api", dependencies=[auth.acts, auth.comes_from_here])
    app.include_router(changes.router, dependencies=[auth.acts, auth.comes_from_here], include_in_schema=False)
    app.add_middleware(SafeHeaders)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(UserError, _user_error)
    app.add_exception_handler(StoreError, _gone)
    app.add_exception_handler(QueryCanceled, _slow)
    app.add_exception_handler(DataError, _unfit)
    app.add_exception_handler(RequestValidationError, _invalid)
    return app


class SafeHeaders:
    """Adds the security headers to every response."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Forwards the request and adds the headers to its response."""

        async def safe(message: Any) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, safe)


def _refused(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return _answer(request, error.status_code, str(error.detail))


def _user_error(request: Request, error: Exception) -> Response:
    return _answer(request, 400, str(error))


def _gone(request: Request, error: Exception) -> Response:
    return _answer(request, 410, f"An object of this page cannot be read: {error}")


def _slow(request: Request, error: Exception) -> Response:
    del error
    return _answer(request, 503, "The query takes too long. Narrow it with filters.")


def _unfit(request: Request, error: Exception) -> Response:
    del error
    return _answer(request, 422, "A value is too large")


def _invalid(request: Request, error: Exception) -> Response:
    """Names the parameter and the fault, but not the value, which may contain anything."""
    if not isinstance(error, RequestValidationError):
        raise error
    faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()[:_FAULTS]]
    return _answer(request, 422, "; ".join(faults))


def _answer(request: Request, status: int, detail: str) -> Response:
    """Returns a page to browsers and JSON to programs."""
    detail = visible(clean(detail))
    path = request.url.path.removeprefix(request.scope.get("root_path", ""))
    if "text/html" in request.headers.get("accept", "") and not path.startswith("/api/"):
        return rendering.page(request, "error.html", {"status": status, "detail": detail}, status)
    return Response(json.dumps({"detail": detail}), status, media_type="application/json")
