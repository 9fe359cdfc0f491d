"""Endpoints with the manners of real providers, and the offline teacher's answers behind them, over real HTTP.

A manner looks at a request, and refuses it or says how the teacher's answer is to be served. What they do is from
provider documentation and reports of 2025 and 2026; nothing here was written from what GEM happens to send.
"""

import json

from aiohttp import web

from tests.integration.endpoint import Front

THOUGHT = "The text describes a process. " * 200
"""1,500 tokens."""
THOUGHT_TOKENS = 1500
UNLIMITED = 1 << 20


def error(status, message, type_="invalid_request_error", param=None, code=None, **headers):
    """OpenAI's envelope."""
    body = {"error": {"message": message, "type": type_, "param": param, "code": code}}
    return web.json_response(body, status=status, headers={name.replace("_", "-"): headers[name] for name in headers})


class Provider(Front):
    """A front whose chat completions are served in a manner: `manner(provider, body)` gives one, or awaits it."""

    def __init__(self, teacher_url, manner):
        super().__init__(teacher_url)
        self.manner, self.refused = manner, 0

    async def _complete(self, request):
        self.request = request
        body = await request.json()
        self.asked.append(body)
        found = self.manner(self, body)
        response = found if isinstance(found, web.Response) else await found
        self.refused += response.status != 200
        return response

    async def _forward(self, request):
        manner = getattr(self.manner, "models", None)
        return manner(request) if manner else await super()._forward(request)

    @property
    def calls(self):
        """Requests for an answer so far, this one included."""
        return len(self.asked)

    async def answer(self, body):
        """The teacher's, as an object."""
        asked = {"model": "offline-rules", "messages": body["messages"]}
        async with self._session.post(self._teacher + "/chat/completions", json=asked) as got:
            return await got.json()

    async def served(self, body, change=lambda answer: None, wrap=None, comment=""):
        """The answer, changed, as one object or as a stream, as the request wants it."""
        answer = await self.answer(body)
        change(answer)
        if wrap:
            return wrap(answer)
        if body.get("stream"):
            return streamed(answer, body, comment)
        return web.json_response(answer)


def message_of(answer):
    return answer["choices"][0]["message"]


def limit_of(body, *names):
    return min(
        (body[name] for name in names or ("max_completion_tokens", "max_tokens") if name in body), default=UNLIMITED
    )


def cut_by_thinking(answer, limit, thought=THOUGHT_TOKENS):
    """Thoughts spend the limit first: nothing is left of the answer if they take all of it."""
    usage, choice = answer["usage"], answer["choices"][0]
    spent = min(thought, limit)
    if limit < thought + usage["completion_tokens"]:
        choice["finish_reason"] = "length"
        choice["message"]["content"] = "" if limit <= thought else choice["message"]["content"][: 4 * (limit - thought)]
    usage["completion_tokens"] = spent + len(choice["message"]["content"]) // 4
    usage["total_tokens"] = usage["prompt_tokens"] + usage["completion_tokens"]
    return spent


def thinking_in(field, limit, thought=THOUGHT_TOKENS):
    """A change: the model thinks before it answers, and shows that in a field of its message."""

    def change(answer):
        spent = cut_by_thinking(answer, limit, thought)
        message_of(answer)[field] = THOUGHT[: 4 * spent]

    return change


def streamed(answer, body, comment=""):
    """As server-sent events, in pieces of forty characters."""
    message, usage = message_of(answer), answer["usage"]
    deltas = [{"role": "assistant", "content": ""}]
    for field in ("reasoning_content", "reasoning", "content"):
        text = message.get(field) or ""
        deltas += [{field: text[at : at + 40]} for at in range(0, len(text), 40)]
    events = [{"model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    events.append({"choices": [{"index": 0, "delta": {}, "finish_reason": answer["choices"][0]["finish_reason"]}]})
    if (body.get("stream_options") or {}).get("include_usage"):
        events.append({"choices": [], "usage": usage})
    lines = [f"data: {json.dumps(event)}\n\n" for event in events]
    return web.Response(text=comment + "".join(lines) + "data: [DONE]\n\n", content_type="text/event-stream")
