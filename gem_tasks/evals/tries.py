"""Tries of a benchmark that GEM runs itself: their journal, so that an interrupted run continues, and their workers."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Generic, Self, TypeVar

from pydantic import ValidationError

from gem_tasks.domain.base import Value
from gem_tasks.errors import EndpointError, UserError
from gem_tasks.evals.progress import Progress
from gem_tasks.files import replacing

_TOO_MANY_FAILURES = 20
"""Tries in a row that an endpoint failed, after their retries, that end a run."""


class Try(Value):
    """One try at a case."""

    case_id: str
    category: str
    """The kind of the case."""
    epoch: int = 1
    """Number of the try, from 1."""
    error: str | None = None
    """Why the try failed outside the model."""

    @property
    def endpoint_failed(self) -> bool:
        """Whether an endpoint is at fault: if too many are in a row, the run ends."""
        return self.error is not None

    @property
    def brief(self) -> Self:
        """What a report needs of it: of a long run, no more is in memory."""
        return self


Item = TypeVar("Item")
AnyTry = TypeVar("AnyTry", bound=Try)


class Journal(Generic[AnyTry]):
    """`attempts.jsonl` in the folder of a run: one line for each finished try.

    Attributes:
        found: finished tries by case and number, in brief. Those that failed outside the model are not among them.
    """

    def __init__(self, folder: Path, kind: type[AnyTry]) -> None:
        self._path, self._kind = folder / "attempts.jsonl", kind
        self.found = {(each.case_id, each.epoch): each.brief for each in self._finished()}

    def __enter__(self) -> Self:
        """Rewrites the file without lines that a kill cut off and without failed tries."""
        with replacing(self._path) as part, part.open("w", encoding="utf-8") as file:
            file.writelines(map(_line, self._finished()))
        self._file = self._path.open("a", encoding="utf-8")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the file."""
        self._file.close()

    def add(self, attempt: AnyTry) -> None:
        """Keeps a try."""
        self.found[attempt.case_id, attempt.epoch] = attempt.brief
        self._file.write(_line(attempt))
        self._file.flush()

    def _finished(self) -> Iterator[AnyTry]:
        if self._path.is_file():
            with self._path.open("rb") as lines:
                yield from (each for each in map(self._read, lines) if each and each.error is None)

    def _read(self, line: bytes) -> AnyTry | None:
        try:
            return self._kind.model_validate_json(line)
        except ValidationError:
            return None


def _line(attempt: Try) -> str:
    return f"{attempt.model_dump_json()}\n"


async def run_tries(
    wanted: Iterable[Item],
    make: Callable[[Item], Awaitable[AnyTry]],
    journal: Journal[AnyTry],
    *,
    at_once: int,
    total: int,
    what: str,
    progress: Progress,
) -> None:
    """Makes tries, several at a time in the given order, and keeps each.

    Args:
        wanted: what to try.
        make: makes one try.
        journal: keeps the tries.
        at_once: number of tries at a time.
        total: tries of the whole run, for `progress`.
        what: the activity.
        progress: called with the activity, finished tries and total tries.

    Raises:
        UserError: an endpoint cannot be used, or keeps failing.
    """
    waiting, failures = iter(wanted), 0

    async def work() -> None:
        nonlocal failures
        for item in waiting:
            attempt = await make(item)
            journal.add(attempt)
            progress(what, len(journal.found), total)
            failures = failures + 1 if attempt.endpoint_failed else 0
            if failures >= _TOO_MANY_FAILURES:
                raise UserError(f"The endpoints keep failing: {attempt.error}", "Fix the problem, then run it again.")

    progress(what, len(journal.found), total)
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(work())
    except* (UserError, EndpointError) as errors:
        raise _told(errors) from None


def _told(errors: BaseExceptionGroup[UserError | EndpointError]) -> UserError:
    """The first error of a group, for the user."""
    found = errors.exceptions[0]
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    if isinstance(found, UserError):
        return found
    said = " ".join(str(found).split())
    return UserError(f"The endpoint cannot be used: {said}", "Fix the problem, then run it again.")
