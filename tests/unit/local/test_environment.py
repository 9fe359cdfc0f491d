"""What `gem up` writes down is read back as it was."""

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
