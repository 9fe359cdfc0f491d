"""A copy of the project with a stage more: what docs/architecture/overview.md says that it takes, and nothing else."""

import os
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
LINES = {
    "gem_tasks/domain/stage.py": ('    "filter", "extract", ', '    "filter", "poem", "extract", '),
    "gem_tasks/stages/__init__.py": ("Filter(), Extract(), ", "Filter(), Poem(), Extract(), "),
}
"""By file: what stands there, and what it becomes."""
IMPORT = "from gem_tasks.stages.generate import Generate\n", "from gem_tasks.stages.poem import Poem\n"


def add(repository: Path) -> None:
    """A module, a prompt and a name in two lists, in a copy of this project."""
    copied = shutil.ignore_patterns("__pycache__")
    for folder in ("gem_tasks", "dags", "plugins", "sql"):
        shutil.copytree(ROOT / folder, repository / folder, ignore=copied)
    shutil.copy(HERE / "poem.py", repository / "gem_tasks/stages/poem.py")
    shutil.copy(HERE / "poem.md", repository / "gem_tasks/prompts/poem.md")
    for name, (before, after) in LINES.items():
        _replace(repository / name, before, after)
    _replace(repository / "gem_tasks/stages/__init__.py", IMPORT[0], "".join(IMPORT))


def environment(repository: Path, **variables: str) -> dict[str, str]:
    """For a child process in which the copy stands before this project."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("GEM_")}
    paths = [str(repository), str(repository / "dags"), str(repository / "plugins"), str(ROOT)]
    return ours | variables | {"PYTHONPATH": os.pathsep.join(paths)}


def _replace(path: Path, before: str, after: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(before) == 1, f"{path.name} has no single {before!r}"
    path.write_text(text.replace(before, after), encoding="utf-8")
