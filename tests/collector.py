"""A collector of OpenTelemetry over real HTTP: it reads what arrives with the protocol's own messages."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Collector:
    """`raw` holds the bodies; `hang` keeps it from answering."""

    def __init__(self):
        self.raw, self.metrics_raw, self.headers = [], [], []
        self.hang = threading.Event()
        self.release = threading.Event()

    @property
    def spans(self):
        requests = map(ExportTraceServiceRequest.FromString, self.raw)
        return [span for request in requests for resource in request.resource_spans
                for scope in resource.scope_spans for span in scope.spans]  # fmt: skip

    def points(self, metric, export=-1):
        """Data points of a metric in one export; counters are cumulative."""
        request = ExportMetricsServiceRequest.FromString(self.metrics_raw[export])
        return [point for resource in request.resource_metrics for scope in resource.scope_metrics
                for each in scope.metrics if each.name == metric
                for point in getattr(each, each.WhichOneof("data")).data_points]  # fmt: skip

    def exemplars(self, metric):
        """The exemplars of all exports, each of which has those since the last one, by stage."""
        found = {}
        for export in range(len(self.metrics_raw)):
            for point in self.points(metric, export):
                found.setdefault(attributes(point)["stage"], []).extend(point.exemplars)
        return found


def attributes(of):
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in of.attributes}


@contextmanager
def collecting():
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if collector.hang.is_set():
                collector.release.wait(60)
            collector.headers.append(dict(self.headers))
            (collector.raw if self.path == "/v1/traces" else collector.metrics_raw).append(body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    collector.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield collector
    finally:
        collector.release.set()
        server.shutdown()
        server.server_close()
