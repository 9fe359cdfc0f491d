"""GEM_HOME may be a folder of GEM's own only, and nothing else is ever removed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gem_tasks.errors import UserError
from gem_tasks.local import home as home_module
from gem_tasks.local.home import away, claim, clean, home_dir

ROOT = Path(__file__).parents[3]


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A checkout with an environment, in a folder with a space, beside a folder of the user's."""
    checkout = tmp_path / "My Wörk" / "gem"
    (checkout / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / "My").mkdir()
    (tmp_path / "My" / "keep").write_text("precious")
    monkeypatch.setattr(home_module, "_ROOT_STATE", tmp_path / "lib")
    return checkout


@pytest.mark.parametrize("value", ["/", "/..", "~", "above", "link"])
def test_a_folder_that_is_more_than_gem_s_is_refused(monkeypatch, tmp_path, value):
    user = tmp_path / "users" / "me"
    user.mkdir(parents=True)
    (tmp_path / "link").symlink_to(user)
    chosen = {"~": str(user), "above": str(tmp_path), "link": str(tmp_path / "link")}.get(value, value)
    monkeypatch.setenv("HOME", str(user))
    monkeypatch.setenv("GEM_HOME", chosen)
    with pytest.raises(UserError, match="not a folder for GEM alone"):
        home_dir()


@pytest.mark.parametrize("value", ["", None])
def test_an_empty_variable_is_none(monkeypatch, tmp_path, value):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GEM_HOME", value or "")
    if value is None:
        monkeypatch.delenv("GEM_HOME")
    assert home_dir() == tmp_path / ".gem"


def test_without_a_home_of_the_user_there_is_one_for_gem(monkeypatch, tmp_path):
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setenv("GEM_HOME", str(tmp_path / "g"))
    assert home_dir() == tmp_path / "g"


def test_what_gem_made_is_removed_and_nothing_beside_it(place, tmp_path):
    home = tmp_path / "state of gem"
    claim(home)
    (home / "store").mkdir()
    (home / "store" / "link").symlink_to(tmp_path / "My")
    clean(home, place)
    assert not home.exists()
    assert not (place / ".venv").exists()
    assert (tmp_path / "My" / "keep").read_text() == "precious"
    assert place.exists()


def test_the_checkout_s_own_gem_folder_goes_even_without_a_mark(place):
    home = place / ".gem"
    (home / "store").mkdir(parents=True)
    clean(home, place)
    assert not home.exists()


@pytest.mark.parametrize("held", ["before", "checkout"])
def test_what_gem_did_not_make_or_what_holds_more_stays(place, tmp_path, held):
    home = tmp_path / "mine"
    home.mkdir()
    (home / "thesis.txt").write_text("precious")
    claim(home)  # as `gem up` does
    if held == "checkout":
        home = tmp_path
        (home / home_module.MARK).touch()
    with pytest.raises(UserError, match="did not create"):
        clean(home, place)
    assert (tmp_path / "mine" / "thesis.txt").exists()
    assert (place / ".venv").exists()


def test_of_a_link_only_what_gem_made_goes(place, tmp_path):
    (place / ".venv" / "bin").rmdir()
    (place / ".venv").rmdir()
    (place / ".venv").symlink_to(tmp_path / "My")
    claim(tmp_path / "real")
    (tmp_path / "home").symlink_to(tmp_path / "real")
    clean(tmp_path / "home", place)
    assert not (tmp_path / "real").exists()
    assert not (place / ".venv").is_symlink()
    assert (tmp_path / "My" / "keep").exists()


@pytest.mark.parametrize("own", [True, False])
def test_root_s_database_goes_with_the_home_it_belongs_to(place, tmp_path, own):
    home = tmp_path / "state"
    claim(home)
    database = away(home / "postgres")
    (database / "data").mkdir(parents=True)
    (database / "home").write_text(f"{home if own else '/another'}\n")
    clean(home, place)
    assert database.exists() is not own


def test_make_clean_asks_before_anything_goes(tmp_path):
    """The recipe itself, with a GEM_HOME that is not ours."""
    foreign = tmp_path / "a b"
    foreign.mkdir()
    (foreign / "keep").touch()
    done = subprocess.run(
        ["make", "clean", f"PYTHON={sys.executable}"], cwd=ROOT, env={**os.environ, "GEM_HOME": str(foreign)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert f"gem: GEM did not create {foreign}" in done.stderr
    assert (foreign / "keep").exists()
    assert (ROOT / "gem_tasks").exists()


@pytest.mark.parametrize(
    "path", ["Makefile", ".ci/run", *sorted(str(p.relative_to(ROOT)) for p in ROOT.glob("deploy/*.sh"))]
)
def test_shell_removes_nothing_by_variable_and_quotes_every_path(path):
    text = (ROOT / path).read_text(encoding="utf-8")
    removing = [line for line in text.splitlines() if "rm -" in line and "$" in line]
    assert removing == []
    assert not [line for line in text.splitlines() if line.startswith("\t") and "$(GEM_HOME)" in line]
    assert "$(CURDIR)" not in text.replace("GEM_HOME := $(CURDIR)/.gem", "")
