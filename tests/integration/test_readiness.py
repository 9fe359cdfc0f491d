"""Readiness: one small real question to each model of the stages, against every provider's manners."""

import pytest
from aiohttp import web
from pydantic import SecretStr

from gem_tasks.cli.preflight import preflight
from gem_tasks.domain.evaluation import Endpoint
from gem_tasks.domain.request_options import RequestOptions
from gem_tasks.domain.stage import STAGE_NAMES
from gem_tasks.domain.stage_settings import StageSettings
from gem_tasks.errors import UserError
from gem_tasks.evals.health import require_healthy
from gem_tasks.local.doctor import examine
from gem_tasks.pipeline.preflight.readiness import check_models
from tests.corpus import EXAMPLES
from tests.doubles.providers import REFUSING, WORKING
from tests.doubles.serving import Provider, error, message_of

MOST_WASTED = 3


def as_it_is(provider, body):
    return provider.served(body)


class listing:
    """Answers everything, and lists other models."""

    def __init__(self, *names, answer=as_it_is):
        self.names, self.answer = names, answer

    def __call__(self, provider, body):
        return self.answer(provider, body)

    def models(self, request):
        return web.json_response({"object": "list", "data": [{"id": name, "object": "model"} for name in self.names]})


@pytest.fixture
def serve(teacher_url):
    """Starts providers that are stopped at the end."""
    started = []

    def start(manner):
        provider = Provider(teacher_url, manner)
        started.append(provider)
        return provider.__enter__()

    yield start
    for provider in started:
        provider.__exit__(None, None, None)


TEMPERAMENTAL = {"openrouter", "openai-rate", "gemini", "gemini-no-schema", "deepseek", "groq", "llamacpp", "lmstudio"}
"""Those that fail now and then, or at first, whoever asks."""


@pytest.mark.parametrize("name", WORKING)
def test_what_the_question_teaches_is_kept_and_all_stages_are_told_of(serve, workspace, name):
    provider = serve(WORKING[name])
    work = workspace(llm_base_url=provider.url)
    first = check_models(work.settings, work.store)
    assert {stage for each in first for stage in each.stages} == set(STAGE_NAMES)
    assert [each.cause for each in first if not each.ok] == []
    assert all(each.reply.said or each.reply.note for each in first)
    odd = name in TEMPERAMENTAL
    assert odd or provider.refused <= MOST_WASTED
    refused, asked = provider.refused, len(provider.asked)
    again = check_models(work.settings, work.store)
    assert odd or provider.refused == refused
    errors = 2 if odd else 0
    assert len(again) <= len(provider.asked) - asked <= len(again) + errors
    assert [each.dialect for each in again][-1] == first[-1].dialect


@pytest.mark.parametrize("name", REFUSING)
def test_who_refuses_everything_is_asked_once_and_quoted(serve, workspace, tmp_path, name):
    manner, kind = REFUSING[name]
    provider = serve(manner)
    work = workspace(llm_base_url=provider.url)
    (found,) = check_models(work.settings, work.store)
    assert (len(provider.asked), found.ok, found.error_class) == (1, False, kind)
    assert found.stages and set(found.stages) == set(STAGE_NAMES)
    assert ("credit" in found.fix) == (kind == "no_credit")
    said = {"billing": "You exceeded your current quota", "no-balance": "Insufficient Balance"}
    assert said.get(name, "") in found.cause
    with pytest.raises(UserError, match=kind):
        preflight(work, str(EXAMPLES), quiet=True)


def test_a_model_that_the_list_lacks_and_that_answers_is_ready(serve, workspace, capsys):
    provider = serve(listing("gpt-4o", "text-embedding-3-small"))
    work = workspace(llm_base_url=provider.url)
    found = check_models(work.settings, work.store)
    assert all(each.ok and "does not name it, but it answered" in each.hint for each in found)
    preflight(work, str(EXAMPLES))
    assert "does not name it" in capsys.readouterr().err
    require_healthy(Endpoint(base_url=provider.url, model="my-deployment"))


def test_a_model_that_there_is_not_is_named_beside_those_there_are(serve, workspace):
    refusal = lambda provider, body: error(404, "no such model", code="model_not_found")  # noqa: E731
    provider = serve(listing("gpt-4o", answer=refusal))
    work = workspace(llm_base_url=provider.url)
    (found,) = check_models(work.settings, work.store)
    assert (found.error_class, len(provider.asked)) == ("unknown_model", 1)
    assert "no such model" in found.cause
    assert "gpt-4o" in found.cause
    with pytest.raises(UserError, match=r"with model 'm'.*no such model.*gpt-4o"):
        require_healthy(Endpoint(base_url=provider.url, model="m"))


def test_one_model_that_fails_hides_nothing_of_the_others(serve, workspace):
    good, bad = serve(as_it_is), serve(lambda provider, body: error(401, "wrong key", code="invalid_api_key"))
    work = workspace(
        llm_base_url=good.url, llm_stages={"refine": StageSettings(base_url=bad.url, api_key=SecretStr("k"))}
    )
    found = check_models(work.settings, work.store)
    assert {each.stages: each.ok for each in found} == {
        ("filter", "extract", "generate"): True, ("validate", "revalidate"): True, ("refine", "revise"): False
    }  # fmt: skip
    assert "k" not in [bad_key for each in found for bad_key in each.cause.split()]


def test_stages_with_other_options_are_asked_on_their_own_and_refused_options_are_named(serve, workspace):
    def picky(provider, body):
        if body.get("temperature") == 0.3:
            return error(400, "'temperature' does not support 0.3", param="temperature", code="unsupported_value")
        return provider.served(body)

    provider = serve(picky)
    own = {"generate": RequestOptions(temperature=0.3, extra_headers={"X-Team": "a"})}
    work = workspace(llm_base_url=provider.url, llm_requests=own)
    found = {each.stages: each for each in check_models(work.settings, work.store)}
    assert not found["generate",].ok
    assert "GEM_LLM_TEMPERATURE" in found["generate",].fix
    assert found["filter", "extract", "refine", "revise"].ok


def test_a_key_that_only_the_workers_have_does_not_stop_a_run(serve, workspace, capsys):
    provider = serve(lambda provider, body: error(401, "no key", code="invalid_api_key"))
    work = workspace(llm_base_url=provider.url)
    preflight(work, str(EXAMPLES), elsewhere=True)
    assert "the workers may have one" in capsys.readouterr().err
    with pytest.raises(UserError, match="The request had no key"):
        preflight(work, str(EXAMPLES))
    keyed = workspace(llm_base_url=provider.url, llm_api_key=SecretStr("wrong"))
    with pytest.raises(UserError, match="no key"):
        preflight(keyed, str(EXAMPLES), elsewhere=True)


def test_an_endpoint_at_its_limit_is_ready_and_says_so(serve, workspace, monkeypatch):
    monkeypatch.setattr("gem_tasks.pipeline.preflight.readiness._PATIENCE_S", 0.1)
    provider = serve(lambda provider, body: error(429, "slow down", "tokens", code="rate_limit_exceeded"))
    work = workspace(llm_base_url=provider.url)
    found = check_models(work.settings, work.store)
    assert all(each.ok and "slow down" in each.reply.note for each in found)


def test_the_doctor_shows_what_each_model_said(serve, workspace):
    def noisy(provider, body):
        return provider.served(body, lambda answer: message_of(answer).update(content="\x1b]0;title\x07 " + "x" * 99))

    provider = serve(noisy)
    found = [each for each in examine(workspace(llm_base_url=provider.url).settings) if each.name == "model"]
    assert all(each.ok for each in found)
    said = found[0].model_dump(mode="json")["model"]
    assert said["reply"]["said"].startswith("\x1b]0;title\x07 xxx")
    assert len(said["reply"]["said"]) == 60
    assert (said["dialect"], said["priced"], said["window"]) == ("as usual", True, None)


def test_a_server_error_may_pass_so_a_run_starts_and_says_so(serve, workspace, capsys):
    provider = serve(lambda provider, body: error(500, "Oh no", "server_error"))
    work = workspace(llm_base_url=provider.url, llm_max_attempts=1)
    preflight(work, str(EXAMPLES))
    assert "The error may be temporary, so the run starts" in " ".join(capsys.readouterr().err.split())
