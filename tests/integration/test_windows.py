"""All stages at endpoints with a window: what fits is processed, what does not says why, a cut prompt is noticed."""

import json
import threading
from contextlib import contextmanager

import pytest

from gem_tasks.domain.stage import STAGE_NAMES
from gem_tasks.domain.stage_settings import StageSettings
from gem_tasks.errors import UserError
from gem_tasks.lineage import RunContext
from gem_tasks.llm.dialects.memory import remembered
from gem_tasks.llm.windows.reading import Reading, read_window
from gem_tasks.pipeline.ingest.source import ingest
from gem_tasks.pipeline.shard.run import run_shard
from gem_tasks.settings import Settings
from tests.corpus import EXAMPLES, PARTITION
from tests.doubles.serving import Provider
from tests.doubles.windows import DENSE, HONEST, Cutting, Windowed, openai_words, vllm_words
from tests.integration.endpoint import answer, client_for, request, serving
from tests.planning import plan

MOST_WASTED = 3
LONG = "This chapter is about walking in the hills and nothing else. "


def stages(work, stages=STAGE_NAMES, partition=PARTITION):
    """Reports by stage."""
    (shard,) = plan(work, partition)
    return {name: run_shard(work, name, partition, shard["shard"], RunContext(run_id="r")) for name in stages}


def rows(work, where="true"):
    with work.ledger() as ledger:
        query = f"SELECT stage, outcome, error_class, detail, calls, faults FROM stage_results WHERE {where}"
        return ledger.pg.execute(query).fetchall()


def counts(work):
    """Outcomes by stage, failures apart."""
    found = {}
    for row in rows(work):
        key = row["stage"], row["outcome"]
        found[key] = found.get(key, 0) + 1
    return found


@pytest.fixture(scope="module")
def expected():
    return {}


@pytest.mark.parametrize(
    ("per_token", "words", "says", "most"),
    [
        (HONEST, openai_words, {}, MOST_WASTED),
        (HONEST, vllm_words, {"max_model_len": 16384}, 0),
        (DENSE, openai_words, {}, MOST_WASTED),
        (DENSE, vllm_words, {}, MOST_WASTED),
    ],
    ids=["honest", "honest-vllm-says", "dense", "dense-vllm-silent"],
)
def test_at_16k_every_segment_of_the_examples_is_processed(workspace, teacher_url, per_token, words, says, most):
    manner = Windowed(16384, per_token, words, says)
    with Provider(teacher_url, manner) as provider:
        work = workspace(llm_base_url=provider.url, shard_segments=100)
        ingest(work, str(EXAMPLES), PARTITION)
        overlong = {}
        (shard,) = plan(work, PARTITION)
        for name in STAGE_NAMES:
            before = manner.overlong
            report = run_shard(work, name, PARTITION, shard["shard"], RunContext(run_id="r"))
            overlong[name] = manner.overlong - before
            assert report.failed == 0, rows(work, "outcome = 'failed'")
    found = counts(work)
    assert found["filter", "accepted"] == found["refine", "accepted"] == 10
    assert found["validate", "accepted"] >= 8
    assert max(overlong.values()) <= most, overlong
    (known,) = remembered(work.store)
    assert known.window == 16384
    print(f"\nOVERLONG {overlong}; validate {found['validate', 'accepted']}")


def test_what_cannot_fit_says_why_and_the_others_are_processed(workspace, teacher_url, tmp_path):
    docs = tmp_path / "docs"
    docs.mkdir()
    for name in ("library-loans.txt", "parcel-locker.md"):
        (docs / name).write_bytes((EXAMPLES / name).read_bytes())
    (docs / "book.txt").write_text(LONG * 3000)
    manner = Windowed(16384)
    with Provider(teacher_url, manner) as provider:
        work = workspace(
            llm_base_url=provider.url, shard_segments=100, segment_max_tokens=60_000, segment_target_tokens=50_000
        )
        ingest(work, str(docs), PARTITION)
        reports = stages(work)
    assert (reports["filter"].accepted, reports["filter"].failed) == (2, 1)
    assert reports["validate"].accepted >= 1
    (row,) = rows(work, "outcome = 'failed'")
    assert row["error_class"] == "context_length"
    for words in ("128 for the answer", "16,384", "GEM_SEGMENT_MAX_TOKENS"):
        assert words in row["detail"]


def test_where_nothing_fits_the_stage_stops_and_nothing_is_failed(workspace, teacher_url):
    with Provider(teacher_url, Windowed(1 << 20)) as provider:
        work = workspace(llm_base_url=provider.url, shard_segments=100)
        ingest(work, str(EXAMPLES), PARTITION)
        stages(work, ["filter", "extract"])
        provider.manner = Windowed(3000)
        with pytest.raises(UserError) as caught:
            stages(work, ["generate"])
        assert "none of 10 texts fits" in caught.value.cause
        assert "window of 3,000" in caught.value.cause
        assert "GEM_LLM_CONTEXT_WINDOW" in caught.value.fix
        assert rows(work, "outcome = 'failed'") == []
        provider.manner = Windowed(16384)
        work = workspace(llm_base_url=provider.url, llm_requests=window(16384))
        assert stages(work, ["generate"])["generate"].accepted == 10


def window(tokens):
    from gem_tasks.domain.request_options import RequestOptions

    return {"": RequestOptions(context_window=tokens)}


def test_a_server_that_cuts_prompts_stops_the_stage_with_what_to_set_and_then_goes_on(workspace, teacher_url):
    with Provider(teacher_url, Cutting(4096)) as provider:
        work = workspace(llm_base_url=provider.url, shard_segments=100)
        ingest(work, str(EXAMPLES), PARTITION)
        stages(work, ["filter", "extract"])
        with pytest.raises(UserError) as caught:
            stages(work, ["generate"])
        assert "cut your prompt" in caught.value.cause
        assert "4,096" in caught.value.cause
        assert "OLLAMA_CONTEXT_LENGTH" in caught.value.fix
        assert rows(work, "outcome = 'failed'") == []
        provider.manner = Cutting(32768)
        assert stages(work, ["generate"])["generate"].accepted == 10


def test_a_second_chance_fits_with_the_end_of_the_answer(workspace, teacher_url):
    """Answers to the first request are long and unusable; all of one would not fit beside the second."""
    manner = Windowed(6000)
    plain = manner.counted

    def spoilt(answered, prompt, limit):
        if prompt < 1700:
            answered["choices"][0]["message"]["content"] = "no tags " * 2400
        plain(answered, prompt, limit)

    manner.counted = spoilt
    with Provider(teacher_url, manner) as provider:
        work = workspace(llm_base_url=provider.url, shard_segments=100, llm_requests=window(6000))
        ingest(work, str(EXAMPLES / "library-loans.txt"), PARTITION)
        reports = stages(work, ["filter", "extract"])
    quoted = [body["messages"][-2]["content"] for body in provider.asked if len(body["messages"]) > 2]
    assert any(text.startswith("[…]") for text in quoted)
    assert all(len(text) < 5000 for text in quoted if text.startswith("[…]"))
    assert reports["extract"].calls >= 2


@contextmanager
def pages(found):
    """A server whose pages are JSON by path; yields its base URL and the paths that were asked for."""
    import http.server

    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            body = found.get(self.path)
            self.send_response(200 if body is not None else 404)
            self.end_headers()
            self.wfile.write(body if isinstance(body, bytes) else json.dumps(body).encode())

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1", asked
    finally:
        server.shutdown()
        server.server_close()


def listed(**entry):
    return {"object": "list", "data": [{"id": "other", "max_model_len": 512}, {"id": "m", "object": "model"} | entry]}


@pytest.mark.parametrize(
    ("found", "reading"),
    [
        ({"/v1/models": listed(owned_by="vllm", max_model_len=16384)}, Reading(16384, "/models", True)),
        ({"/v1/models": listed(context_length=131072, top_provider={"context_length": 65536})},
         Reading(65536, "/models", False)),
        ({"/v1/models": listed(context_window=131072)}, Reading(131072, "/models", False)),
        ({"/v1/models": listed(max_context_length=32768)}, Reading(32768, "/models", False)),
        ({"/v1/models": [{"id": "m", "context_length": "8192"}]}, Reading(8192, "/models", False)),
        ({"/v1/models": {"data": [{"id": "/x/y.gguf", "owned_by": "llamacpp", "meta": {"n_ctx_train": 131072}}]},
          "/props": {"default_generation_settings": {"n_ctx": 4096}}}, Reading(4096, "/props", True)),
        ({"/v1/models": listed(owned_by="library"),
          "/api/ps": {"models": [{"name": "m:latest", "context_length": 4096}]}}, Reading(4096, "/api/ps", True)),
        ({"/v1/models": listed(owned_by="library"), "/api/ps": {"models": []}}, None),
        ({"/v1/models": listed(owned_by="organization_owner"),
          "/api/v0/models": {"data": [{"id": "m", "max_context_length": 32768, "loaded_context_length": 8192}]}},
         Reading(8192, "/api/v0/models", True)),
        ({"/v1/models": listed(max_model_len=0, context_length=None)}, None),
        ({"/v1/models": listed(context_length=True)}, None),
        ({"/v1/models": b"<html>"}, None),
        ({"/v1/models": {"data": "?"}}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_the_window_is_read_where_the_server_says_it(found, reading):
    with pages(found) as (url, asked):
        assert read_window(url, None, None, "m") == reading
        assert len(asked) <= 2


def test_nobody_there_means_nothing():
    assert read_window("http://127.0.0.1:9/v1", "k", {"X": "y"}, "m") is None


async def test_reading_is_done_once_a_client_and_a_setting_spares_it():
    with pages({"/v1/models": listed(max_model_len=16384)}) as (url, asked):
        async with client_for(url) as client:
            assert (await client.window("m")).tokens == 16384
            assert (await client.window("m")).source == "/models"
            assert asked == ["/v1/models"]
        async with client_for(url, window=4000) as client:
            assert await client.window("m") == (4000, "GEM_LLM_CONTEXT_WINDOW", True)
        assert asked == ["/v1/models"]


async def test_a_request_that_is_too_long_is_asked_again_with_what_fits():
    def script(number, body):
        if 1000 + body["max_tokens"] > 5000:
            return openai_words(5000, 1000, body["max_tokens"])
        return answer(prompt_tokens=1000)

    async with serving(script) as (endpoint, url), client_for(url) as client:
        completion = await client.complete(request("hello " * 700, max_tokens=9000))
        assert [body["max_tokens"] for body in endpoint.requests] == [9000, 5000 - 1000 - 16]
        assert completion.calls == 2
        await client.complete(request("hello " * 700, max_tokens=9000))
        assert len(endpoint.requests) == 3


async def test_what_is_not_sent_counts_as_no_call():
    async with serving(lambda number, body: answer()) as (endpoint, url), client_for(url, window=1000) as client:
        with pytest.raises(Exception, match="do not fit the window of 1,000") as caught:
            await client.complete(request("hello " * 4000))
        assert (caught.value.calls, endpoint.requests) == (0, [])


def test_the_setting_is_a_stages_or_common_and_never_in_the_recipe(monkeypatch, workspace):
    from gem_tasks.settings import load

    monkeypatch.setenv("GEM_LLM_CONTEXT_WINDOW", "16384")
    monkeypatch.setenv("GEM_LLM_CONTEXT_WINDOW_FILTER", "4096")
    settings = load()
    assert settings.options_for("filter").context_window == 4096
    assert settings.options_for("revise").context_window == 16384
    other = settings.model_copy(update={"llm_stages": {"refine": StageSettings(model="large")}})
    assert other.options_for("refine").context_window is None
    plain = workspace()
    assert workspace(llm_requests=settings.llm_requests).recipe_ids() == plain.recipe_ids()
    monkeypatch.setenv("GEM_LLM_CONTEXT_WINDOW", "many")
    with pytest.raises(UserError, match="GEM_LLM_CONTEXT_WINDOW"):
        load()


@pytest.mark.parametrize(("tokens", "most"), [(None, 2400), (16384, 2400), (8192, 392), (4096, 300)])
def test_segments_of_new_documents_are_cut_to_what_the_models_take(workspace, tmp_path, tokens, most):
    (tmp_path / "book.txt").write_text("\n\n".join(LONG * 12 for _ in range(60)))
    work = workspace(llm_requests=window(tokens) if tokens else {}, segment_target_tokens=2400)
    ingest(work, str(tmp_path / "book.txt"), PARTITION)
    with work.ledger() as ledger:
        largest = ledger.pg.execute("SELECT max(tokens) AS n FROM segments").fetchone()["n"]
    assert most * 0.6 < largest <= most
    assert isinstance(work.settings, Settings)
    assert work.chain.root.params["max"] == 2400


def test_a_source_with_sizes_of_its_own_keeps_them(workspace):
    from gem_tasks.domain.corpus import Source
    from gem_tasks.pipeline.ingest.prepare import Rules

    rules = Rules.of(Source(uri="u", max_tokens=5000), workspace().settings, 800)
    assert (rules.target_tokens, rules.max_tokens) == (800, 5000)
