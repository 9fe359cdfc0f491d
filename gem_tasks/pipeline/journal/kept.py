"""An index of the answers that earlier attempts left in a journal: the place of each line, not its content.

Memory holds a few hundred bytes per answer, regardless of their length: a worker that continues a large shard may
find gigabytes. So chunks from the store are saved beside the local files, and a line is read when its answer is taken.
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
    """Answers by the key of their request; each is handed out once.

    Args:
        folder: local folder of the shard's journal.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lines: dict[str, list[_Line]] = defaultdict(list)
        self._seen: set[str] = set()
        self._open: dict[Path, BufferedReader] = {}

    def __len__(self) -> int:
        """Number of answers left."""
        return sum(len(lines) for lines in self._lines.values())

    def add_local(self) -> None:
        """Indexes the files in the folder."""
        for path in sorted(self._folder.glob("*.jsonl")):
            self._index(path)

    def add_chunk(self, name: str, fetch: Callable[[], bytes]) -> None:
        """Indexes a chunk of the store; fetches it unless it is already here.

        Raises:
            StoreError: it cannot be saved here.
        """
        path = self._folder / f"chunk-{name.removesuffix('.zst')}"
        if path.exists():
            return  # it is already a local file
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with replacing(path) as part:
                part.write_bytes(_unpack(fetch()))
        except OSError as problem:
            raise StoreError(f"cannot write to {self._folder}: {problem.strerror}") from problem
        self._index(path)

    def take(self, key: str) -> Completion | None:
        """Returns an answer that was not taken yet, or None."""
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
                logger.info("skipped an incomplete line in %s", path.name)
                continue
            if line_id not in self._seen:  # the same line is in a local file and in a chunk
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
        return b""  # a store without atomic writes left half a chunk: GEM asks for its answers again
