"""A server lives as long as its lease: whoever is killed, nothing stays behind."""

import os
import signal
import sys
import time
from types import SimpleNamespace

import psutil
import pytest

from gem_tasks.distill import serve
from gem_tasks.distill.serve import ServeOptions
from gem_tasks.domain.distill import Model
from gem_tasks.errors import GemError
from gem_tasks.evals.progress import silent
from gem_tasks.settings import Settings

LIMIT_S = 30
SERVER = """
import http.server, sys
class Healthy(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Healthy).serve_forever()
"""
MODEL = Model(model_id="m", name="n", base="b", profile="p", profile_sha256="0", set_id=None, location="/nowhere")


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Starts a small server in place of a model's."""
    work = SimpleNamespace(settings=Settings(home=tmp_path))
    monkeypatch.setattr(serve, "weights", lambda *_: "/nowhere")
    started = []

    def begin(code=SERVER, progress=silent, **options):
        def command(work, path, port, options, progress, thinks):
            return "test", path, [sys.executable, "-c", code, str(port)]

        monkeypatch.setattr(serve, "_command", command)
        started.append(serve.start(work, MODEL, ServeOptions(**options), progress))
        return started[-1]

    yield begin
    for each in started:
        serve.stop(each)


def processes(served):
    guard = psutil.Process(served.guard_pid)
    return [guard, *guard.children(recursive=True)]


def gone(found):
    """Whether they end within the limit; a zombie has ended, whoever should have asked for it."""
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        if not any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in found):
            return True
        time.sleep(0.1)
    return False


def test_it_answers_until_it_is_stopped_and_stopping_twice_is_fine(start):
    served = start()
    found = processes(served)
    assert len(found) >= 2  # the guard, what confines, and the server
    serve.stop(served)
    assert gone(found)
    serve.stop(served)


def test_killing_the_guard_ends_the_server(start):
    found = processes(start())
    os.kill(found[0].pid, signal.SIGKILL)
    assert gone(found)


def test_a_lease_that_nobody_renews_ends_it_and_one_that_is_renewed_does_not(start, monkeypatch):
    monkeypatch.setattr(serve, "_RENEW_S", 0.2)
    served = start(idle_minutes=3 / 60)
    found = processes(served)
    with serve.renewing(served):
        time.sleep(5)
        assert all(each.is_running() for each in found)
    assert gone(found)


def test_the_next_server_waits_for_the_one_before(start):
    first = start()
    waited = []

    def tell(what, done, total):
        waited.append(what)
        if len(waited) == 3:
            serve.stop(first)

    second = start(progress=tell)
    assert waited[:3] == ["waiting for another server to stop"] * 3
    assert gone([psutil.Process(first.guard_pid)] if psutil.pid_exists(first.guard_pid) else [])
    assert len(processes(second)) >= 2


def test_a_server_that_cannot_be_confined_says_why(start, monkeypatch):
    confined = serve._confined

    def with_a_link(command, weights, port, folder, engine):
        job = confined(command, weights, port, folder, engine)
        (folder / "link").symlink_to("/etc")
        return job

    monkeypatch.setattr(serve, "_confined", with_a_link)
    with pytest.raises(GemError, match="neither a file nor a folder"):
        start()


def test_a_server_that_dies_at_once_says_why(start):
    with pytest.raises(GemError, match="no weights"):
        start(code="import sys; sys.exit('no weights')")
