"""datatrove's InferenceRunner on an external endpoint, with its JSONL writer."""

import json
import tempfile
from pathlib import Path

from common import MAX_TOKENS, MODEL, Clock, messages, options, right
from datatrove.data import Document
from datatrove.pipeline.inference.run_inference import InferenceConfig, InferenceRunner
from datatrove.pipeline.writers import JsonlWriter

asked = options()


async def rollout(document, generate):
    result = await generate({"messages": messages(int(document.id)), "max_tokens": MAX_TOKENS})
    return result.text


config = InferenceConfig(
    server_type="endpoint",
    model_name_or_path=MODEL,
    endpoint_url=asked.base_url.removesuffix("/v1"),
    max_concurrent_generations=asked.concurrency,
    metric_interval=3600,
    server_ready_delay_sec=0.1,
)
with tempfile.TemporaryDirectory() as folder:
    writer = JsonlWriter(folder, output_filename="${rank}.jsonl", compression=None)
    runner = InferenceRunner(rollout_fn=rollout, config=config, output_writer=writer)
    documents = [Document(text="-", id=str(number)) for number in range(asked.calls)]
    with Clock() as clock:
        runner.run(iter(documents))
    lines = [json.loads(line) for line in (Path(folder) / "00000.jsonl").read_bytes().split(b"\n") if line]
done = sum(right(int(line["id"]), line["metadata"]["rollout_results"][0]) for line in lines)
clock.write(asked.output, asked.calls, done)
