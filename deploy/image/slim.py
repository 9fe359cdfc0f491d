"""Removes from installed packages what no service and no command of GEM opens: `python slim.py SITE_PACKAGES`.

The Dockerfile runs it before it copies the environment into the image. Licences stay, and so does all that the rest of
a package imports. Compiled modules lose the symbols that only debuggers read. Afterwards each RECORD lists what is
there, with its hash. What is named here and is not there is an error, so that the tables cannot grow old.
"""

import base64
import csv
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile

UNUSED = {
    "**/tests": "tests of packages",
    "**/test": "tests of packages",
    "**/*.pyi": "types, for checkers",
    "**/*.pyx": "sources of compiled modules",
    "**/*.pxd": "headers, for Cython",
    "numpy/_core/include": "headers, for compilers",
    "pyarrow/include": "headers, for compilers",
    "pyarrow/src": "sources, for compilers",
    "pyarrow/*_flight*.so*": "Arrow Flight, a protocol between servers",
    "pyarrow/*_s3*.so*": "Arrow's S3 client: GEM uses obstore",
    "pyarrow/libarrow_python*.so": "names for linkers; programs load the name with one number",
    "pyarrow/libarrow_python*.so.*.*": "names for linkers",
}
"""Patterns below site-packages, and what they are."""
KEPT = {
    "botocore/data": {"s3", "signin", "sso", "sso-oidc", "sts"},  # buckets, and where credentials come from
    "faker/providers": {"lorem", "person"},  # names and frequent words
}
"""Folders of which only these subfolders stay."""
_COMPILED = b"\x7fELF"


def main(site_packages: Path) -> None:
    """Removes, strips, and sets the records right."""
    unused = [*_unused(site_packages), *_not_kept(site_packages)]
    for path in unused:
        _remove(path)
    changed = [path for path in sorted(site_packages.rglob("*.so*")) if _strip(path)]
    for record in sorted(site_packages.glob("*.dist-info/RECORD")):
        _correct(record, {path.resolve() for path in changed})


def _unused(site_packages: Path) -> Iterator[Path]:
    for pattern, what in UNUSED.items():
        found = [path for path in sorted(site_packages.glob(pattern)) if not _licence(path, site_packages)]
        if not found:
            raise SystemExit(f"slim: nothing is {pattern} ({what})")
        yield from found


def _not_kept(site_packages: Path) -> Iterator[Path]:
    for name, kept in KEPT.items():
        folders = {path.name: path for path in (site_packages / name).iterdir() if path.is_dir()}
        if missing := kept - folders.keys():
            raise SystemExit(f"slim: {name} has no {', '.join(sorted(missing))}")
        yield from (path for each, path in sorted(folders.items()) if each not in kept)


def _licence(path: Path, site_packages: Path) -> bool:
    """Whether it is part of a package's metadata, where licences are."""
    return path.relative_to(site_packages).parts[0].endswith(".dist-info")


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)  # it was in a folder that is gone


def _strip(path: Path) -> bool:
    """Whether it is a compiled module that has lost its symbols, but those it is loaded by."""
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        if file.read(4) != _COMPILED:
            return False
    with NamedTemporaryFile() as smaller:
        _run("strip", "--strip-unneeded", "-o", smaller.name, str(path))
        if not _loadable(_run("readelf", "--program-headers", "--wide", smaller.name)):
            return False
        path.write_bytes(Path(smaller.name).read_bytes())
    return True


def _loadable(headers: str) -> bool:
    """Whether each segment is where the loader can map it: `strip` moves those of some wheels' libraries."""
    segments = [line.split() for line in headers.splitlines() if line.split()[:1] == ["LOAD"]]
    return all((int(offset, 16) - int(at, 16)) % int(align, 16) == 0 for _, offset, at, *_, align in segments)


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603


def _correct(record: Path, changed: set[Path]) -> None:
    """Lists only what is there; what was stripped with its new hash and size."""
    root = record.parents[1]
    with record.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.reader(file) if (root / row[0]).exists()]
    for row in rows:
        if (path := (root / row[0]).resolve()) in changed:
            data = path.read_bytes()
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            row[1:] = [f"sha256={digest}", str(len(data))]
    with record.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
