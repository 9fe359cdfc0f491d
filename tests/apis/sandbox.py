"""A sandbox of the five APIs: it checks each request itself, as their servers would, and remembers what it made."""

import json
import re
import threading
from base64 import b64encode
from contextlib import contextmanager
from datetime import date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

KEY = "k-57"
BEARER = {"Authorization": f"Bearer {KEY}"}
BASIC = {"Authorization": f"Basic {b64encode(f'{KEY}:'.encode()).decode()}"}


class Refused(Exception):
    """A status and what the server says."""


def require(wanted, status, said):
    if not wanted:
        raise Refused(status, said)


class Sandbox:
    """What the five APIs do; `requests` is what they got."""

    def __init__(self):
        self.things, self.requests = {}, []

    def answer(self, method, path, query, headers, body):
        self.requests.append((method, path, query, headers.get("Content-Type"), body))
        for wanted, pattern, act in ROUTES:
            if method == wanted and (found := re.fullmatch(pattern, path)):
                return act(self, query, headers, body, *found.groups())
        raise Refused(404, "no such operation")

    def make(self, kind, row):
        key = f"{kind}_{len(self.things) + 1}"
        self.things[key] = {**row, "id": key}
        return self.things[key]

    def find(self, key):
        require(key in self.things, 404, f"no such thing: {key}")
        return self.things[key]


def authorised(headers, *accepted):
    require(any(headers.get(name) == value for each in accepted for name, value in each.items()), 401, "no valid key")


def forecast(_, query, headers, body):
    given = dict(query)
    require(given.get("appid") == KEY, 401, "no valid key")
    require(-90 <= float(given["latitude"]) <= 90, 400, "latitude")
    require(set(given.get("hourly", "rain").split(",")) <= {"rain", "wind"}, 400, "hourly")
    return {"hourly": {"rain": [0.1]}}


def insert_event(sandbox, query, headers, body, calendar):
    authorised(headers, BEARER)
    event = json.loads(body)
    require(isinstance(event.get("summary"), str) and "id" not in event, 400, "summary")
    try:
        require(datetime.fromisoformat(event["start"]["dateTime"]).tzinfo, 400, "a time zone is missing")
    except (ValueError, KeyError, TypeError):
        raise Refused(400, "start") from None
    return sandbox.make("event", event)


def get_event(sandbox, query, headers, body, calendar, event):
    authorised(headers, BEARER)
    return sandbox.find(event)


def offers(_, query, headers, body):
    authorised(headers, {"X-API-Key": KEY})
    given = dict(query)
    require(re.fullmatch("[A-Z]{3}", given["originLocationCode"]), 400, "originLocationCode")
    date.fromisoformat(given["departureDate"])
    require(0 < int(given["adults"]) <= 9, 400, "adults")
    return {"data": [{"price": "100.00"}]}


def create_issue(sandbox, query, headers, body, owner, repo):
    authorised(headers, BEARER)
    issue = json.loads(body)
    require("title" in issue and set(issue) <= {"title", "body", "milestone", "labels"}, 422, "title")
    return sandbox.make("issue", {**issue, "number": 7})


def create_charge(sandbox, query, headers, body):
    authorised(headers, BASIC, BEARER)
    require(headers.get("Content-Type") == "application/x-www-form-urlencoded", 415, "not a form")
    given = dict(parse_qsl(body))
    require(given.get("amount", "").isdigit() and len(given.get("currency", "")) == 3, 400, "amount, currency")
    return sandbox.make("ch", {**given, "captured": False})


def get_charge(sandbox, query, headers, body, charge):
    authorised(headers, BASIC, BEARER)
    return sandbox.find(charge)


def capture(sandbox, query, headers, body, charge):
    authorised(headers, BASIC, BEARER)
    found = sandbox.find(charge)
    require(not found["captured"], 409, "this charge has already been captured")
    found["captured"] = True
    return found


ROUTES = (
    ("GET", "/v1/forecast", forecast),
    ("POST", "/calendars/([^/]+)/events", insert_event),
    ("GET", "/calendars/([^/]+)/events/([^/]+)", get_event),
    ("GET", "/shopping/flight-offers", offers),
    ("POST", "/repos/([^/]+)/([^/]+)/issues", create_issue),
    ("POST", "/v1/charges", create_charge),
    ("GET", "/v1/charges/([^/]+)", get_charge),
    ("POST", "/v1/charges/([^/]+)/capture", capture),
)


class _Handler(BaseHTTPRequestHandler):
    sandbox: Sandbox

    def log_message(self, *_):
        pass

    def do_any(self):
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        try:
            status, found = (
                200,
                self.sandbox.answer(self.command, parts.path, parse_qsl(parts.query), self.headers, body),
            )
        except Refused as refused:
            status, found = refused.args[0], {"error": refused.args[1]}
        except (KeyError, ValueError) as error:
            status, found = 400, {"error": str(error)}
        data = json.dumps(found).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_DELETE = do_any


@contextmanager
def serving():
    """The address of a new sandbox, and the sandbox."""
    sandbox = Sandbox()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"sandbox": sandbox}))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", sandbox
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
