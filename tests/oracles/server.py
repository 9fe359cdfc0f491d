"""A small OpenAI-compatible server over real HTTP; a function says what it answers."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count

_ids = count()


def words(text):
    return {"role": "assistant", "content": text}


def calls(*wanted):
    """A message that makes calls, each `(name, arguments)`; ids are unique, as graders match results by them."""
    made = [
        {"id": f"call_{next(_ids)}", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
        for name, arguments in wanted
    ]
    return {"role": "assistant", "content": None, "tool_calls": made}


def dumb(body, headers):
    return words("I am sorry, there is nothing I can do.")


def strict(answer):
    """A reasoning model: it takes neither a temperature nor `max_tokens`, thinks, and takes no thoughts back."""
    refusals = {
        "temperature": "Unsupported value: 'temperature' does not support 0.0 with this model.",
        "max_tokens": "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead.",
    }

    def answered(body, headers):
        for name, why in refusals.items():
            if name in body:
                return refusal(name, why)
        for at, message in enumerate(body["messages"]):
            if "reasoning_content" in message or "<think" in str(message.get("content")):
                where = f"messages.{at}.reasoning_content"
                return refusal(where, f"property '{where}' is unsupported")
        message = answer(body, headers)
        return message | {"reasoning_content": "I think ###STOP### before I speak."} if "role" in message else message

    return answered


def refusal(param, why):
    """OpenAI's complaint about a field of the request."""
    return {"error": {"message": why, "type": "invalid_request_error", "param": param, "code": "unsupported_parameter"}}


def _handler(models):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        requests = 0

        def log_message(self, *_):
            pass

        def do_GET(self):
            self.reply(200, {"object": "list", "data": [{"id": name, "object": "model"} for name in models]})

        def do_POST(self):
            type(self).requests += 1
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            try:
                message = models[body["model"]](body, self.headers)
            except (LookupError, ValueError, TypeError) as error:  # a bug of the oracle: shows as a failed case
                self.reply(400, {"error": {"message": repr(error), "type": "invalid_request_error"}})
                return
            if isinstance(message, dict) and "error" in message:
                self.reply(400, message)
                return
            if isinstance(message, int):
                self.reply(message, {"error": {"message": "as the test wants it", "type": "server_error"}})
                return
            reason = "tool_calls" if message.get("tool_calls") else "stop"
            choice = {"index": 0, "message": message, "finish_reason": reason}
            usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
            head = {"id": "x", "object": "chat.completion", "created": 0, "model": body["model"]}
            self.reply(200, {**head, "choices": [choice], "usage": usage})

        def reply(self, status, body):
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    return Handler


@contextmanager
def serving(**models):
    """Base URL of a server with these models: name to `(body, headers) -> message`, or an HTTP status."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(models))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
