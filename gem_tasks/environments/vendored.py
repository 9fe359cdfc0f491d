"""Copies the modules of GEM that an environment needs into its package, so that it does not depend on all of GEM.

The files are GEM's own, with another package name in their imports: the same runtime gives the same results. What they
import is found by reading them, so a module that one of them begins to import is copied too.
"""

import ast
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

_ROOT = "gem_tasks"
_ENTRANCES = ("gem_tasks.environments.kit.play", "gem_tasks.environments.kit.user", "gem_tasks.worlds.engine.worker")
_DATA = (".js",)
"""Files beside a module that it reads."""
_IMPORT = re.compile(rf"^([^\S\n]*+)(from|import) {_ROOT}\b", re.MULTILINE)
REQUIREMENTS = (
    "pydantic>=2.10",
    "pydantic-core",
    "jsonschema-rs>=0.60",
    "psutil>=6",
    "httpcore2>=2",
    "httpx2>=2",
    "quickjs-ng>=0.17,<0.18",
)
"""What the copied modules import."""


def modules() -> dict[str, Path]:
    """Files of all modules that the environment needs, by dotted name; packages have their `__init__`."""
    found: dict[str, Path] = {}
    open_ = list(_ENTRANCES)
    while open_:
        name = open_.pop()
        file = _file(name)
        if name == _ROOT or name in found or file is None:
            continue
        found[name] = file
        open_ += [*_imported(file), *_parents(name)]
    return found


def copy(folder: Path, package: str) -> None:
    """Writes them below a folder.

    Args:
        folder: becomes the package of the copies.
        package: its dotted name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "__init__.py").write_text('"""Modules of GEM that run its worlds."""\n', encoding="utf-8")
    for name, file in modules().items():
        target = folder.joinpath(*name.split(".")[1:], *(["__init__"] * (file.name == "__init__.py")))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.with_suffix(".py").write_text(renamed(file.read_text("utf-8"), package), encoding="utf-8")
        for data in (each for each in file.parent.iterdir() if each.suffix in _DATA):
            (target.parent / data.name).write_bytes(data.read_bytes())


def renamed(code: str, package: str) -> str:
    """A module's text with another package in its imports."""
    return _IMPORT.sub(rf"\1\2 {package}", code)


def _file(name: str) -> Path | None:
    try:
        spec = find_spec(name)
    except ModuleNotFoundError:
        return None
    return Path(spec.origin) if spec and spec.origin else None


def _imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] == _ROOT:
            yield node.module
            yield from (f"{node.module}.{each.name}" for each in node.names)


def _parents(name: str) -> Iterator[str]:
    parts = name.split(".")
    yield from (".".join(parts[:at]) for at in range(2, len(parts)))
