"""A small real API of a library, twice: over HTTP, and as an MCP server (`python shop.py [port]`)."""

import json
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

LOANS = {"L-1001": {"loan_id": "L-1001", "renewals": 0}}

SPEC = {
    "openapi": "3.1.0",
    "info": {"title": "Library", "version": "1"},
    "servers": [{"url": "http://127.0.0.1:1/never"}],
    "paths": {
        "/loans": {"get": {"operationId": "listLoans", "summary": "Loans of a reader", "parameters": [
            {"name": "reader", "in": "query", "required": True, "schema": {"type": "string"}}]}},
        "/loans/{loan_id}": {"get": {"operationId": "getLoan", "summary": "One loan", "parameters": [
            {"name": "loan_id", "in": "path", "required": True, "schema": {"type": "string"}}]}},
        "/loans/{loan_id}/renew": {"post": {"operationId": "renewLoan", "summary": "Renews a loan", "parameters": [
            {"name": "loan_id", "in": "path", "required": True, "schema": {"type": "string"}}],
            "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Renewal"}}}}}},
        "/away": {"get": {"operationId": "goAway", "summary": "Redirects"}},
    },
    "components": {"schemas": {"Renewal": {"type": "object", "required": ["weeks"], "properties": {
        "weeks": {"type": "integer", "minimum": 1, "maximum": 4}}}}},
}  # fmt: skip


class Shop(BaseHTTPRequestHandler):
    requests: list = []  # noqa: RUF012 - of the whole server

    def log_message(self, *_):
        pass

    def do_GET(self):
        path = urlsplit(self.path).path
        self.requests.append(("GET", self.path, self.headers.get("Authorization")))
        if path == "/api/loans":
            self.reply(200, {"loans": list(LOANS.values())})
        elif path == "/api/away":
            self.send_response(302)
            self.send_header("Location", "/api/loans")
            self.end_headers()
        elif loan := LOANS.get(path.removeprefix("/api/loans/")):
            self.reply(200, loan)
        else:
            self.reply(404, {"error": "no such loan"})

    def do_POST(self):
        self.requests.append(("POST", self.path, self.headers.get("Authorization")))
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        loan = LOANS.get(self.path.removeprefix("/api/loans/").removesuffix("/renew"))
        self.reply(200, {**loan, "weeks": body["weeks"]}) if loan else self.reply(404, {"error": "no such loan"})

    def reply(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def serving():
    """Base URL, and the requests that came: `(method, path, authorization)`."""
    requests = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("One", (Shop,), {"requests": requests}))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/api", requests
    finally:
        server.shutdown()
        server.server_close()


def main():
    from mcp.server.mcpserver import MCPServer

    server = MCPServer("library")

    @server.tool()
    def list_loans(reader: str) -> dict:
        """Loans of a reader."""
        return {"loans": list(LOANS.values())}

    @server.tool()
    def get_loan(loan_id: str) -> dict:
        """One loan."""
        return LOANS[loan_id]

    @server.tool()
    def renew_loan(loan_id: str, weeks: int) -> dict:
        """Renews a loan."""
        return {**LOANS[loan_id], "weeks": weeks}

    if len(sys.argv) > 1:
        server.run("streamable-http", host="127.0.0.1", port=int(sys.argv[1]))
    else:
        server.run("stdio")


if __name__ == "__main__":
    main()
