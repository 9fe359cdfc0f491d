"""Writes bytecode for the modules that services and commands import: `python bytecode.py FOLDER`, below FOLDER only.

Bytecode of everything would be a quarter of the image; without any, each start of a service compiles for seconds, since
the image is read-only. This imports all of GEM and of Airflow, also what GEM's functions import when they are called,
and compiles what was loaded. It fails if a module of GEM cannot be imported. The same sources give the same bytes: one
process, in order, and files that refer to their source by nothing that changes.
"""

import ast
import contextlib
import io
import logging
import pkgutil
import py_compile
import sys
import warnings
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path

OURS = "gem_tasks"
OTHERS = ("airflow", "celery.bin", "kombu.transport.redis", "flask_appbuilder", "uvicorn")
"""Packages whose every module is imported, if it can be: some need a database, or a package that is not there."""


def main(folder: Path) -> None:
    """Imports, then compiles."""
    sys.dont_write_bytecode = True
    logging.disable()
    warnings.simplefilter("ignore")
    for name in _modules(OURS):
        import_module(name)
    for root in OTHERS:
        for name in _modules(root):
            _tried(name)
    for name in sorted({each for path in _sources(OURS) for each in _imported(path)}):
        _tried(name)
    loaded = {Path(file) for each in list(sys.modules.values()) if (file := getattr(each, "__file__", None))}
    compiled = [path for path in sorted(loaded) if path.suffix == ".py" and path.is_relative_to(folder)]
    for path in compiled:
        py_compile.compile(str(path), doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    print(f"bytecode of {len(compiled)} modules")  # noqa: T201


def _modules(root: str) -> Iterable[str]:
    with contextlib.suppress(Exception):
        import_module(root)
    found = pkgutil.walk_packages(getattr(sys.modules.get(root), "__path__", []), f"{root}.", onerror=lambda _: None)
    return sorted(each.name for each in found if not each.name.endswith("__main__"))


def _sources(package: str) -> Iterator[Path]:
    for path in import_module(package).__path__:
        yield from sorted(Path(path).rglob("*.py"))


def _imported(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever the statement stands."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{each.name}" for each in node.names)


def _tried(name: str) -> None:
    """Imports a module, if it is one and can be imported."""
    with contextlib.suppress(BaseException), contextlib.redirect_stdout(io.StringIO()):
        import_module(name)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
