"""Calls to an HTTP API below one base URL, and nowhere else.

GEM follows no redirect, refuses path values with `..`, and reads answers up to a limit of bytes and seconds. The key
goes where the description wants it, only to this base URL, and appears in no reply.
"""

import asyncio
import base64
import json

import httpx2

from gem_tasks import http_clients
from gem_tasks.connection_faults import reason
from gem_tasks.domain.base import Json
from gem_tasks.errors import UserError
from gem_tasks.live_apis.hosts import parts_of
from gem_tasks.live_apis.operation import Operation, Reply
from gem_tasks.live_apis.requests import Request, request_of
from gem_tasks.redaction import beginning

MAX_ANSWER_BYTES = 1_000_000
_MAX_SILENT = 5
"""Connection faults and timeouts in a row after which GEM makes no more calls."""
_FIX = "Write http://host:port/prefix, without a key in it."


class HttpApi:
    """Calls below one base URL. An async context manager."""

    def __init__(self, base_url: str, key: str | None, timeout_s: float) -> None:
        parts = parts_of(base_url)
        odd = parts.username or any(each in base_url for each in "?# ")
        if parts.scheme not in ("http", "https") or not parts.hostname or odd:
            raise UserError("--base-url is not a plain http URL", _FIX)
        self._base, self._key, self._timeout_s = base_url.rstrip("/"), key, timeout_s
        self._silent = 0
        self._http = http_clients.async_client(
            timeout=timeout_s, follow_redirects=False, trust_env=False, max_redirects=0
        )

    async def __aenter__(self) -> "HttpApi":
        """Returns the client; the first call opens a connection."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def call(self, operation: Operation, arguments: Json) -> Reply:
        """Makes the request; see `Call`."""
        if refused := _refusal(operation):
            return Reply(ok=False, reason="unsupported", detail=refused)
        try:
            request = request_of(operation, arguments)
        except UnicodeEncodeError:
            return Reply(ok=False, reason="unsupported", detail="an argument has half a surrogate pair")
        if request is None:
            return Reply(
                ok=False, reason="unsafe_path", detail="a path argument is empty, contains `..`, or is not a scalar"
            )
        if self._silent >= _MAX_SILENT:
            return Reply(ok=False, reason="gave_up", detail=f"no answer to {_MAX_SILENT} calls in a row")
        reply = await self._sent(operation, request)
        self._silent = self._silent + 1 if reply.reason in ("timeout", "connection") else 0
        return reply.model_copy(update={"detail": self._without_key(reply.detail)})

    async def _sent(self, operation: Operation, request: Request) -> Reply:
        try:
            async with asyncio.timeout(self._timeout_s):  # an answer that drips is never silent
                headers, query = self._credentials(operation)
                sent = self._http.build_request(
                    operation.method,
                    self._base + request.path,
                    params=[*request.query, *query],
                    content=request.content,
                    headers={**request.headers, **headers},
                )
                response = await self._http.send(sent, stream=True)
                try:
                    return await _reply(response)
                finally:
                    await response.aclose()
        except (httpx2.TimeoutException, TimeoutError):
            return Reply(ok=False, reason="timeout", detail=f"{operation.method} {request.path} took too long")
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            return Reply(ok=False, reason="connection", detail=reason(error))

    def _credentials(self, operation: Operation) -> tuple[dict[str, str], list[tuple[str, str]]]:
        """Headers and query parameters with the key."""
        wanted, key = operation.credential, self._key
        if wanted is None or key is None:
            return {}, []
        if wanted.kind == "query":
            return {}, [(wanted.name, key)]
        if wanted.kind == "header":
            return {wanted.name: key}, []
        if wanted.kind == "basic":
            pair = key if ":" in key else f"{key}:"
            return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}, []
        return {"Authorization": f"Bearer {key}"}, []

    def _without_key(self, text: str) -> str:
        return text.replace(self._key, "…") if self._key else text


def _refusal(operation: Operation) -> str:
    """Why a call cannot be sent as the description wants it."""
    if operation.unsupported:
        return operation.unsupported
    unknown = sorted(name for name, value in operation.headers.items() if value is None)
    return f"it needs the header {', '.join(unknown)}, and the description gives no value" if unknown else ""


async def _reply(response: httpx2.Response) -> Reply:
    data = b""
    async for chunk in response.aiter_bytes():
        data += chunk
        if len(data) > MAX_ANSWER_BYTES:
            return Reply(ok=False, reason="answer_too_large", detail=f"more than {MAX_ANSWER_BYTES} bytes")
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        body = None
    said = beginning(data.decode("utf-8", "replace"), 200)
    if response.is_success:
        if "html" in response.headers.get("Content-Type", "").lower():
            return Reply(ok=False, reason="not_an_api", detail=f"the answer is a page: {said}")
        return Reply(ok=True, body=body)
    if response.is_redirect:
        return Reply(ok=False, reason="redirect", detail="redirects are not followed")
    return Reply(ok=False, reason=f"http_{response.status_code}", detail=said, body=body)
