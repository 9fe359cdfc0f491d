"""Answers that earlier tries left in a journal: where each line lies, not what is in it.

What is in memory is a few hundred bytes per answer, however long the answers are: a worker that goes on with a large
shard may find gigabytes. So chunks from the store are laid beside the local files, and a line is read when its answer
is taken.
"""

import json
import logging
from collections import defaultdict
from collections.abc import Callable, Iterator
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
from pydantic import ValidationError

from gem_tasks.domain.chat import Completion
from gem_tasks.errors import StoreError
from gem_tasks.files import replacing

logger = logging.getLogger(__name__)


class _Line(NamedTuple):
    path: Path
    at: int
    size: int


class KeptAnswers:
    """Found by the key of their request, each handed out once.

    Args:
        folder: of the shard's journal, on a local disk.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lines: dict[str, list[_Line]] = defaultdict(list)
        self._seen: set[str] = set()
        self._open: dict[Path, BufferedReader] = {}

    def __len__(self) -> int:
        """How many are left."""
        return sum(len(lines) for lines in self._lines.values())

    def add_local(self) -> None:
        """What lies in the folder."""
        for path in sorted(self._folder.glob("*.jsonl")):
            self._index(path)

    def add_chunk(self, name: str, fetch: Callable[[], bytes]) -> None:
        """A chunk of the store, fetched unless it was before.

        Raises:
            StoreError: it cannot be laid down here.
        """
        path = self._folder / f"chunk-{name.removesuffix('.zst')}"
        if path.exists():
            return  # among the local ones
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with replacing(path) as part:
                part.write_bytes(_unpack(fetch()))
        except OSError as problem:
            raise StoreError(f"{self._folder} cannot be written: {problem.strerror}") from problem
        self._index(path)

    def take(self, key: str) -> Completion | None:
        """One that nobody has taken yet."""
        lines = self._lines.get(key)
        if not lines:
            return None
        path, at, size = lines.pop()
        file = self._open.get(path)
        if file is None:
            file = self._open[path] = path.open("rb")
        file.seek(at)
        return Completion.model_validate(json.loads(file.read(size))["completion"])

    def close(self) -> None:
        """Closes the files."""
        while self._open:
            self._open.popitem()[1].close()

    def _index(self, path: Path) -> None:
        for at, line in _lines(path):
            try:
                entry = json.loads(line)
                Completion.model_validate(entry["completion"])
                key, line_id = entry["key"], entry["id"]
            except (ValueError, KeyError, TypeError, ValidationError):
                logger.info("a torn line in %s is passed over", path.name)
                continue
            if line_id not in self._seen:  # the same line lies in a file of ours and in a chunk
                self._seen.add(line_id)
                self._lines[key].append(_Line(path, at, len(line)))


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    at = 0
    with path.open("rb") as file:
        for line in file:
            yield at, line
            at += len(line)


def _unpack(data: bytes) -> bytes:
    try:
        return pa.CompressedInputStream(pa.BufferReader(data), "zstd").read()
    except (OSError, pa.ArrowException):
        return b""  # a store without atomic writes left half a chunk: its answers are asked for again
