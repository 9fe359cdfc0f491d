"""Replies that no client expects, one after the other."""

import json

from aiohttp import web

from tests.doubles.serving import error, message_of


def _changed(change):
    return lambda provider, body: provider.served(body, change)


def _truncated(provider, body):
    return provider.served(
        body, wrap=lambda answer: web.Response(text=json.dumps(answer)[:-40], content_type="application/json")
    )


async def _cut(provider, body):
    """The connection ends amid the body."""
    response = web.StreamResponse(headers={"Content-Length": "5000", "Content-Type": "application/json"})
    await response.prepare(provider.request)
    await response.write(b'{"choices": [')
    provider.request.transport.abort()
    return web.Response()


def _no_usage(answer):
    del answer["usage"]


PAGE = "<html><head><title>502 Bad Gateway</title></head><body><center>nginx</center></body></html>"
FAULTS = {
    "html-502": lambda provider, body: web.Response(status=502, text=PAGE, content_type="text/html"),
    "empty-200": lambda provider, body: web.Response(text=""),
    "truncated-json": _truncated,
    "no-choices": _changed(lambda answer: answer.update(choices=[])),
    "null-content": _changed(lambda answer: message_of(answer).update(content=None)),
    "moved": lambda provider, body: web.Response(status=301, headers={"Location": "https://example.invalid/v1"}),
    "cut": _cut,
}
"""Replies without an answer."""
ODD = {
    "no-usage": _changed(_no_usage),
    "odd-reason": _changed(lambda answer: answer["choices"][0].update(finish_reason="because")),
    "null-reason": _changed(lambda answer: answer["choices"][0].update(finish_reason=None)),
}
"""Answers, with something missing or unknown."""


def hostile(provider, body):
    """Every second reply is one of them."""
    all_of_them = [*FAULTS.values(), *ODD.values()]
    if provider.calls % 2:
        return provider.served(body)
    return all_of_them[provider.calls // 2 % len(all_of_them)](provider, body)


def revoked(provider, body, good=100):
    """A key that ends after so many calls."""
    if provider.calls > good:
        return error(401, "Incorrect API key provided", code="invalid_api_key")
    return provider.served(body)
