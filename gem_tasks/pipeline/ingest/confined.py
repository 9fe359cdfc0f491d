"""Reads a file that a library unpacks, such as Parquet or PDF, in a process with bounded memory and CPU time.

The unpacked size is known only afterwards: a kilobyte may become gigabytes, regardless of what the file says.
The child gets the file as its standard input and nothing else, and answers with pickled documents.
"""

import os
import pickle  # between our own processes only
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import IO, Any, cast

from gem_tasks.corpus.reading.converted import CONVERTED
from gem_tasks.corpus.reading.readers import read
from gem_tasks.corpus.reading.records import refused
from gem_tasks.corpus.sources.objects import SourceObject, why
from gem_tasks.domain.corpus import IngestReason, RawDocument
from gem_tasks.pipeline.ingest.limits import (
    CONVERSION_BYTES,
    CONVERSION_CPU_S,
    CPU_S,
    ENVIRONMENT,
    KILLED,
    MEMORY_BYTES,
    TooExpensiveError,
    limit_memory,
    limited_cpu,
)

CONFINED = frozenset({"application/parquet", "application/mbox", *CONVERTED})
"""Media types of files that are read here."""
_COMMAND = (sys.executable, "-m", "gem_tasks.pipeline.ingest.confined")
_EXPENSIVE = "reading it takes more memory or CPU time than one document is allowed"


def read_confined(found: SourceObject, limit_bytes: int, max_rows: int) -> Iterator[RawDocument]:
    """Like `corpus.readers.read`; a file that exceeds the child's limits gets the reason `too_expensive`.

    Raises:
        StoreError: the store of a remote file does not answer.
    """
    asked = (found.uri, found.etag, found.size, found.media_type, found.compression)
    try:
        with found.open() as stored, _file(stored) as file:
            for document in _answers(found, file, pickle.dumps((asked, limit_bytes, max_rows)).hex()):
                about = {"metadata": found.about | document.metadata}
                yield document.model_copy(update=about) if found.about else document
    except OSError as error:
        yield refused(found, None, IngestReason.UNREADABLE, why(error))


@contextmanager
def _file(stored: IO[bytes]) -> Generator[IO[bytes]]:
    """The file with a descriptor that a child process can inherit."""
    try:
        stored.fileno()
    except (OSError, AttributeError):
        with tempfile.TemporaryFile() as copy:
            shutil.copyfileobj(stored, copy)
            copy.seek(0)
            yield cast("IO[bytes]", copy)
    else:
        yield stored


def _answers(found: SourceObject, file: IO[bytes], asked: str) -> Iterator[RawDocument]:
    child = subprocess.Popen(  # noqa: S603
        (*_COMMAND, asked), stdin=file, stdout=subprocess.PIPE, env=os.environ | ENVIRONMENT
    )
    try:
        yield from iter(lambda: pickle.load(cast("IO[bytes]", child.stdout)), None)  # noqa: S301
    except (EOFError, pickle.UnpicklingError):
        expensive = child.wait() in KILLED
        reason = IngestReason.TOO_EXPENSIVE if expensive else IngestReason.UNREADABLE
        yield refused(found, None, reason, _EXPENSIVE if expensive else "the process that read it crashed")
    finally:
        child.kill()
        child.communicate()


def serve(asked: str, answers: IO[bytes]) -> None:
    """Main loop of the child: writes every document of the file, then None."""
    place, limit_bytes, max_rows = pickle.loads(bytes.fromhex(asked))  # noqa: S301
    found = SourceObject(*place, open=lambda: os.fdopen(0, "rb", closefd=False))
    seconds, most = (CONVERSION_CPU_S, CONVERSION_BYTES) if found.media_type in CONVERTED else (CPU_S, MEMORY_BYTES)
    limit_memory(most)
    documents = read(found, limit_bytes, max_rows)
    try:
        while document := _next(documents, seconds):
            pickle.dump(document, answers, pickle.HIGHEST_PROTOCOL)
    except (TooExpensiveError, MemoryError):
        del documents
        pickle.dump(refused(found, None, IngestReason.TOO_EXPENSIVE, _EXPENSIVE), answers)
    except Exception as error:  # noqa: BLE001 - an odd file gets its reason, as in `documents_of`
        pickle.dump(refused(found, None, IngestReason.UNREADABLE, f"{type(error).__name__}: {why(error)}"), answers)
    pickle.dump(None, answers)
    answers.flush()


def _next(documents: Iterator[RawDocument], seconds: int) -> Any:
    with limited_cpu(seconds):
        return next(documents, None)


if __name__ == "__main__":
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # output that a library prints must not mix with the answers
    serve(sys.argv[1], out)
