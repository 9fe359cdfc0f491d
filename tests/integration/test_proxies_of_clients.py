"""Every client of the project against servers on this machine while the environment names proxies, and through one."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from gem_tasks import http_clients
from gem_tasks.corpus.sources import hub as hub_module
from gem_tasks.errors import EndpointError, ErrorClass, UserError
from gem_tasks.live_apis.http_api import HttpApi
from gem_tasks.live_apis.mcp_server import McpApi
from gem_tasks.live_apis.operation import Operation
from gem_tasks.llm.client import OpenAIClient
from gem_tasks.local import health
from gem_tasks.local.airflow_api import AirflowAPI
from gem_tasks.settings import Settings
from gem_tasks.store import open_store
from tests.integration.endpoint import request as chat_request
from tests.services import free_port


class Proxy(BaseHTTPRequestHandler):
    """Refuses everything, as proxies of companies refuse addresses of the machine itself."""

    seen: list  # of the server at hand

    def refuse(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.seen.append(f"{self.command} {self.path}")
        self.send_response(403)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = do_CONNECT = refuse

    def log_message(self, *_):
        pass


@pytest.fixture
def proxy(monkeypatch):
    """Its address and what it was asked; the environment is clear of other proxies."""
    for kind in ("http", "https", "all", "no"):
        for name in (f"{kind}_proxy", f"{kind.upper()}_PROXY"):
            monkeypatch.delenv(name, raising=False)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Proxy.seen = []
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(
    params=[
        {"HTTP_PROXY": "{}", "HTTPS_PROXY": "{}"},
        {"http_proxy": "{}", "all_proxy": "{}"},
        {"ALL_PROXY": "socks5://127.0.0.1:1"},
        {"all_proxy": "socks5h://127.0.0.1:1", "NO_PROXY": "10.0.0.0/8,[::1],fd00::/8,.corp"},
        {"HTTP_PROXY": "nonsense://", "no_proxy": "127.0.0.0/8"},
    ],
    ids=["http", "lower", "socks", "socks-and-blocks", "nonsense"],
)
def variables(request, proxy, monkeypatch):
    for name, value in request.param.items():
        monkeypatch.setenv(name, value.format(proxy))


async def test_nothing_on_this_machine_is_asked_of_a_proxy(teacher_url, bucket, variables):
    async with OpenAIClient(teacher_url, "k", concurrency=1, timeout_s=20, max_attempts=1) as client:
        assert await client.models() == ["offline-rules"]
        with pytest.raises(EndpointError) as caught:  # an answer of the teacher's own
            await client.complete(chat_request("odd"))
    assert caught.value.error_class is not ErrorClass.CONNECTION
    assert health.teacher(int(teacher_url.split(":")[2].split("/")[0])) is None
    store = open_store(f"s3://{bucket}/p")
    store.put("a/b", b"1")
    assert list(store.list("")) == ["a/b"]
    assert Proxy.seen == []


async def test_servers_that_are_called_by_conversations_are_reached_straight(variables):
    port = free_port()
    operation = Operation(name="x", method="GET", path="/x", parameters={"type": "object"})
    async with HttpApi(f"http://[::1]:{port}", None, 5) as api:
        assert (await api.call(operation, {})).detail.startswith("connection refused")
    with pytest.raises(UserError, match="connection refused"):
        async with McpApi(f"http://127.0.0.1:{port}/mcp", 5):
            pass
    assert Proxy.seen == []


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost"])
def test_airflow_that_refuses_the_connection_is_said_to_refuse_it(variables, host):
    with pytest.raises(UserError, match="does not answer: connection refused"), AirflowAPI(
        Settings(airflow_url=f"http://{host}:{free_port()}")
    ):  # fmt: skip
        pass
    assert Proxy.seen == []


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost"])
async def test_an_endpoint_that_refuses_the_connection_is_said_to_refuse_it(host):
    url = f"http://{host}:{free_port()}/v1"
    async with OpenAIClient(url, None, concurrency=1, timeout_s=20, max_attempts=1) as client:
        for ask in (client.models(), client.complete(chat_request())):
            with pytest.raises(EndpointError) as caught:
                await ask
            assert caught.value.error_class is ErrorClass.CONNECTION
            assert caught.value.detail.startswith("connection refused")


async def test_a_name_that_nobody_has_is_said_to_be_none(proxy):
    async with OpenAIClient("http://no-such.invalid/v1", None, concurrency=1, timeout_s=20, max_attempts=1) as client:
        with pytest.raises(EndpointError, match="connection: no such host"):
            await client.models()


async def test_what_is_elsewhere_goes_through_the_proxy_whichever_client_asks(proxy, monkeypatch):
    monkeypatch.setenv("http_proxy", proxy)
    url = "http://llm.example/v1"
    async with OpenAIClient(url, None, concurrency=1, timeout_s=20, max_attempts=1) as client:
        for ask in (client.models(), client.complete(chat_request())):
            with pytest.raises(EndpointError, match="403"):
                await ask
    for name, value in {"AWS_ENDPOINT_URL": "http://s3.example", "AWS_ACCESS_KEY_ID": "a"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    with pytest.raises(Exception, match="cannot be read"):
        open_store("s3://bucket").get("a")
    hub_module.route()
    from huggingface_hub.utils import get_session

    assert get_session().get("http://hub.example/api").status_code == 403
    with http_clients.client() as client:
        assert client.get("http://alerts.example/x").status_code == 403
    asked = [line.split()[1].split("/")[2] for line in Proxy.seen]
    assert asked == ["llm.example", "llm.example", "llm.example", "s3.example", "hub.example", "alerts.example"]


@pytest.mark.parametrize(
    "client", [lambda: OpenAIClient("https://llm.example/v1", None, concurrency=1, timeout_s=1, max_attempts=1),
               lambda: open_store("s3://bucket/x")], ids=["endpoint", "store"],
)  # fmt: skip
def test_a_socks_proxy_for_something_elsewhere_is_one_clear_line(proxy, monkeypatch, client):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("ALL_PROXY", "socks5://me:secret@127.0.0.1:1080")
    with pytest.raises(
        UserError, match=r"socks5://127.0.0.1:1080 cannot be the proxy for .*HTTP proxies only"
    ) as caught:
        client()
    assert "secret" not in str(caught.value)
