"""Bespoke Curator's LLM on its openai backend; its cache in a throw-away folder, viewer and telemetry off."""

import importlib.util
import os
import tempfile
from pathlib import Path

os.environ |= {"OPENAI_API_KEY": "none", "TELEMETRY_ENABLED": "0", "CURATOR_VIEWER": "0"}
folder = tempfile.TemporaryDirectory()
os.environ["CURATOR_CACHE_DIR"] = folder.name
# It counts tokens with an encoding that tiktoken would fetch; litellm, which it depends on, ships the file.
tokenizers = Path(importlib.util.find_spec("litellm").origin).parent / "litellm_core_utils" / "tokenizers"
os.environ["TIKTOKEN_CACHE_DIR"] = str(tokenizers)

from bespokelabs import curator
from common import MAX_TOKENS, MODEL, Clock, options, prompt, right

asked = options()


class Bench(curator.LLM):
    def prompt(self, row):
        return prompt(row["number"])

    def parse(self, row, response):
        return {"number": row["number"], "text": response}


llm = Bench(
    model_name=MODEL,
    backend="openai",
    generation_params={"max_tokens": MAX_TOKENS},
    backend_params={
        "base_url": asked.base_url,
        "max_concurrent_requests": asked.concurrency,
        "max_requests_per_minute": 1_000_000,
        "max_tokens_per_minute": 1_000_000_000,
        "request_timeout": 600,
    },
)
with Clock() as clock:
    found = llm([{"number": number} for number in range(asked.calls)])
rows = getattr(found, "dataset", found)
clock.write(asked.output, asked.calls, sum(right(row["number"], row["text"]) for row in rows))
