"""Local files: written whole or not at all, and JSON Lines read as what they are."""

import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4


@contextmanager
def replacing(path: Path) -> Generator[Path]:
    """A temporary file beside `path` that takes its place when the block ends, and is removed when the block fails.

    The temporary name is unique, so that two writers of one file never write into each other's; the last one wins.
    A block that removes the temporary file leaves `path` as it was.

    Raises:
        OSError: the folder does not exist, or `path` cannot be replaced.
    """
    part = path.with_name(f".{path.name}.{uuid4().hex}.part")
    try:
        yield part
        if part.exists():
            part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def json_lines(path: Path) -> Iterator[Any]:
    """The values of a JSON Lines file, one at a time; blank lines are skipped.

    Only a line feed ends a line. `str.splitlines` would also cut at U+2028, U+0085 and others, which JSON strings hold
    as they are.

    Raises:
        OSError: the file cannot be read.
        ValueError: a line is not JSON in UTF-8.
    """
    with path.open("rb") as file:
        for line in file:
            if line.strip():
                yield json.loads(line)
