"""What a stage has of its own: by variable, wherever variables come from, over what all stages have."""

import os

import pytest

from gem_tasks.domain.key_source import KeyCommand
from gem_tasks.domain.stage import ASKS_LIKE, HAVE_SETTINGS
from gem_tasks.errors import UserError
from gem_tasks.settings import load


@pytest.fixture(autouse=True)
def empty(monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.upper().startswith("GEM_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GEM_HOME", str(tmp_path))


@pytest.mark.parametrize("stage", HAVE_SETTINGS)
def test_every_stage_may_have_an_endpoint_a_key_a_model_and_a_mode_of_its_own(monkeypatch, stage):
    for name, value in {"BASE_URL": "http://own/v1", "API_KEY": "own", "MODEL": "large", "MODE": "batch"}.items():
        monkeypatch.setenv(f"GEM_LLM_{name}_{stage.upper()}", value)
    monkeypatch.setenv("GEM_LLM_BASE_URL", "http://common/v1")
    monkeypatch.setenv("GEM_LLM_API_KEY", "common")
    found = load()
    for name in (stage, *(each for each, like in ASKS_LIKE.items() if like == stage)):
        assert found.endpoint_for(name) == "http://own/v1"
        assert (found.key_for(name), found.model_for(name), found.mode_for(name)) == ("own", "large", "batch")
    other = next(each for each in HAVE_SETTINGS if each != stage)
    assert (found.endpoint_for(other), found.key_for(other)) == ("http://common/v1", "common")
    assert (found.model_for(other), found.mode_for(other)) == ("offline-rules", "online")


def test_the_environment_comes_before_what_gem_up_left_and_an_empty_variable_is_none(monkeypatch, tmp_path):
    lines = ("GEM_LLM_MODEL_FILTER='left'", 'GEM_LLM_MODEL_REFINE="left too"', "export GEM_LLM_TEMPERATURE_FILTER=0.5")
    (tmp_path / "services.env").write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.setenv("GEM_LLM_MODEL_FILTER", "set")
    monkeypatch.setenv("GEM_LLM_MODEL_REFINE", "")
    monkeypatch.setenv("gem_llm_model_validate", "in lower case")
    found = load({"GEM_LLM_MODEL_EXTRACT": "connected"})
    assert [found.model_for(name) for name in ("filter", "extract", "generate", "refine", "validate")] == [
        "set", "connected", "offline-rules", "left too", "in lower case"
    ]  # fmt: skip
    assert found.options_for("filter").temperature == 0.5


def test_a_key_of_all_is_not_shown_to_the_endpoint_of_one(monkeypatch):
    for name, value in {"BASE_URL": "http://a/v1", "API_KEY": "k", "BASE_URL_FILTER": "http://b/v1"}.items():
        monkeypatch.setenv(f"GEM_LLM_{name}", value)
    assert load().key_for("filter") is None
    monkeypatch.setenv("GEM_LLM_API_KEY_COMMAND_FILTER", "print-key 'team a'")
    assert load().key_for("filter") == KeyCommand(("print-key", "team a"))


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("GEM_LLM_MODE_FILTER", "sometimes", "'online' or 'batch'"),
        ("GEM_LLM_API_KEY_COMMAND_VALIDATE", " ", "the command is empty"),
        ("GEM_LLM_MODE", "sometimes", "'online' or 'batch'"),
    ],
)
def test_a_value_that_does_not_fit_is_named(monkeypatch, name, value, complaint):
    monkeypatch.setenv(name, value)
    with pytest.raises(UserError) as caught:
        load()
    assert caught.value.cause.startswith(f"{name}: ")
    assert complaint in caught.value.cause


def test_secrets_of_a_stage_are_known_by_their_variables(monkeypatch):
    monkeypatch.setenv("GEM_LLM_API_KEY_FILTER", "key-of-the-filter")
    monkeypatch.setenv("GEM_LLM_BASE_URL_VALIDATE", "http://me:hidden@host/v1")
    found = load()
    assert set(found.secrets()) == {
        ("GEM_LLM_API_KEY_FILTER", "key-of-the-filter"), ("GEM_LLM_BASE_URL_VALIDATE", "hidden")
    }  # fmt: skip
    assert "key-of-the-filter" not in repr(found)


def test_models_of_a_run_take_the_place_of_those_that_are_set(monkeypatch):
    monkeypatch.setenv("GEM_LLM_MODEL_FILTER", "set")
    monkeypatch.setenv("GEM_LLM_MODE_FILTER", "batch")
    found = load().with_models({"filter": "of the run", "refine": "of the run"})
    assert found.model_for("filter") == found.model_for("revise") == "of the run"
    assert found.mode_for("filter") == "batch"
    assert found.with_models({"filter": None}).model_for("filter") == "offline-rules"
