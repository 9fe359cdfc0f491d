"""The rows of dataset files: JSONL, JSON and Parquet, also packed, in folders and on the Hugging Face Hub.

Files are streamed. A line that is not JSON is a row with a problem, and so is the rest of a truncated file.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal, cast

from gem_tasks.domain.base import Json
from gem_tasks.errors import GemError, UserError
from gem_tasks.lint.kinds import FormFault, FormKind

SUFFIXES = (".jsonl", ".json", ".ndjson", ".parquet")
_COMPRESSIONS: dict[str, Literal["gzip", "zstd", "bz2"]] = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2"}
WORLDS = "worlds"
"""The folder of the worlds that travel with a dataset."""
_WORLD_FILE = re.compile(r"[0-9a-f]{24}\.json")
MAX_ROW_BYTES = 32 << 20
"""A longer line is not a conversation; reading it completely would cost several times its size."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row, or the reason why it cannot be read."""

    origin: str
    """`FILE:LINE`, or for Parquet and JSON lists `FILE:ROW`, from 1."""
    row: Json | None = None
    problem: FormFault | None = None


def read_files(paths: Iterable[str]) -> Iterator[Line]:
    """All rows of all files.

    Raises:
        UserError: a path does not exist, cannot be read, or holds no dataset.
    """
    files = [file for path in paths for file in _files(path)]  # reports a misspelt name before reading
    for name, open_ in files:
        yield from _rows(name, open_)


class _Opener:
    """Opens a file's stored, possibly compressed bytes."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self) -> IO[bytes]:
        return self._path.open("rb")


def _files(path: str) -> Iterator[tuple[str, Any]]:
    if path.startswith("hf://"):
        yield from _on_the_hub(path)
        return
    where = Path(path)
    if where.is_dir():
        found = sorted(file for file in where.rglob("*") if _suffix(file.name) and file.is_file() and not _world(file))
        if not found:
            raise UserError(f"{path} contains no dataset file", f"Supported formats: {', '.join(SUFFIXES)}.")
        yield from ((str(file), _Opener(file)) for file in found)
    elif not where.is_file():
        raise UserError(f"{path} does not exist", "Give a file, a folder, or hf://datasets/OWNER/NAME.")
    elif not _suffix(where.name):
        raise UserError(
            f"The name of {path} is not that of a dataset file", f"Supported formats: {', '.join(SUFFIXES)}."
        )
    else:
        yield path, _Opener(where)


def _world(file: Path) -> bool:
    """Whether the file is one of the worlds that travel with a dataset."""
    return file.parent.name == WORLDS and bool(_WORLD_FILE.fullmatch(file.name))


def _on_the_hub(path: str) -> Iterator[tuple[str, Any]]:
    """The same client as for sources; only this kind of path needs a network."""
    from gem_tasks.corpus.sources.hub import list_dataset

    found = False
    for item in list_dataset(path.removeprefix("hf://"), ""):
        if _suffix(item.uri) and not _world(Path(item.uri)):
            found = True
            yield item.uri, item.open
    if not found:
        raise UserError(f"{path} contains no dataset file", f"Supported formats: {', '.join(SUFFIXES)}.")


def _suffix(name: str) -> str:
    lower = name.lower()
    for packed in _COMPRESSIONS:
        lower = lower.removesuffix(packed)
    return next((suffix for suffix in SUFFIXES if lower.endswith(suffix)), "")


def _rows(name: str, open_: Any) -> Iterator[Line]:
    import pyarrow as pa

    number = 0
    try:
        with open_() as stored:
            rows = _parquet(stored) if _suffix(name) == ".parquet" else _json(name, stored)
            for number, (row, problem) in enumerate(rows, 1):
                yield Line(f"{name}:{number}", row, problem)
    except (OSError, EOFError, pa.ArrowException, GemError) as error:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        if not number and isinstance(error, OSError) and getattr(error, "errno", None):
            raise UserError(f"{name} cannot be read: {why}", "Check the path and its permissions.") from error
        yield Line(
            f"{name}:{number + 1}",
            problem=FormFault(FormKind.UNREADABLE_FILE, f"the file cannot be read further: {why[:200]}"),
        )


_BUFFER = 1 << 20
_Found = Iterator[tuple[Json | None, FormFault | None]]
_BETWEEN = re.compile(r"\s*+,?\s*+")


def _parquet(stored: IO[bytes]) -> _Found:
    import pyarrow.parquet as pq

    # With a buffer, columns are read page by page; row by row, because 64 rows of 30 MB fit into a file of a kilobyte.
    file = pq.ParquetFile(stored, buffer_size=_BUFFER, pre_buffer=False)
    # Without Arrow's threads: one that releases a Python object while the interpreter ends aborts it.
    for batch in file.iter_batches(batch_size=1, use_threads=False):
        arrays = [_plain(array) for array in cast("list[Any]", batch.columns)]
        if sum(array.nbytes for array in arrays) > MAX_ROW_BYTES:
            yield None, FormFault(FormKind.TOO_LARGE, _TOO_LARGE)
        else:
            yield {name: array.to_pylist()[0] for name, array in zip(batch.schema.names, arrays, strict=True)}, None


def _plain(array: Any) -> Any:
    """Without the dictionary, which holds the values of all rows."""
    import pyarrow as pa

    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def _json(name: str, stored: IO[bytes]) -> _Found:
    """Lines, or the objects of one list."""
    stream = _unpacked(name, stored)
    head = stream.read(4)
    encoding = "utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    lines = _lines(_Joined(head, stream), encoding)
    for number, (text, problem) in enumerate(lines):
        if not number and text.lstrip().startswith("["):
            yield from _list(text, lines)
            return
        if problem:
            yield None, problem
        elif text.strip():
            yield _object(text)


def _unpacked(name: str, stored: IO[bytes]) -> IO[bytes]:
    import pyarrow as pa

    packed = _COMPRESSIONS.get(Path(name).suffix.lower())
    return (
        cast("IO[bytes]", pa.CompressedInputStream(pa.PythonFile(cast("Any", stored), "r"), packed))
        if packed
        else stored
    )


class _Joined:
    """A stream whose first bytes were read already."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        self._head, self._rest = head, rest

    def read(self, size: int) -> bytes:
        """Reads up to `size` bytes."""
        head, self._head = self._head, b""
        return head + self._rest.read(size)


def _lines(stream: _Joined, encoding: str) -> Iterator[tuple[str, FormFault | None]]:
    r"""`(line, problem)`, split at `\n` and nothing else: a string may contain U+2028."""
    import codecs

    decoder = codecs.getincrementaldecoder(encoding)(errors="surrogateescape" if encoding != "utf-16" else "replace")
    rest, skipping = "", False
    while block := stream.read(1 << 20):
        *whole, rest = (rest + decoder.decode(block)).split("\n")
        for line in whole:
            yield (
                ("", FormFault(FormKind.TOO_LARGE, _TOO_LARGE))
                if skipping or len(line) > MAX_ROW_BYTES
                else (line, None)
            )
            skipping = False
        if len(rest) > MAX_ROW_BYTES:
            rest, skipping = "", True
    if skipping or len(rest) > MAX_ROW_BYTES:
        yield "", FormFault(FormKind.TOO_LARGE, _TOO_LARGE)
    elif rest.strip():
        yield rest + decoder.decode(b"", final=True), None


_TOO_LARGE = f"the row has more than {MAX_ROW_BYTES >> 20} MB"


def _object(text: str) -> tuple[Json | None, FormFault | None]:
    try:
        text.encode()
    except UnicodeEncodeError:
        return None, FormFault(FormKind.BAD_ENCODING, "the line is not UTF-8")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        return None, FormFault(FormKind.NO_JSON, f"invalid JSON: {str(error)[:150]}")
    return (
        (cast(Json, found), None)
        if isinstance(found, dict)
        else (None, FormFault(FormKind.NO_OBJECT, "the row is not a JSON object"))
    )


def _list(first: str, lines: Iterator[tuple[str, FormFault | None]]) -> _Found:
    """The objects of a JSON list, one by one, however they are broken into lines."""
    decoder, text, at, ended = json.JSONDecoder(), first, first.index("[") + 1, False
    while True:
        at = _next_place(text, at)
        if text.startswith("]", at):
            return
        try:
            found, end = decoder.raw_decode(text, at) if at < len(text) else (None, 0)
        except (ValueError, RecursionError) as error:
            found, end = error, 0
        if end:
            yield (
                (cast(Json, found), None)
                if isinstance(found, dict)
                else (None, FormFault(FormKind.NO_OBJECT, "not a JSON object"))
            )
            at = end
        elif ended or len(text) - at > MAX_ROW_BYTES:
            yield None, FormFault(FormKind.NO_JSON, f"the list breaks off: {str(found)[:150]}")
            return
        else:
            text, at, ended = _longer(text[at:], lines)


def _next_place(text: str, at: int) -> int:
    """Where the next object may begin: behind blanks and one comma."""
    found = _BETWEEN.match(text, at)
    return found.end() if found else at


def _longer(text: str, lines: Iterator[tuple[str, FormFault | None]]) -> tuple[str, int, bool]:
    """The text, extended by lines to twice its length, because an object is read from its beginning each time.

    Returns:
        It, where to continue in it, and whether there are no more lines.
    """
    parts, size = [text], 0
    for line, _ in lines:
        parts.append(line)
        size += len(line) + 1
        if size > len(text):
            return "\n".join(parts), 0, False
    return "\n".join(parts), 0, True
