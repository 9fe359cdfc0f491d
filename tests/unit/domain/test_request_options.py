"""What a user asks to be sent: by stage, over the common, in the recipe where it changes answers."""

import pytest

from gem_tasks.domain.chat import Sampling
from gem_tasks.domain.key_source import KeyCommand
from gem_tasks.domain.request_options import read_options
from gem_tasks.domain.stage import STAGE_NAMES
from gem_tasks.errors import UserError
from gem_tasks.pipeline.recipes import Chain
from gem_tasks.settings import Settings, load


def settings(monkeypatch, **values):
    for name, value in values.items():
        monkeypatch.setenv(f"GEM_LLM_{name}", value)
    return load()


def test_a_stages_own_value_comes_before_the_common_and_that_before_the_recommended(monkeypatch):
    found = settings(
        monkeypatch, TEMPERATURE="0.5", TEMPERATURE_REFINE="off", MAX_TOKENS_FILTER="99", EXTRA_BODY='{"k": 1}'
    )
    chain = Chain(found)
    assert chain.asking("filter").sampling.params == {"temperature": 0.5, "max_tokens": 99, "extra_body": {"k": 1}}
    assert chain.asking("refine").sampling.temperature is None
    assert chain.asking("refine").sampling.insisted == {"temperature", "extra_body", "k"}


def test_what_changes_answers_is_in_the_recipe_and_what_is_transport_is_not(monkeypatch):
    usual = Chain(Settings()).id_of("validate")
    transport = settings(monkeypatch, EXTRA_HEADERS='{"X-Team": "hush"}', STREAM="true")
    assert Chain(transport).id_of("validate") == usual
    assert "hush" not in repr(transport) + str(transport)
    assert transport.options_for("filter").headers == {"X-Team": "hush"}
    for name, value in (
        ("TEMPERATURE", "0.1"),
        ("MAX_TOKENS", "7"),
        ("REASONING_EFFORT", "low"),
        ("EXTRA_BODY", '{"a": 1}'),
    ):
        with monkeypatch.context() as patched:
            assert Chain(settings(patched, **{name: value})).id_of("validate") != usual


def test_common_headers_are_not_shown_to_the_endpoint_of_a_stage(monkeypatch):
    found = settings(
        monkeypatch, BASE_URL="http://a/v1", BASE_URL_FILTER="http://b/v1", EXTRA_HEADERS='{"X-Key": "s"}',
        EXTRA_HEADERS_VALIDATE='{"X-Own": "t"}',
    )  # fmt: skip
    assert found.options_for("filter").headers == {}
    assert found.options_for("extract").headers == {"X-Key": "s"}
    assert found.options_for("validate").headers == {"X-Own": "t"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GEM_LLM_TEMPERATURE", "warm"),
        ("GEM_LLM_TEMPERATURE_FILTER", "-1"),
        ("GEM_LLM_MAX_TOKENS", "0"),
        ("GEM_LLM_EXTRA_BODY", "[secret]"),
        ("GEM_LLM_EXTRA_BODY", '{"model": "x"}'),
        ("GEM_LLM_EXTRA_HEADERS", '{"X": "secret\\r\\nY: z"}'),
        ("GEM_LLM_EXTRA_HEADERS", '{"Host": "secret"}'),
        ("GEM_LLM_STREAM", "perhaps"),
    ],
)
def test_a_value_that_does_not_fit_is_named_and_not_shown(name, value):
    with pytest.raises(UserError, match=name) as caught:
        read_options({name: value}, STAGE_NAMES)
    assert "secret" not in str(caught.value)


def test_nothing_set_leaves_the_recommended_as_it_is():
    recommended = Sampling(temperature=0, max_tokens=5)
    assert Settings().options_for("filter").applied_to(recommended) is recommended


def test_a_command_for_the_key_wins_and_follows_the_rule_of_keys(monkeypatch):
    found = settings(
        monkeypatch, BASE_URL="http://a/v1", API_KEY="k", API_KEY_COMMAND="print-key --for 'team a'",
        BASE_URL_FILTER="http://b/v1", API_KEY_REFINE="own",
    )  # fmt: skip
    assert found.key_for("extract") == KeyCommand(("print-key", "--for", "team a"))
    assert found.key_for("filter") is None, "the common key is for the common endpoint"
    assert found.key_for("refine") == "own"
    with pytest.raises(UserError, match=r"GEM_LLM_API_KEY_COMMAND: .*No closing quotation"):
        settings(monkeypatch, API_KEY_COMMAND="print-key 'team a")


def test_which_api_is_spoken_is_transport_and_is_for_the_common_endpoint_only(monkeypatch):
    usual = Chain(Settings()).id_of("validate")
    found = settings(monkeypatch, API="anthropic", BASE_URL_FILTER="http://b/v1")
    assert Chain(found).id_of("validate") == usual
    assert (found.options_for("extract").api, found.options_for("filter").api) == ("anthropic", None)
    with pytest.raises(UserError, match="GEM_LLM_API: "):
        settings(monkeypatch, API="responses")
