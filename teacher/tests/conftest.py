"""What holds for every test: no connection but event loops' own, and the same made-up examples every time."""

from concurrent.futures import ThreadPoolExecutor

import aiohttp
import hypothesis
import pytest
from aiohttp import web
from pytest_socket import disable_socket, enable_socket

from offline_teacher.answers import answer
from offline_teacher.server.app import make_app
from offline_teacher.server.workers import Workers

hypothesis.settings.register_profile("gem", deadline=None, print_blob=True, derandomize=True)
hypothesis.settings.load_profile("gem")


@pytest.fixture(autouse=True)
def no_network():
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()


@pytest.fixture
async def serve(tmp_path):
    """Starts the application on a unix socket; gives a client."""
    cleanups = []

    async def start(api_key="", pool=lambda: ThreadPoolExecutor(2), answer=answer):
        runner = web.AppRunner(make_app(Workers(pool, answer), tmp_path / "state", api_key), shutdown_timeout=0.1)
        await runner.setup()
        path = str(tmp_path / f"{len(cleanups)}.sock")
        await web.UnixSite(runner, path).start()
        client = aiohttp.ClientSession(connector=aiohttp.UnixConnector(path=path))
        cleanups.extend((client.close, runner.cleanup))
        return client

    yield start
    for cleanup in cleanups:
        await cleanup()
