"""What happens to an answer on the line: sent at once, in drips, never, or the connection is reset."""

import asyncio
import json
import socket
import struct
from typing import Any

from aiohttp import web

from offline_teacher.server.faults import Silence
from offline_teacher.server.protocol import Refused

_DRIPS = 50
_LOOK_S = 0.2
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER on, for no time: closing sends a reset instead of a farewell."""


def error(refused: Refused) -> web.Response:
    """The error's response. 502 comes from a gateway that knows nothing of the protocol."""
    if refused.status == 502:
        page = "<html><head><title>502 Bad Gateway</title></head></html>"
        return web.Response(status=502, text=page, content_type="text/html")
    text = json.dumps(refused.body)
    return web.Response(status=refused.status, text=text, content_type="application/json", headers=refused.headers)


async def cut_off(request: web.Request, how: Silence) -> web.Response:
    """Resets the connection, or waits until the client leaves; either way nobody reads what is returned."""
    if how == "hang":
        while request.transport and not request.transport.is_closing():
            await asyncio.sleep(_LOOK_S)
    elif request.transport:
        request.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        request.transport.abort()
    return web.Response()


async def send(request: web.Request, body: dict[str, Any], drip_s: float) -> web.StreamResponse:
    """The body as JSON, over `drip_s` seconds."""
    if not drip_s:
        return web.json_response(body)
    data = json.dumps(body).encode()
    response = web.StreamResponse(headers={"Content-Type": "application/json; charset=utf-8"})
    response.content_length = len(data)
    await response.prepare(request)
    size = max(1, len(data) // _DRIPS)
    for start in range(0, len(data), size):
        await response.write(data[start : start + size])
        await asyncio.sleep(drip_s / _DRIPS)
    return response
