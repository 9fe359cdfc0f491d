"""What `gem up` writes down is read back as it was."""

import sys

import pytest
from dotenv import dotenv_values

from gem_tasks.local.environment import gem_env, quoted
from gem_tasks.local.state import SERVICES, State


@pytest.mark.parametrize("value", ["/home/o'neil/My Wörk", 'a"b', "back\\slash", "a\\'b", "#no comment", "x=y"])
def test_a_value_survives_the_file(tmp_path, value):
    (tmp_path / "services.env").write_text(f"GEM_STORE_URL={quoted(value)}\n", encoding="utf-8")
    assert dotenv_values(tmp_path / "services.env") == {"GEM_STORE_URL": value}


def test_services_get_an_absolute_home(tmp_path, monkeypatch):
    monkeypatch.setenv("GEM_HOME", "relative")
    state = State(ports=dict.fromkeys(SERVICES, 1))
    assert gem_env(tmp_path / "relative", state, "postgresql://x")["GEM_HOME"] == str(tmp_path / "relative")


@pytest.mark.parametrize(
    ("installed", "given", "endpoint"),
    [
        (True, None, "http://127.0.0.1:7/v1"),
        (True, "http://model/v1", "http://model/v1"),
        (False, None, None),
        (False, "http://model/v1", "http://model/v1"),
    ],
)
def test_the_endpoint_is_the_users_or_that_of_an_installed_teacher(tmp_path, monkeypatch, installed, given, endpoint):
    monkeypatch.delenv("GEM_LLM_BASE_URL", raising=False)
    if given:
        monkeypatch.setenv("GEM_LLM_BASE_URL", given)
    if not installed:
        monkeypatch.setitem(sys.modules, "offline_teacher", None)
    state = State(ports=dict.fromkeys(SERVICES, 7))
    assert gem_env(tmp_path, state, "postgresql://x").get("GEM_LLM_BASE_URL") == endpoint
