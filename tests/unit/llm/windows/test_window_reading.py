"""The window as servers state it, in each one's own place."""

import json
from contextlib import contextmanager

import httpx2
import pytest

from gem_tasks.llm.windows import reading as module
from gem_tasks.llm.windows.reading import Reading, read_window


@pytest.fixture
def read(monkeypatch):
    """As `(pages by path, base URL) -> Reading`; a page is what the server answers with, or an exception."""

    def make(pages, base_url="http://host:8000/v1", model="m"):
        asked = []

        @contextmanager
        def client(timeout):
            def answered(request):
                asked.append(request.url.path)
                page = pages.get(request.url.path)
                if isinstance(page, Exception):
                    raise page
                if page is None:
                    return httpx2.Response(404, content=iter([b"{}"]))
                return httpx2.Response(
                    200, content=iter([page if isinstance(page, bytes) else json.dumps(page).encode()])
                )

            with httpx2.Client(transport=httpx2.MockTransport(answered)) as made:
                yield made

        monkeypatch.setattr("gem_tasks.http_clients.client", client)
        found = read_window(base_url, "key", None, model)
        make.asked = asked
        return found

    return make


def models(*entries):
    return {"/v1/models": {"object": "list", "data": list(entries)}}


@pytest.mark.parametrize(
    ("entry", "tokens", "served"),
    [
        ({"max_model_len": 32768}, 32768, True),
        ({"max_model_len": 8192, "context_length": 131072}, 8192, True),
        ({"context_length": 131072}, 131072, False),
        ({"context_length": 131072, "top_provider": {"context_length": 65536}}, 65536, False),
        ({"limits": {"max_input_tokens": "200000"}}, 200000, False),
        ({"context_window": 4096.0}, 4096, False),
    ],
)
def test_the_list_of_models_states_it(read, entry, tokens, served):
    assert read(models({"id": "other", "max_model_len": 512}, {"id": "m", **entry})) == Reading(
        tokens, "/models", served
    )


@pytest.mark.parametrize("value", [None, True, -1, 0, 255, "many", "", [4096], 1 << 40, float("inf")])
def test_what_is_no_number_of_tokens_is_no_window(read, value):
    assert read(models({"id": "m", "context_length": value})) is None


@pytest.mark.parametrize("name", ["m", "models/m", "m:latest"])
def test_a_name_may_be_written_in_the_servers_way(read, name):
    assert read(models({"id": name, "max_model_len": 4096})).tokens == 4096


def test_llama_cpp_states_the_window_of_one_request_whatever_the_model_is_called(read):
    entry = {"id": "file.gguf", "owned_by": "llamacpp"}
    props = {"default_generation_settings": {"n_ctx": 4096}, "n_ctx": 8192}
    assert read(models(entry) | {"/props": props}) == Reading(4096, "/props", True)
    assert read(models(entry) | {"/props": {"n_ctx": 8192}}) == Reading(8192, "/props", True)
    assert read(models({**entry, "context_length": 2048})) == Reading(2048, "/models", False)
    assert read(models(entry, {**entry, "id": "second"}) | {"/props": props}) is None, "which of the two is not known"


def test_ollama_and_lm_studio_state_what_is_loaded(read):
    loaded = {"/api/ps": {"models": [{"name": "m:latest", "context_length": 4096}]}}
    assert read(models({"id": "m", "owned_by": "library"}) | loaded) == Reading(4096, "/api/ps", True)
    assert read(loaded, "http://host:11434/v1") == Reading(4096, "/api/ps", True)
    assert read({}, "http://host:11434/v1") is None
    studio = {"/api/v0/models": {"data": [{"id": "m", "loaded_context_length": 4096, "max_context_length": 32768}]}}
    assert read(studio, "http://host:1234/v1") == Reading(4096, "/api/v0/models", True)
    assert read(models({"id": "m", "owned_by": "organization_owner", "context_length": 999})) == Reading(
        999, "/models", False
    )


@pytest.mark.parametrize(
    "page",
    [b"no json", b"[" * 100_000, {"data": None}, {"data": ["m"]}, "m", 3, httpx2.ConnectError("refused"), OSError("x")],
)
def test_any_failure_counts_as_unknown(read, page):
    assert read({"/v1/models": page}) is None


def test_a_bare_list_is_a_list(read):
    assert read({"/v1/models": [{"id": "m", "max_model_len": 4096}]}).tokens == 4096
    assert module._whole("4096") == 4096
