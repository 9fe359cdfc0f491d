"""What is said of a model that answers, and of one that does not: who, why, and what to do."""

import pytest

from gem_tasks.domain.chat import Usage
from gem_tasks.domain.stage import STAGE_NAMES
from gem_tasks.domain.stage_settings import StageSettings
from gem_tasks.errors import EndpointError, ErrorClass, UserError
from gem_tasks.llm.question import Reply
from gem_tasks.pipeline.preflight.readiness import Ready, _fixes, _Place, _questions, raise_for
from gem_tasks.settings import Settings

URL = "http://models.example/v1"


def ready(**changes):
    values = {
        "stages": ("filter", "validate"), "endpoint": URL, "model": "m", "form": "text", "ok": True,
        "reply": Reply(said="True", usage=Usage(prompt_tokens=90, completion_tokens=4), seconds=1.26),
        "dialect": "plain",
    }  # fmt: skip
    return Ready(**{**values, **changes})


def test_a_line_has_the_answer_its_cost_the_window_and_the_price():
    assert ready(window=32768, priced=True).line == (
        f'filter, validate: m at {URL} said "True" (text, 1.3 s, 90 + 4 tokens); dialect plain;'
        " window 32,768 tokens; price known"
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "window unknown"),
        ({}, "no price known (GEM_LLM_PRICES)"),
        ({"hint": "not listed"}, "; not listed"),
        ({"reply": Reply(note="the answer is empty")}, "the answer is empty"),
        ({"reply": Reply(usage=Usage(prompt_tokens=9, cached_tokens=7))}, "(7 cached)"),
        ({"reply": Reply(usage_fault="missing")}, "as counted by GEM: the endpoint reports none"),
        ({"reply": Reply(usage_fault="impossible")}, "cannot be true"),
        ({"ok": False, "cause": "It cannot be used"}, "It cannot be used"),
    ],
)
def test_a_line_says_what_is_odd(changes, said):
    assert said in ready(**changes).line


def test_those_that_are_not_ready_stop_the_run_and_the_rest_is_counted():
    raise_for([ready(), ready()])
    broken = ready(ok=False, cause="No.", fix="Do it.")
    with pytest.raises(UserError, match=r"No\. \(and 1 more, see `gem doctor`\)"):
        raise_for([ready(), broken, broken])


def test_stages_that_ask_alike_are_asked_once_for_each_shape():
    places = _questions(Settings(llm_base_url=URL, llm_model="m"))
    assert len(places) == 1
    (shapes,) = places.values()
    assert sorted(name for asked in shapes.values() for name in asked.stages) == sorted(STAGE_NAMES)
    assert len(shapes) < len(STAGE_NAMES)


def test_another_endpoint_or_window_is_another_question():
    made = Settings(
        llm_base_url=URL, llm_model="m", llm_stages={"filter": StageSettings(base_url="http://other.example/v1")}
    )
    assert len(_questions(made)) == 2
    with pytest.raises(UserError, match="No LLM endpoint"):
        _questions(Settings())


def place(key="k", model="m"):
    return _Place(URL, model, key, (), None, None, None)


@pytest.mark.parametrize(
    ("error_class", "key", "names", "fix"),
    [
        (
            ErrorClass.UNKNOWN_MODEL,
            "k",
            ["a"],
            "(or that of the stage) to a model that the endpoint has.",
        ),
        (ErrorClass.AUTH, None, [], "The request had no key: set GEM_LLM_API_KEY"),
        (ErrorClass.AUTH, "k", [], "GEM_LLM_API_KEY"),
    ],
)
def test_the_fix_follows_from_the_class_and_from_what_the_endpoint_lists(monkeypatch, error_class, key, names, fix):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    (said,) = _fixes(EndpointError(error_class, "x"), place(key), names)
    assert fix in said


def test_a_proxy_is_named_as_what_may_refuse(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    assert "NO_PROXY" in list(_fixes(EndpointError(ErrorClass.AUTH, "x"), place(), []))[-1]
