"""distilabel's OpenAILLM with a batch of as many as may be in flight: its `generate` gathers a batch and waits for all.

A Pipeline adds processes and queues around the same calls, so this is the faster way to use it.
"""

from common import MAX_TOKENS, MODEL, Clock, messages, options, right
from distilabel.models.llms import OpenAILLM

asked = options()
llm = OpenAILLM(model=MODEL, base_url=asked.base_url, api_key="none", timeout=600, max_retries=0)
llm.load()
done = 0
with Clock() as clock:
    for start in range(0, asked.calls, asked.concurrency):
        batch = range(start, min(start + asked.concurrency, asked.calls))
        outputs = llm.generate(inputs=[messages(number) for number in batch], max_new_tokens=MAX_TOKENS)
        done += sum(right(number, out["generations"][0]) for number, out in zip(batch, outputs, strict=True))
clock.write(asked.output, asked.calls, done)
