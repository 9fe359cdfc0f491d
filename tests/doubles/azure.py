"""Azure OpenAI's two addresses, and keys that expire: the offline teacher behind them.

`/openai/deployments/{name}` wants a version in its query, `/openai/v1` wants none. Both take a key in `api-key`, and a
token of Entra ID as a bearer token, and neither lists what is deployed.
"""

import json

from aiohttp import ClientSession, web

from tests.doubles.serving import Provider, error

KEY = "0123456789abcdef"
DENIED = "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key."


class Azure(Provider):
    """`tokens`: bearer tokens that are valid now."""

    def __init__(self, teacher_url, tokens=()):
        super().__init__(teacher_url, None)
        self.tokens, self.denied, self.answered = set(tokens), [], 0

    async def _start(self):
        self._session = ClientSession()
        app = web.Application(client_max_size=1 << 26)
        app.router.add_post("/openai/deployments/{name}/chat/completions", self._deployed)
        app.router.add_post("/openai/v1/chat/completions", self._new)
        app.router.add_route("*", "/{tail:.*}", self._nothing)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}/openai"

    async def _nothing(self, request):
        return error(404, "Resource not found", None, code="404")

    async def _deployed(self, request):
        if "api-version" not in request.query:
            return await self._nothing(request)
        if request.match_info["name"] != "mine":
            return error(404, "The API deployment for this resource does not exist.", None, code="DeploymentNotFound")
        return await self._new(request)

    async def _new(self, request):
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if request.headers.get("api-key") != KEY and bearer not in self.tokens:
            self.denied.append(dict(request.headers))
            return error(401, DENIED, None, code="401")
        body = await request.json()
        self.asked.append(body)
        self.answered += 1
        return web.Response(text=json.dumps(await self.answer(body)), content_type="application/json")
