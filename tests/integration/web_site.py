"""A web site that answers as real ones do: validators, gzip, redirects, overload, slow and endless pages."""

import gzip
import threading
import time
from contextlib import contextmanager
from email.utils import formatdate
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from gem_tasks.domain.web_access import WebAccess


class Site:
    """Pages by path: text, or `(status, headers, text)`; a list gives one of these per request, the last repeats."""

    def __init__(self):
        self.pages, self.requests, self.bodies, self.connections = {}, [], 0, 0
        self.url = self.agent = ""
        self.etags = True

    def html(self, path, text, head=""):
        self.pages[path] = f"<html><head><title>{path}</title>{head}</head><body><main>{text}</main></body></html>"

    def sitemap(self, *paths, at="/sitemap.xml", **lastmods):
        urls = "".join(
            f"<url><loc>{path if '://' in path else self.url + path}</loc>{lastmods.get(path.strip('/'), '')}</url>"
            for path in paths
        )
        self.pages[at] = (
            f'<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</urlset>'
        )

    def index(self, *paths, at="/sitemap.xml"):
        maps = "".join(f"<sitemap><loc>{self.url}{path}</loc></sitemap>" for path in paths)
        self.pages[at] = f"<sitemapindex>{maps}</sitemapindex>"

    def access(self, **more):
        """Without delays, and permitted although it is on this machine."""
        return WebAccess(**{"delay_s": 0, "timeout_s": 5, "roots": (self.url,)} | more)

    def asked(self, clear=True):
        """Paths of the requests since the last call, without robots.txt and sitemaps."""
        found = sorted(path for path in self.requests if path != "/robots.txt" and "sitemap" not in path)
        if clear:
            self.requests.clear()
        return found


class Handler(BaseHTTPRequestHandler):
    site: Site
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        self.site.connections += 1

    def do_GET(self):
        self.site.requests.append(self.path)
        self.site.agent = self.headers["User-Agent"]
        page = self.site.pages.get(self.path, (404, {}, "not found"))
        if isinstance(page, list):
            page = page.pop(0) if len(page) > 1 else page[0]
        status, headers, body = page if isinstance(page, tuple) else (200, {}, page)
        if callable(body):
            body(self)
            return
        self._answer(status, {"Content-Type": "text/html"} | headers, body)

    def _answer(self, status, headers, body):
        data = body if isinstance(body, bytes) else body.encode()
        tag = f'"{md5(data).hexdigest()}"'
        if status == 200 and self.site.etags:
            headers |= {"ETag": tag, "Last-Modified": formatdate(1e9, usegmt=True)}
        if status == 200 and self.headers["If-None-Match"] == tag:
            status, data = 304, b""
        if status == 200:
            self.site.bodies += "sitemap" not in self.path and self.path != "/robots.txt"
            data, headers["Content-Encoding"] = gzip.compress(data), "gzip"
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


@contextmanager
def serving():
    """A site on a port of its own."""
    site = Site()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"site": site}))
    server.daemon_threads = True
    site.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()


def endless(handler):
    """A page without an end."""
    handler.send_response(200)
    handler.send_header("Content-Type", "text/html")
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(b"x" * 65536)
    except OSError:
        handler.close_connection = True


def dripping(handler):
    """A page that takes for ever, although it is never silent."""
    handler.close_connection = True
    try:
        for letter in b"HTTP/1.1 200 OK\r\nX-Much: " + b"y" * 10_000:
            handler.wfile.write(bytes([letter]))
            handler.wfile.flush()
            time.sleep(0.02)
    except OSError:
        pass
