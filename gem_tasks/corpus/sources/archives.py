"""Members of zip and tar archives as objects, in sequence, without unpacking anything to the disk.

Names decide nothing about files here, so a name such as `../a.md` can do no harm; GEM refuses it because it names no
place in the archive. The limits hold for the whole archive, regardless of what its headers claim.
"""

import io
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from functools import partial
from stat import S_ISLNK
from typing import IO, Any, cast
from urllib.parse import quote_from_bytes

from gem_tasks.corpus.sources.objects import ARCHIVES, SourceObject, hidden, media_type, why
from gem_tasks.corpus.sources.packed import unpacked
from gem_tasks.domain.corpus import IngestReason
from gem_tasks.errors import first_line

_MOST_RATIO = 200
"""Largest ratio of unpacked to stored size of an archive. Text has a tenth of it."""
_DIRECTORY_BYTES = 16 << 20
"""Largest directory of a zip: about 150,000 names, which take 100 MB of memory."""
_HEADER_BYTES = 2 << 20
"""Largest header of a tar's member."""
CUT = "it ends without an end mark, or has a damaged header: members may be missing"
_BLOCK = 512
_PIECE = 256 << 10
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2})
"""LZMA's headers may ask for any amount of memory."""
_ENCRYPTED, _UTF8 = 1, 1 << 11
_FORMAT_FAULTS = zipfile.BadZipFile, tarfile.TarError, zlib.error
_BROKEN = (*_FORMAT_FAULTS, OSError, EOFError, ValueError, NotImplementedError, OverflowError)


def members(found: SourceObject, free_bytes: int, most: int) -> Iterator[SourceObject]:
    """The readable members of an archive; each is to be read before the next is taken.

    A member that cannot be read has a `refusal`. So has the archive itself, as a last object, if it is damaged or
    exceeds a limit.

    Args:
        found: the archive.
        free_bytes: bytes that every archive may unpack to, in addition to its size times a ratio.
        most: largest number of members.

    Raises:
        StoreError: the store of a remote archive does not answer.
    """
    budget = _Budget(found.size * _MOST_RATIO + free_bytes)
    names = set[int]()
    try:
        with found.open() as stored:
            entries = _of_zip if found.media_type == "application/zip" else _of_tar
            for item in entries(found, stored, budget):
                yield _once(item, names)
                if budget.spent:
                    raise OSError(_Budget.SPENT)
                if len(names) >= most:
                    yield _refused(found, IngestReason.TOO_LARGE, f"GEM read only its first {most} members")
                    return
    except _BROKEN as error:
        reason = IngestReason.TOO_LARGE if budget.spent else IngestReason.UNREADABLE
        yield _refused(found, reason, _Budget.SPENT if budget.spent else _why(error))


class _Budget:
    """Bytes that an archive may still unpack to."""

    SPENT = f"it unpacks to more than {_MOST_RATIO} times its size"

    def __init__(self, left: int) -> None:
        self._left = left

    @property
    def spent(self) -> bool:
        return self._left < 0

    def take(self, size: int) -> None:
        """Raises OSError when it is spent."""
        self._left -= size
        if self._left < 0:
            raise OSError(self.SPENT)


def _once(item: SourceObject, names: set[int]) -> SourceObject:
    key = hash(item.uri)
    if key not in names:
        names.add(key)
        return item
    detail = "the archive has an earlier member of this name"
    again = SourceObject(
        f"{item.uri}#{len(names)}", item.etag, 0, item.media_type, "", open=item.open,
        refusal=(IngestReason.BAD_RECORD, detail),
    )  # fmt: skip
    names.add(hash(again.uri))
    return again


def _of_zip(found: SourceObject, stored: IO[bytes], budget: _Budget) -> Iterator[SourceObject]:
    with zipfile.ZipFile(cast("Any", _Guarded(stored))) as archive:
        for info in archive.infolist():
            name = _zip_name(info)
            if info.is_dir() or not _wanted(name):
                continue
            problem = _problem(name)
            if S_ISLNK(info.external_attr >> 16):
                problem = "a link, which GEM does not follow"
            elif info.flag_bits & _ENCRYPTED:
                problem = "it is encrypted"
            elif info.compress_type not in _METHODS:
                problem = f"its compression method {info.compress_type} is not supported"
            opener = partial(_opened_of_zip, archive, info, budget)
            yield _member(found, name, info.file_size, opener, problem)


def _opened_of_zip(archive: zipfile.ZipFile, info: zipfile.ZipInfo, budget: _Budget) -> IO[bytes]:
    try:
        return _buffered(archive.open(info), budget.take)
    except (*_BROKEN, RuntimeError) as error:
        raise OSError(_why(error)) from error


def _zip_name(info: zipfile.ZipInfo) -> str:
    """UTF-8 if it is valid, although many programs do not mark it; otherwise as the format has it, in code page 437."""
    name = info.orig_filename
    if not info.flag_bits & _UTF8:
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return name.partition("\0")[0].replace("\\", "/")


def _of_tar(found: SourceObject, stored: IO[bytes], budget: _Budget) -> Iterator[SourceObject]:
    plain = unpacked(stored, found.compression)
    forward = _Forward(plain, budget, skips=not found.compression)
    with closing(tarfile.TarFile(fileobj=cast("Any", forward), errors="surrogateescape")) as archive:
        while info := archive.next():
            cast("Any", archive).members = []  # it keeps all that it has read
            name = info.name
            if info.isdir() or not _wanted(name):
                continue
            problem = _problem(name)
            if info.issym() or info.islnk():
                problem = "a link, which GEM does not follow"
            elif not info.isreg() or info.issparse():
                problem = "a device, a pipe or a sparse file"
            yield _member(found, name, info.size, partial(_opened_of_tar, archive, info), problem)
    if forward.last.strip(b"\0") or not forward.last:
        raise OSError(CUT)


def _opened_of_tar(archive: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    """Its bytes are counted as those of the archive."""
    return _buffered(cast("IO[bytes]", archive.extractfile(info)), lambda _: None)


def _wanted(name: str) -> bool:
    """Whether a member is read or refused; others are passed over, like such files of a folder."""
    return media_type(name) is not None and not hidden(name) and not name.startswith("__MACOSX/")


def _problem(name: str) -> str:
    parts = name.split("/")
    if name.startswith("/") or ".." in parts or parts[0].endswith(":"):
        return "its name leads out of the archive"
    kind = media_type(name)
    return "an archive inside an archive: unpack it" if kind and kind[0] in ARCHIVES else ""


def _member(found: SourceObject, name: str, size: int, opener: "partial[IO[bytes]]", problem: str) -> SourceObject:
    kind = media_type(name) or ("", "")
    refusal = None
    if problem:
        reason = IngestReason.UNSUPPORTED if kind[0] in ARCHIVES else IngestReason.UNREADABLE
        refusal = reason, problem
    return SourceObject(f"{found.uri}!/{_spelt(name)}", found.etag, size, *kind, open=opener, refusal=refusal)


def _spelt(name: str) -> str:
    """As in the URI of a file; `./` at the beginning names the same place."""
    while name.startswith("./"):
        name = name[2:]
    try:
        name.encode()
    except UnicodeEncodeError:
        return "/" + quote_from_bytes(name.encode("utf-8", "surrogateescape"))
    return name


def _refused(found: SourceObject, reason: IngestReason, detail: str) -> SourceObject:
    return SourceObject(found.uri, found.etag, 0, found.media_type, "", open=found.open, refusal=(reason, detail))


def _why(error: Exception) -> str:
    return why(error) if isinstance(error, OSError) else (first_line(error) or type(error).__name__)


def _buffered(stream: IO[bytes], take: Callable[[int], None]) -> IO[bytes]:
    return cast("IO[bytes]", io.BufferedReader(_Counted(stream, take), _PIECE))


class _Counted(io.RawIOBase):
    """A member's content: counted, and with OSError for every fault of it."""

    def __init__(self, stream: IO[bytes], take: Callable[[int], None]) -> None:
        self._stream, self._take = stream, take

    def readable(self) -> bool:
        """Always True."""
        return True

    def readinto(self, buffer: object, /) -> int:
        """Fills a part of the buffer."""
        view = memoryview(cast("bytearray", buffer))
        try:
            data = self._stream.read(len(view))
        except (*_FORMAT_FAULTS, EOFError, ValueError, NotImplementedError) as error:
            raise OSError(_why(error)) from error
        self._take(len(data))
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Also closes the member."""
        self._stream.close()
        super().close()


class _Guarded:
    """A zip's file that reads no directory of any size: the format's reader takes it as a whole."""

    def __init__(self, stored: IO[bytes]) -> None:
        self._stored = stored
        self.seek, self.tell = stored.seek, stored.tell
        self._end = stored.seek(0, io.SEEK_END)
        stored.seek(0)

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """Raises OSError for a directory that is too large."""
        left = max(0, self._end - self._stored.tell())
        size = left if size < 0 else min(size, left)
        if size > _DIRECTORY_BYTES:
            raise OSError(f"its directory has more than {_DIRECTORY_BYTES >> 20} MB: split it")
        return self._stored.read(size)


class _Forward:
    """A tar as a file that is only read forwards, with bounded headers.

    Attributes:
        last: the last block that may have been a header.
    """

    def __init__(self, stream: IO[bytes], budget: _Budget, *, skips: bool) -> None:
        self._stream, self._budget, self._skips = stream, budget, skips
        self._at, self.last = 0, b""

    def tell(self) -> int:
        """Position in the unpacked archive."""
        return self._at

    def seek(self, to: int, _whence: int = 0) -> int:
        """Moves forwards.

        Raises:
            OSError: backwards, or the archive unpacks to too much.
        """
        if to < self._at:
            raise OSError("a member lies before the end of another")
        if self._skips:
            self._stream.seek(to)
            self._at = to
        while self._at < to and (data := self._stream.read(min(_PIECE, to - self._at))):
            self._at += len(data)
            self._budget.take(len(data))
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Reads up to `size` bytes.

        Raises:
            OSError: more at once than any header has.
        """
        if not 0 <= size <= _HEADER_BYTES:
            raise OSError(f"a header has more than {_HEADER_BYTES >> 20} MB")
        data = self._stream.read(size)
        while len(data) < size and (more := self._stream.read(size - len(data))):
            data += more
        self._at += len(data)
        self._budget.take(0 if self._skips else len(data))
        if size == _BLOCK:
            self.last = data
        return data
