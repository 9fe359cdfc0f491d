"""`gem doctor --security` tells what holds here by trying it."""

import json

from typer.testing import CliRunner

from gem_tasks.cli.main import app
from gem_tasks.confine import means
from gem_tasks.local import security
from gem_tasks.settings import Settings


def named(found):
    return {each.name: each for each in found}


def test_what_a_program_of_others_reaches_is_said(monkeypatch):
    monkeypatch.setattr(means, "best", means._limits_only)
    found = named(security.examine(Settings()))
    assert not found["confinement"].ok
    assert found["attempted escape"].detail == "a third-party program reaches GEM's files and network"
    assert "bubblewrap" in found["attempted escape"].fix


def test_each_setting_that_opens_something_is_told():
    opened = named(security.examine(Settings(sandbox="off", trust_remote_code=True)))
    assert not opened["code of profiles"].ok
    assert "GEM_SANDBOX=auto" in opened["confinement"].fix
    assert "set GEM_SOURCE_ROOTS" in opened["sources"].detail
    closed = named(security.examine(Settings(source_roots="/data", eval_endpoints="https://models.example/v1")))
    assert closed["code of profiles"].ok
    assert closed["sources"].ok and closed["endpoints"].ok


def test_the_command_prints_json_and_ends_with_2_when_something_is_open(monkeypatch, tmp_path):
    monkeypatch.setenv("GEM_HOME", str(tmp_path))
    monkeypatch.setenv("GEM_SANDBOX", "off")
    done = CliRunner().invoke(app, ["doctor", "--security", "--json"])
    assert done.exit_code == 2
    names = [each["name"] for each in json.loads(done.stdout)]
    assert names[:2] == ["confinement", "attempted escape"]
    assert set(json.loads(done.stdout)[0]) == {"name", "ok", "detail", "fix", "model"}
