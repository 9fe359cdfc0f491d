"""A local OpenAI-compatible endpoint with known latencies, to measure clients against.

    python benchmarks/llm_plane/server.py --port 8123 [--sigma 0.3]

Log-normal latency (median 0.5 s), 8 KB answers that repeat the prompt's `ID-…`, so that a client can be checked to have
got each answer. `GET /stats` says what it did since the last `GET /stats`, mean latency included. Faults by query, as
the offline teacher takes them: `rate_429`, `rate_500`, `rate_hang`, `rate_malformed`. `refuses=max_tokens` makes the
model want `max_completion_tokens`, as OpenAI's do: a dialect that has to be learned. `thoughts=off` leaves out the tags
around what it thought.
"""

import argparse
import asyncio
import random
from collections import Counter

from aiohttp import web

MEDIAN_S = 0.5
ANSWER = "It describes and argues; nobody is told what to do next. " * 140
VERDICT = "<multi_step>False</multi_step><reason>not_procedural</reason>"
BODY = (
    '{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"bench","choices":[{"index":0,"finish_reason":'
    '"stop","logprobs":null,"message":{"role":"assistant","refusal":null,"content":"%s"}}],'
    '"usage":{"prompt_tokens":1000,"completion_tokens":2000,"total_tokens":3000}}'
)


class Endpoint:
    """Counts what it is asked."""

    def __init__(self, sigma):
        self.sigma, self.random = sigma, random.Random(7)
        self.reset()

    def reset(self):
        """From the beginning."""
        self.counts, self.latency_s, self.now, self.most = Counter(), 0.0, 0, 0

    async def complete(self, request):
        """One completion, or a fault."""
        body = await request.read()
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            return await self.answer(body, request.query)
        finally:
            self.now -= 1

    async def answer(self, body, query):
        """What the dice say."""
        self.counts["requests"] += 1
        for fault, status in (("rate_429", 429), ("rate_500", 500)):
            if self.hits(query, fault):
                return web.json_response({"error": {"message": "busy", "code": "busy"}}, status=status)
        if (refused := query.get("refuses")) and b'"%b":' % refused.encode() in body:
            error = {"type": "invalid_request_error", "param": refused, "code": "unsupported_parameter"}
            return web.json_response({"error": error | {"message": f"Unsupported parameter: '{refused}'"}}, status=400)
        if self.hits(query, "rate_hang"):
            await asyncio.sleep(600)
        latency_s = MEDIAN_S * self.random.lognormvariate(0, self.sigma)
        self.latency_s += latency_s
        self.counts["answers"] += 1
        await asyncio.sleep(latency_s)
        start = body.find(b"ID-")
        verdict = "I think not." if self.hits(query, "rate_malformed") else VERDICT
        thought = f"{ANSWER} {body[start : start + 12].decode()}"
        tagged = thought if query.get("thoughts") == "off" else f"<think>{thought} </think>"
        return web.Response(text=BODY % f"{tagged} {verdict}", content_type="application/json")

    def hits(self, query, fault):
        """Whether the fault is due."""
        due = fault in query and self.random.random() < float(query[fault])
        self.counts[fault] += due
        return due

    async def stats(self, request):
        """Since last time."""
        del request
        found = dict(self.counts) | {
            "mean_latency_s": self.latency_s / max(1, self.counts["answers"]),
            "most_in_flight": self.most,
        }
        self.reset()
        return web.json_response(found)

    async def models(self, request):
        """The one there is."""
        del request
        return web.json_response({"object": "list", "data": [{"id": "bench", "object": "model"}]})


def main():
    """Serves until killed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--sigma", type=float, default=0.3)
    options = parser.parse_args()
    endpoint = Endpoint(options.sigma)
    app = web.Application(client_max_size=1 << 26)
    app.router.add_post("/v1/chat/completions", endpoint.complete)
    app.router.add_get("/v1/models", endpoint.models)
    app.router.add_get("/health", endpoint.models)
    app.router.add_get("/stats", endpoint.stats)
    web.run_app(app, host="127.0.0.1", port=options.port, print=None, access_log=None, shutdown_timeout=0.1)


if __name__ == "__main__":
    main()
