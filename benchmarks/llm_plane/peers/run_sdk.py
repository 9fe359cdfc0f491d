"""The bare loop that everybody writes first: SDK, semaphore, gather. As `sdk_aiohttp`, on the SDK's other transport."""

import asyncio
import os

from common import MAX_TOKENS, MODEL, Clock, messages, options, right
from openai import AsyncOpenAI, DefaultAioHttpClient


async def main():
    asked = options()
    transport = {"http_client": DefaultAioHttpClient()} if os.environ.get("PEER") == "sdk_aiohttp" else {}
    slots = asyncio.Semaphore(asked.concurrency)
    async with AsyncOpenAI(base_url=asked.base_url, api_key="none", max_retries=0, timeout=600, **transport) as client:

        async def one(number):
            async with slots:
                answer = await client.chat.completions.create(
                    model=MODEL, messages=messages(number), max_tokens=MAX_TOKENS
                )
                return right(number, answer.choices[0].message.content)

        with Clock() as clock:
            done = await asyncio.gather(*(one(number) for number in range(asked.calls)))
    clock.write(asked.output, asked.calls, sum(done))


asyncio.run(main())
