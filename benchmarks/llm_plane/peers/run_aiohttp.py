"""A loop over plain aiohttp: about the least that Python can do. A reference: it retries and records nothing."""

import asyncio
import json

import aiohttp
from common import MAX_TOKENS, MODEL, Clock, messages, options, right


async def main():
    asked = options()
    slots = asyncio.Semaphore(asked.concurrency)
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=600)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:

        async def one(number):
            body = json.dumps({"model": MODEL, "messages": messages(number), "max_tokens": MAX_TOKENS}).encode()
            async with (
                slots,
                session.post(
                    asked.base_url + "/chat/completions", data=body, headers={"Content-Type": "application/json"}
                ) as response,
            ):
                answer = json.loads(await response.read())
                return right(number, answer["choices"][0]["message"]["content"])

        with Clock() as clock:
            done = await asyncio.gather(*(one(number) for number in range(asked.calls)))
    clock.write(asked.output, asked.calls, sum(done))


asyncio.run(main())
