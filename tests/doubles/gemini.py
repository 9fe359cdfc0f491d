"""Gemini's own batches as its client's types describe them; the offline teacher behind them."""

import asyncio

from aiohttp import web

from tests.doubles.serving import Provider

REQUEST = {"contents", "systemInstruction", "generationConfig", "safetySettings", "tools", "toolConfig"}
CONFIG = {
    "temperature", "topP", "topK", "maxOutputTokens", "responseMimeType", "responseJsonSchema", "responseSchema",
    "thinkingConfig", "stopSequences", "seed",
}  # fmt: skip
STATES = ("PENDING", "RUNNING", "SUCCEEDED")


def refused(status, message, word):
    return web.json_response({"error": {"code": status, "message": message, "status": word}}, status=status)


def words(content):
    return "".join(part["text"] for part in content["parts"])


class Gemini(Provider):
    """`silent`: requests of the first batch that bring an error of a moment. Chat completions lie at `openai`."""

    def __init__(self, teacher_url, silent=0):
        super().__init__(teacher_url, None)
        self.silent, self.batches, self.headers = silent, {}, []

    async def _forward(self, request):
        self.headers.append(dict(request.headers))
        match request.method, request.path.removeprefix("/v1/").split("/"):
            case "POST", ["models", name] if name.endswith(":batchGenerateContent"):
                return await self._create(name.partition(":")[0], await request.json())
            case "GET", ["batches"]:
                return web.json_response({"operations": [*self.batches.values()]})
            case "GET", ["batches", name] if name in self.batches:
                return web.json_response(self._advanced(name))
            case "DELETE", ["batches", name] if name in self.batches:
                del self.batches[name]
                return web.json_response({})
        return refused(404, "Requested entity was not found.", "NOT_FOUND")

    async def _create(self, model, body):
        asked = body["batch"]["inputConfig"]["requests"]["requests"]
        for each in asked:
            extra = sorted(each["request"].keys() - REQUEST) or sorted(
                each["request"]["generationConfig"].keys() - CONFIG
            )
            if extra or each.keys() != {"request", "metadata"}:
                return refused(400, f'Invalid JSON payload received. Unknown name "{extra}"', "INVALID_ARGUMENT")
        answers = await asyncio.gather(*(self._answered(model, each["request"]) for each in asked))
        for at in range(self.silent):
            answers[at] = {"error": {"code": 14, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}
        self.silent = 0
        results = [answer | {"metadata": each["metadata"]} for answer, each in zip(answers, asked, strict=True)]
        name = f"b{len(self.batches)}"
        about = {"displayName": body["batch"]["displayName"], "state": "BATCH_STATE_PENDING", "model": model}
        about["batchStats"] = {"requestCount": str(len(asked))}
        self.batches[name] = {"name": f"batches/{name}", "metadata": about, "results": results}
        return web.json_response({"name": f"batches/{name}", "metadata": about})

    async def _answered(self, model, request):
        self.asked.append(request)
        messages = [{"role": "system", "content": words(request["systemInstruction"])}]
        roles = {"user": "user", "model": "assistant"}
        messages += [{"role": roles[each["role"]], "content": words(each)} for each in request["contents"]]
        answer = await self.answer({"messages": messages})
        usage, text = answer["usage"], answer["choices"][0]["message"]["content"]
        parts = [{"text": "Hm.", "thought": True}, {"text": text}]
        counted = {"promptTokenCount": usage["prompt_tokens"], "cachedContentTokenCount": 4, "thoughtsTokenCount": 7}
        counted |= {"candidatesTokenCount": usage["completion_tokens"]}
        found = {"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0}
        return {"response": {"candidates": [found], "usageMetadata": counted, "modelVersion": model}}

    def _advanced(self, name):
        batch = self.batches[name]
        about = batch["metadata"]
        state = about["state"].removeprefix("BATCH_STATE_")
        if state != "SUCCEEDED":
            about["state"] = "BATCH_STATE_" + STATES[STATES.index(state) + 1]
        else:
            about["output"] = {"inlinedResponses": {"inlinedResponses": batch["results"]}}
        return {"name": batch["name"], "metadata": about, "done": state == "SUCCEEDED"}
