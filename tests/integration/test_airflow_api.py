"""Following a run through Airflow's API while its machine has too much to do."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from gem_tasks.errors import UserError
from gem_tasks.local.airflow_api import AirflowAPI
from gem_tasks.settings import Settings


@pytest.fixture
def slow():
    """An API whose first answer to each kind of request never comes; what it was asked."""
    asked, over = [], threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def answer(self):
            asked.append(self.command)
            if asked.count(self.command) == 1:
                over.wait(60)
                return
            body = json.dumps({"state": "running", "dag_run_id": "r"}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = answer

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    api = AirflowAPI(Settings(airflow_url=f"http://127.0.0.1:{server.server_port}"))
    api._http.timeout = 0.3
    yield api, asked
    over.set()
    api.__exit__()
    server.shutdown()
    server.server_close()


def test_a_question_that_got_no_answer_is_asked_again(slow):
    api, asked = slow
    assert api.run_state("gem_ingest", "r") == "running"
    assert asked == ["GET", "GET"]


def test_what_starts_something_is_not(slow):
    api, asked = slow
    with pytest.raises(UserError, match="does not answer"):
        api.trigger("gem_ingest", "2026-01-31T14:00", {})
    assert asked == ["POST"]
