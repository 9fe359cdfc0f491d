"""Models asked before a run: each question once, in turn until one fails, with the endpoint's own words."""

import pytest

from gem_tasks.domain.chat import Usage
from gem_tasks.domain.stage import STAGE_NAMES
from gem_tasks.domain.stage_settings import StageSettings
from gem_tasks.errors import EndpointError, ErrorClass, UserError
from gem_tasks.llm.dialects.dialect import Dialect
from gem_tasks.llm.question import Reply
from gem_tasks.pipeline.preflight import readiness as module
from gem_tasks.pipeline.preflight.readiness import check_models, require_models
from gem_tasks.settings import Settings

URL = "http://127.0.0.1:1/v1"


class Window:
    tokens = 32_000


class Client:
    """Stands for the connection: the questions go to `ask`."""

    def __init__(self, endpoint, key, **_):
        self.endpoint = endpoint

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        pass

    async def window(self, model):
        return Window

    def dialect_of(self, model):
        return Dialect()


@pytest.fixture
def endpoint(monkeypatch):
    """As `(answers, names)`: what it says to each question, and the models that it lists."""
    asked = []

    async def ask(client, request):
        asked.append((client.endpoint, request.model, bool(request.answer_schema)))
        found = script[request.model].pop(0) if script.get(request.model) else Reply(said="True", usage=Usage())
        if isinstance(found, Exception):
            raise found
        return found

    async def listed(client):
        if isinstance(names[0] if names else None, Exception):
            raise names[0]
        return names

    script, names = {}, []

    def make(*answers, listing=(), model="mine"):
        script[model] = list(answers)
        names[:] = listing
        return asked

    monkeypatch.setattr(module, "OpenAIClient", Client)
    monkeypatch.setattr(module, "ask", ask)
    monkeypatch.setattr(module, "listed", listed)
    monkeypatch.setattr(module, "_LOADING_S", 0)
    return make


def settings(**changes):
    return Settings(**{"llm_base_url": URL, "llm_model": "mine", **changes})


def fault(error_class, detail="says the endpoint"):
    return EndpointError(error_class, detail)


def test_each_shape_is_asked_once_and_all_stages_are_ready(endpoint):
    asked, told = endpoint(), []
    found = require_models(settings(), None, lambda done, total: told.append((done, total)))
    assert sorted(stage for each in found for stage in each.stages) == sorted(STAGE_NAMES)
    assert len(asked) == len(found) == len(set(asked))
    assert {(each.window, each.priced, each.hint) for each in found} == {(32_000, False, "")}
    assert told[0] == (0, len(found))
    assert told[-1] == (len(found), len(found))


def test_after_a_fault_the_endpoint_is_asked_nothing_more_for_that_model(endpoint):
    asked = endpoint(Reply(said="True"), fault(ErrorClass.AUTH))
    ready, failed = check_models(settings(), None)
    assert (ready.ok, failed.ok, len(asked)) == (True, False, 2)
    assert sorted([*ready.stages, *failed.stages]) == sorted(STAGE_NAMES)
    assert (failed.error_class, failed.keyless) == (ErrorClass.AUTH, True)
    assert "cannot be used with model 'mine' for" in failed.cause
    assert "says the endpoint" in failed.cause
    assert "The request had no key" in failed.fix


def test_another_models_fault_does_not_matter_to_this_one(endpoint):
    endpoint(fault(ErrorClass.TIMEOUT), model="other")
    found = check_models(settings(llm_stages={"filter": StageSettings(model="other")}), None)
    assert [each.model for each in found if not each.ok] == ["other"]
    with pytest.raises(UserError, match="model 'other'"):
        module.raise_for(found)


def test_a_model_that_the_endpoint_does_not_list_is_pointed_out(endpoint):
    endpoint(listing=["yours", "mine"])
    assert {each.hint for each in check_models(settings(), None)} == {""}
    endpoint(listing=["yours"])
    assert {each.hint for each in check_models(settings(), None)} == {
        "the endpoint's list of models does not name it, but it answered"
    }
    endpoint(fault(ErrorClass.UNKNOWN_MODEL), listing=["yours", "theirs"])
    (failed,) = check_models(settings(), None)
    assert failed.hint == "the endpoint does not list it, but yours, theirs"
    assert failed.fix == "Set GEM_LLM_MODEL (or that of the stage) to a model that the endpoint has."


def test_a_list_that_does_not_come_is_done_without(endpoint):
    endpoint(fault(ErrorClass.UNKNOWN_MODEL), listing=[TimeoutError()])
    (failed,) = check_models(settings(), None)
    assert failed.hint == ""


def test_a_model_that_is_being_loaded_is_waited_for_and_another_server_error_is_not(endpoint):
    loading = fault(ErrorClass.SERVER_ERROR, "the model is Loading")
    asked = endpoint(loading, loading, Reply(said="True"))
    found = check_models(settings(), None)
    assert all(each.ok for each in found)
    assert len(asked) == len(found) + 2
    endpoint(fault(ErrorClass.SERVER_ERROR, "out of memory"))
    (failed,) = check_models(settings(), None)
    assert "out of memory" in failed.cause


def test_an_answer_that_does_not_come_in_time_is_a_timeout(endpoint):
    endpoint(TimeoutError())
    (failed,) = check_models(settings(), None)
    assert (failed.error_class, failed.ok) == (ErrorClass.TIMEOUT, False)
    assert "no answer to a short question" in failed.cause


def test_a_proxy_is_named_and_doubted(endpoint, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://user:secret@proxy.example:3128")
    endpoint(fault(ErrorClass.CONNECTION))
    (failed,) = check_models(settings(llm_base_url="http://models.example/v1"), None)
    assert "through the proxy http://proxy.example:3128" in failed.cause.replace("***@", "")
    assert "secret" not in failed.cause
    assert "name the host in NO_PROXY" in failed.fix
