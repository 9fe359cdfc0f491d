"""What each hostile reply costs a process: `python -m tests.replies [WORD ...] [--many 64]`. Takes some minutes.

Four endpoints send the same attack to one process, first one reply, then many at once. A line says how much memory the
process took at most beyond what it had before, and what it got. Fails over 256 MB for a reply or 1 GB for the process.
"""

import argparse
import asyncio
import multiprocessing
import sys
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

from gem_tasks.domain.chat import ChatMessage, ChatRequest
from gem_tasks.errors import EndpointError
from gem_tasks.llm.client import OpenAIClient
from tests.bombs.measure import apart
from tests.replies.attacks import ATTACKS, chat, whole

ONE_MB, ALL_MB, ENDPOINTS, LIMIT_S = 256, 1024, 4, 120
ORDINARY = b"".join(whole(chat("fine")))
CONTEXT = multiprocessing.get_context("fork")


def serve(name, ports):
    async def run():
        pieces = list(ATTACKS[name]()) if name else [ORDINARY]
        servers = [
            await asyncio.start_server(lambda *ends: answer(pieces, *ends), "127.0.0.1", 0) for _ in range(ENDPOINTS)
        ]
        ports.send([server.sockets[0].getsockname()[1] for server in servers])
        await asyncio.Event().wait()

    asyncio.run(run())


async def answer(pieces, reader, writer):
    try:
        asked = await reader.readuntil(b"\r\n\r\n")
        parts = [ORDINARY] if b"/ordinary/" in asked else pieces
        for piece in parts:
            if piece is None:
                await reader.read()
                await reader.read()
            else:
                writer.write(piece)
                await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


REQUEST = ChatRequest(model="m", messages=(ChatMessage(role="user", content="Say something."),))
WAYS = {"completions": lambda client: client.complete(REQUEST), "models": lambda client: client.models()}


async def ask(way, client):
    try:
        return await WAYS[way](client)
    except EndpointError as error:
        return error.detail


def peak_mb():
    lines = Path("/proc/self/status").read_text(encoding="ascii").split("\n")
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def measure(way, ports, many):
    """Peak before, peak afterwards, and what came of the replies."""

    async def run():
        async with AsyncExitStack() as opened:
            urls = [f"http://127.0.0.1:{port}/v1" for port in ports]
            clients = [await opened.enter_async_context(client_to(url)) for url in urls]
            async with client_to(f"http://127.0.0.1:{ports[0]}/ordinary/v1") as ordinary:
                await ask(way, ordinary)
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
            before = peak_mb()
            found = await asyncio.gather(*(ask(way, clients[at % len(clients)]) for at in range(many)))
            got = Counter(each[:70] if isinstance(each, str) else "read" for each in found)
            return before, peak_mb(), got

    return asyncio.run(run())


def client_to(url):
    # Two requests a call, so that failed replies wait for the second while others arrive.
    return OpenAIClient(url, None, concurrency=64, timeout_s=LIMIT_S, max_attempts=2, window=32_768)


def table(words, many):
    failed = 0
    for name in ATTACKS:
        if words and not any(word in name for word in words):
            continue
        here, there = CONTEXT.Pipe(duplex=False)
        server = CONTEXT.Process(target=serve, args=(name, there), daemon=True)
        server.start()
        ports = here.recv()
        for way in WAYS:
            for count, most in ((1, ONE_MB), (many, ALL_MB)):
                before, peak, got = apart(measure, way, ports, count) or (0.0, 1e6, {"died": count})
                bad = (peak - before if count == 1 else peak) > most
                failed += bad
                said = "; ".join(f"{times} x {what}" for what, times in got.items())
                print(
                    f"{'FAIL' if bad else 'ok'} {name}, {way}, {count}: {before:.0f} -> {peak:.0f} MB, {said}",
                    flush=True,
                )
        server.kill()
        server.join()
    print(f"{failed} over the limit")
    return failed


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", metavar="WORD")
    parser.add_argument("--many", type=int, default=64)
    given = parser.parse_args()
    sys.exit(bool(table(given.words, given.many)))
