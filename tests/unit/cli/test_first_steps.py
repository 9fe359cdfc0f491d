"""What a newcomer is told: the version, and texts to begin with that exist wherever GEM is installed."""

from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gem_tasks.cli import services
from gem_tasks.cli.main import app
from gem_tasks.errors import UserError
from gem_tasks.resources import shipped


def test_the_version():
    told = CliRunner().invoke(app, ["--version"])
    assert (told.exit_code, told.stdout) == (0, f"gem {version('gem-tasks')}\n")


def test_the_examples_are_named_from_where_one_is(tmp_path, monkeypatch):
    monkeypatch.chdir(shipped("examples").parent)
    assert services._examples() == "examples/corpus"
    monkeypatch.chdir(tmp_path)
    assert Path(services._examples()) == shipped("examples") / "corpus"
    assert list(Path(services._examples()).glob("*.md"))


def test_services_do_not_start_with_settings_that_every_run_would_refuse(monkeypatch):
    monkeypatch.setenv("GEM_QUOTAS", "task:custmer_support=10%")
    monkeypatch.setattr(services.services, "up", lambda **_: pytest.fail("it started"))
    with pytest.raises(UserError, match="there is no task 'custmer_support'"):
        CliRunner().invoke(app, ["up"], catch_exceptions=False)
