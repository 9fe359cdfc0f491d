"""`gem plans`: what it prints can be edited and used, and what it says of a file is what will be drawn."""

import json

import pytest
from typer.testing import CliRunner

from gem_tasks.cli.main import app
from gem_tasks.errors import UserError
from gem_tasks.plans import parse_menus, shipped

OWN = 'temper: {calm: {weight: 1, says: "Calm."}, cross: {weight: 3, says: "Cross."}}\n'


@pytest.fixture
def gem(monkeypatch, tmp_path):
    monkeypatch.setenv("GEM_HOME", str(tmp_path))
    monkeypatch.delenv("GEM_PLANS", raising=False)

    def run(*arguments, **env):
        done = CliRunner().invoke(app, ["plans", *arguments], env=env)
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.output

    return run


def test_what_show_prints_is_the_menus_in_use(gem, tmp_path):
    assert parse_menus(gem("show")) == shipped()
    own = tmp_path / "mine.yaml"
    own.write_text(OWN, encoding="utf-8")
    assert gem("show", GEM_PLANS=str(own)) == OWN
    assert parse_menus(gem("show", "--ours", GEM_PLANS=str(own))) == shipped()


def test_check_gives_shares_or_the_fault_with_its_place(gem, tmp_path):
    own = tmp_path / "mine.yaml"
    own.write_text(OWN, encoding="utf-8")
    found = json.loads(gem("check", str(own), "--json"))
    assert found["sha256"] == parse_menus(OWN).sha256
    assert found["shares"]["temper"]["cross"] == pytest.approx(0.75, abs=0.02)
    assert found["messages"]["median"] == pytest.approx(41, abs=1)
    assert "cross 7" in gem("check", GEM_PLANS=str(own))
    own.write_text("temper: {calm: {weight: x, says: y}}", encoding="utf-8")
    with pytest.raises(UserError, match=r"mine.yaml: temper.calm.weight: Input should be a valid number"):
        gem("check", str(own))
    own.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match=r"cannot be read: byte \d is not UTF-8"):
        gem("check", str(own))


def test_check_gives_the_shares_that_exclusions_leave_and_says_where_they_cannot_hold(gem, tmp_path, monkeypatch):
    monkeypatch.setattr("gem_tasks.cli.plans._DRAWN", 1000)
    own = tmp_path / "mine.yaml"
    own.write_text(OWN.replace("weight: 3,", "weight: 3, not_with: [look_alikes.yes],"), encoding="utf-8")
    found = json.loads(gem("check", str(own), "--json"))
    assert found["shares"]["look_alikes"]["yes"] == pytest.approx(0.45, abs=0.04)
    assert found["shares"]["temper"]["cross"] == pytest.approx(0.55 * 0.75, abs=0.04)
    assert found["clashing"] == 0
    assert "exclude each other" not in gem("check", str(own))
    own.write_text('temper: {calm: {weight: 1, not_with: [look_alikes.yes], says: "Calm."}}', encoding="utf-8")
    assert "Options that exclude each other are in 4" in gem("check", str(own))
