"""`gem doctor --security` tells what holds here by trying it."""

import json
import os

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from gem_tasks.cli.main import app
from gem_tasks.confine import means
from gem_tasks.local import security
from gem_tasks.local.security_edges import pytorch
from gem_tasks.local.security_edges import security as edges
from gem_tasks.settings import Settings
from tests.confining import WAYS, confine_by


def named(found):
    return {each.name: each for each in found}


def test_what_a_program_of_others_reaches_is_said(monkeypatch):
    monkeypatch.setattr(means, "best", means._limits_only)
    found = named(security.examine(Settings()))
    assert not found["confinement"].ok
    assert found["attempted escape"].detail.startswith(
        "a third-party program reaches GEM's files and network and processes"
    )
    assert "bubblewrap" in found["attempted escape"].fix


def test_each_setting_that_opens_something_is_told():
    opened = named(security.examine(Settings(sandbox="off", trust_remote_code=True)))
    assert not opened["code of profiles"].ok
    assert "GEM_SANDBOX=auto" in opened["confinement"].fix
    assert "set GEM_SOURCE_ROOTS" in opened["sources"].detail
    closed = named(security.examine(Settings(source_roots="/data", eval_endpoints="https://models.example/v1")))
    assert closed["code of profiles"].ok
    assert closed["sources"].ok and closed["endpoints"].ok


@pytest.mark.parametrize("way", WAYS)
def test_what_is_confined_is_said_by_what_was_tried(way, monkeypatch):
    confine_by(way, monkeypatch)
    found = named(security.examine(Settings()))
    tried = "environment, files, network, processes, memory, size of files, number of processes"
    root_counts_for_nothing = "a third-party program has no limit of the number of processes"  # nor in the kernel
    wanted = {f"third-party programs are confined: {tried}"}
    wanted |= {root_counts_for_nothing} if way == "landlock" and os.geteuid() == 0 else set()
    assert found["attempted escape"].detail in wanted
    assert found["hostile models"].ok


def test_models_that_bring_code_are_told_where_the_deployment_trusts_them():
    found = security._hostile_model(Settings(trust_remote_code=True))
    assert (found.ok, found.detail) == (False, "GEM loads a model's pytorch_model.bin")


def test_a_database_role_with_all_powers_is_told(dsn):
    found = dict(_pair(*each) for each in edges(Settings(postgres_dsn=SecretStr(dsn))))
    assert found["database role"][0] is False
    assert "may do everything in the database server" in found["database role"][1]
    away = dict(
        _pair(*each) for each in edges(Settings(postgres_dsn=SecretStr("postgresql://u:hunter2@127.0.0.1:9/x")))
    )
    assert "was not checked" in away["database role"][1]
    assert "hunter2" not in str(away)


def _pair(name, holds, detail):
    return name, (holds, detail)


@pytest.mark.parametrize(("setting", "holds"), [(None, True), ("/a.lock", True), ("none", False)])
def test_pytorch_without_a_hash_is_told(setting, holds, monkeypatch):
    monkeypatch.delenv("GEM_TORCH_LOCK", raising=False)
    if setting:
        monkeypatch.setenv("GEM_TORCH_LOCK", setting)
    assert pytorch(Settings())[1] is holds


def test_the_command_prints_json_and_ends_with_2_when_something_is_open(monkeypatch, tmp_path):
    monkeypatch.setenv("GEM_HOME", str(tmp_path))
    monkeypatch.setenv("GEM_SANDBOX", "off")
    done = CliRunner().invoke(app, ["doctor", "--security", "--json"])
    assert done.exit_code == 2
    names = [each["name"] for each in json.loads(done.stdout)]
    assert names[:2] == ["confinement", "attempted escape"]
    assert set(json.loads(done.stdout)[0]) == {"name", "ok", "detail", "fix", "model"}
