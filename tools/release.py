"""A release by one command: `make release VERSION=x.y.z`, or `python -m tools.release x.y.z [--dry-run]`.

It sets the version of every distribution, moves the Unreleased entries of CHANGELOG.md to the version and day, builds
wheels, sdists, the list of production's packages and the release notes into dist/, commits, and tags. A dry run reports
what it would do, prints the notes, and changes nothing. It pushes and uploads nothing: the last lines say how.
"""

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
Run = Callable[[Sequence[str]], str]
_HEADING = "## Unreleased"
_VERSION_LINE = re.compile(r'^version = "([^"]*)"$', re.MULTILINE)


class RefusedError(Exception):
    """The reason why nothing is released, in one line."""


def release(root: Path, version: str, run: Run, *, day: date, dry: bool = False) -> list[str]:
    """The whole of it; what to say at the end.

    Raises:
        RefusedError: the version, the changelog or the working tree does not allow it, or a step failed. Files are
            then as they were.
    """
    projects = [path for path in (root / "pyproject.toml", root / "teacher" / "pyproject.toml") if path.exists()]
    changelog = root / "CHANGELOG.md"
    later(current(projects[0].read_text(encoding="utf-8")), version)
    texts = {path: path.read_text(encoding="utf-8") for path in (*projects, changelog)}
    after = {path: with_version(texts[path], version) for path in projects}
    after[changelog], notes = released(texts[changelog], version, day)
    if dry:
        changed = [f"would change {path.relative_to(root)}" for path in after]
        return [*changed, f"would build into dist/, commit, and tag v{version}", "", notes]
    _refuse_dirty(run, version)
    try:
        _write(after)
        _build(root, projects, notes, run)
        run(["git", "commit", "-q", "-m", f"chore(release): {version}", "--", *(str(path) for path in after)])
    except BaseException:
        _write(texts)
        raise
    run(["git", "tag", "-a", f"v{version}", "--cleanup=verbatim", "-F", str(root / "dist" / "release-notes.md")])
    return [f"dist/ holds {version}", f"Publish it:  git push --follow-tags && uv publish dist/*-{version}*"]


def current(project: str) -> str:
    """The version in the text of a pyproject.toml."""
    found = _VERSION_LINE.search(project)
    if not found:
        raise RefusedError("pyproject.toml has no line with a version")
    return found[1]


def later(before: str, version: str) -> None:
    """Refuses a version that is none, or not after the one before."""
    if not re.fullmatch(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)", version):
        raise RefusedError(f"{version!r} is not a version: give three numbers, as in 1.2.3")
    if _numbers(version) <= _numbers(before):
        raise RefusedError(f"{version} is not later than {before}")


def with_version(project: str, version: str) -> str:
    """The text of a pyproject.toml with another version; the rest as it is."""
    current(project)
    return _VERSION_LINE.sub(f'version = "{version}"', project, count=1)


def released(changelog: str, version: str, day: date) -> tuple[str, str]:
    """The changelog after the release, and the notes: what was under Unreleased."""
    head, heading, rest = changelog.partition(f"{_HEADING}\n")
    body, bar, older = rest.partition("\n## ")
    notes = body.strip()
    if not heading or not notes:
        raise RefusedError(f"CHANGELOG.md has nothing under '{_HEADING}'")
    text = f"{head}{_HEADING}\n\n## {version} - {day.isoformat()}\n\n{notes}\n{bar}{older}"
    return text, f"# GEM {version}\n\n{notes}\n"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def _refuse_dirty(run: Run, version: str) -> None:
    if run(["git", "status", "--porcelain"]).strip():
        raise RefusedError("the working tree has changes: commit or stash them")
    if run(["git", "tag", "--list", f"v{version}"]).strip():
        raise RefusedError(f"the tag v{version} exists")


def _write(texts: dict[Path, str]) -> None:
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")


def _build(root: Path, projects: list[Path], notes: str, run: Run) -> None:
    """Everything of the release into an empty dist/."""
    shutil.rmtree(root / "dist", ignore_errors=True)
    for project in projects:
        run(["uv", "build", "-q", "-o", str(root / "dist"), str(project.parent)])
    run(["make", "-s", "sbom"])
    (root / "dist" / "release-notes.md").write_text(notes, encoding="utf-8")


def _run_here(command: Sequence[str]) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our commands
    if done.returncode:
        raise RefusedError(f"{' '.join(command[:3])} failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def main(arguments: list[str]) -> int:
    """The command; exit code 2 when it is refused."""
    parser = argparse.ArgumentParser(prog="python -m tools.release", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("version", help="the new version, such as 1.2.3")
    parser.add_argument("--dry-run", action="store_true", help="show what would be done, and do nothing")
    asked = parser.parse_args(arguments)
    try:
        lines = release(ROOT, asked.version, _run_here, day=datetime.now(UTC).date(), dry=asked.dry_run)
    except RefusedError as error:
        sys.stderr.write(f"release: {error}\n")
        return 2
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
