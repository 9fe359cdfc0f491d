"""A server that sends exactly the bytes it is told to."""

import asyncio

PATH = "/chat/completions"
CLOSE = "close"


def reply(body=b"{}", status="200 OK", **headers):
    """With a length."""
    return raw(body, status, Content_Length=len(body), **headers)


def raw(body, status="200 OK", **headers):
    """Head and body as given."""
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body


class Server:
    """Answers the n-th request with the n-th script, a list of byte strings and `CLOSE`; the last script repeats."""

    def __init__(self, *scripts):
        self.scripts, self.requests, self.connections = scripts, [], 0

    async def handle(self, reader, writer):
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                self.requests.append(head + await reader.readexactly(length))
                for part in self.scripts[min(len(self.requests), len(self.scripts)) - 1]:
                    if part is CLOSE:
                        return
                    writer.write(part)
                    await writer.drain()
                    await asyncio.sleep(0)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
