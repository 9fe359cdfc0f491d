"""A release: what it changes and in which order, what it refuses, and that a failure leaves everything as it was."""

import subprocess
from datetime import date

import pytest

from tools.release import ROOT, RefusedError, current, later, main, release, released, with_version

DAY = date(2026, 12, 1)
PROJECT = '[project]\nname = "gem-tasks"\nversion = "0.1.0"\n\n[tool.x]\nversion = "9"\n'
CHANGELOG = "# Changelog\n\nIntro.\n\n## Unreleased\n\n### Fixed\n\n- A thing.\n\n## 0.1.0 - 2026-01-01\n\n- First.\n"


@pytest.fixture
def root(tmp_path):
    """A repository with two distributions, and the commands that were run in it; builds are only noted down."""
    (tmp_path / "teacher").mkdir()
    for folder in (tmp_path, tmp_path / "teacher"):
        (folder / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    (tmp_path / ".gitignore").write_text("dist/\n")
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "start"]):
        git(tmp_path, *command)
    return tmp_path


def git(root, *arguments):
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    return subprocess.run(["git", *who, *arguments], cwd=root, capture_output=True, text=True, check=True).stdout


def runner(root, built, fails=()):
    def run(command):
        if command[0] == "git":
            return git(root, *command[1:])
        built.append(command[0])
        if command[0] in fails:
            raise RefusedError("no")
        (root / "dist").mkdir(exist_ok=True)
        return ""

    return run


def test_the_files_the_commit_and_the_tag(root):
    built = []
    release(root, "0.2.0", runner(root, built), day=DAY)
    assert built == ["uv", "uv", "make"]
    for folder in (root, root / "teacher"):
        assert (folder / "pyproject.toml").read_text() == PROJECT.replace('"0.1.0"', '"0.2.0"')
    assert "## Unreleased\n\n## 0.2.0 - 2026-12-01\n\n### Fixed\n\n- A thing.\n\n## 0.1.0 - 2026" in (
        (root / "CHANGELOG.md").read_text()
    )
    assert git(root, "log", "-1", "--format=%s", "v0.2.0").strip() == "chore(release): 0.2.0"
    assert git(root, "tag", "-l", "--format=%(contents)").strip() == "# GEM 0.2.0\n\n### Fixed\n\n- A thing."
    assert git(root, "status", "--porcelain") == ""


def test_a_dry_run_changes_nothing_and_shows_the_notes(root):
    built = []
    said = release(root, "0.2.0", runner(root, built), day=DAY, dry=True)
    assert said[-1] == "# GEM 0.2.0\n\n### Fixed\n\n- A thing.\n"
    assert built == []
    assert git(root, "status", "--porcelain") == git(root, "tag") == ""


def test_a_failed_build_leaves_everything_as_it_was(root):
    with pytest.raises(RefusedError):
        release(root, "0.2.0", runner(root, [], fails=("make",)), day=DAY)
    assert git(root, "status", "--porcelain") == git(root, "tag") == ""


def test_what_is_refused(root):
    (root / "stray").touch()
    with pytest.raises(RefusedError, match="has changes"):
        release(root, "0.2.0", runner(root, []), day=DAY)
    (root / "stray").unlink()
    git(root, "tag", "v0.2.0")
    with pytest.raises(RefusedError, match="exists"):
        release(root, "0.2.0", runner(root, []), day=DAY)
    with pytest.raises(RefusedError, match="nothing under"):
        released("# Changelog\n\n## Unreleased\n\n## 0.1.0 - 2026-01-01\n\n- First.\n", "0.2.0", DAY)
    with pytest.raises(RefusedError, match="nothing under"):
        released("# Changelog\n", "0.2.0", DAY)


@pytest.mark.parametrize("version", ["0.1.0", "0.0.9", "1.2", "v0.2.0", "0.2.0rc1", "01.2.3", "0.2.0\n"])
def test_versions_that_are_none_or_not_later(version):
    with pytest.raises(RefusedError):
        later("0.1.0", version)


def test_numbers_are_compared_as_numbers():
    later("0.9.0", "0.10.0")
    assert current(with_version(PROJECT, "0.10.0")) == "0.10.0"


def test_the_command_on_this_repository(capsys):
    major = int(current((ROOT / "pyproject.toml").read_text()).partition(".")[0])
    assert main([f"{major + 1}.0.0", "--dry-run"]) == 0
    assert capsys.readouterr().out.startswith("would change pyproject.toml\n")
    assert main(["0.0.0", "--dry-run"]) == 2
