"""A model behind a chat completions endpoint that answers several requests as one batch: for machines without a GPU.

    ENV/bin/python batched.py MODEL_FOLDER PORT BATCH
    gem eval calls --on slices.jsonl --base-url http://127.0.0.1:PORT/v1 --model NAME --concurrency BATCH

On a CPU the weights are read from memory once for each token of a batch, not of each answer. Greedy; calls stay text,
which `gem eval calls` reads. Requests wait until BATCH of them are there, or none has come for two seconds.
"""

import importlib.resources
import json
import queue
import sys
import threading
from concurrent.futures import Future
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

TEMPLATE = "qwen3_instruct_2507"
WAIT_S = 2
Answer = tuple[str, int, int]
"""Text, and tokens read and written."""
Asked = tuple[dict[str, Any], "Future[Answer]"]
waiting: "queue.Queue[Asked]" = queue.Queue()
known: "dict[str, Future[Answer]]" = {}
"""By request: an answer too late for its client is there when `gem eval calls --out` asks again."""
lock = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    """The two paths that an evaluation uses."""

    def do_GET(self) -> None:
        self._say({"object": "list", "data": [{"id": "model", "object": "model"}]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        key = json.dumps([body["messages"], body.get("tools")])
        with lock:
            if key not in known:
                known[key] = Future()
                waiting.put((body, known[key]))
        text, read, written = known[key].result()
        limit = body.get("max_tokens") or body.get("max_completion_tokens")
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "finish_reason": "length" if written >= limit else "stop"}
        usage = {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
        self._say({"id": "1", "object": "chat.completion", "model": body["model"], "choices": [choice], "usage": usage})

    def log_message(self, *_: Any) -> None: ...

    def _say(self, what: dict[str, Any]) -> None:
        data = json.dumps(what).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def main(folder: str, port: int, size: int) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
    templates = importlib.resources.files("trl") / "chat_templates"
    tokenizer.chat_template = (templates / f"{TEMPLATE}.jinja").read_text(encoding="utf-8")
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16).eval()
    threading.Thread(target=ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever, daemon=True).start()
    while True:
        asked = batch(size)
        limit = max(body.get("max_tokens") or body.get("max_completion_tokens") or 128 for body, _ in asked)
        prompts = [prompt(tokenizer, body) for body, _ in asked]
        given = tokenizer(prompts, return_tensors="pt", padding=True, add_special_tokens=False)
        stop = {"stop_strings": ["</tool_call>"], "tokenizer": tokenizer}
        with torch.inference_mode():
            made = model.generate(**given, max_new_tokens=limit, do_sample=False, **stop)[
                :, given["input_ids"].shape[1] :
            ]
        for (_, answer), row, mask in zip(asked, made, given["attention_mask"], strict=True):
            text = tokenizer.decode(row, skip_special_tokens=True)
            answer.set_result((text, int(mask.sum()), int((row != tokenizer.pad_token_id).sum())))


def batch(size: int) -> list[Asked]:
    found = [waiting.get()]
    while len(found) < size:
        try:
            found.append(waiting.get(timeout=WAIT_S))
        except queue.Empty:
            break
    return found


def prompt(tokenizer: Any, body: dict[str, Any]) -> str:
    messages = [dict(message, content=message.get("content") or "") for message in body["messages"]]
    for call in (call for message in messages for call in message.get("tool_calls") or []):
        if isinstance(call["function"]["arguments"], str):
            call["function"]["arguments"] = json.loads(call["function"]["arguments"])
    tools = body.get("tools")
    return tokenizer.apply_chat_template(messages, tools=tools, tokenize=False, add_generation_prompt=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
