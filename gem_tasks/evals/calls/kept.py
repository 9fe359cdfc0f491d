"""Conversations in a temporary file, so that memory does not grow with their number.

The file has no name and ends with the process. A small set stays in memory.
"""

import json
from collections import OrderedDict
from contextlib import suppress
from tempfile import SpooledTemporaryFile, gettempdir
from typing import NamedTuple
from weakref import finalize

from gem_tasks.domain.trajectory import Trajectory
from gem_tasks.errors import UserError

_IN_MEMORY = 4 << 20
"""Bytes from which the file is on disk."""
_AT_HAND = 64
"""Most conversations that are held ready: those whose turns are being asked."""


class Place(NamedTuple):
    """Where a conversation is in the file."""

    start: int
    size: int


class Kept:
    """The conversations of a run: written once, read as often as needed."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(max_size=_IN_MEMORY)
        finalize(self, _close, self._file)
        self._end = 0
        self._at_hand: OrderedDict[int, Trajectory] = OrderedDict()

    def add(self, trajectory: Trajectory) -> Place:
        """Keeps a conversation.

        Raises:
            UserError: there is no room for it.
        """
        body = json.dumps(trajectory.model_dump()).encode()  # unlike pydantic, it keeps NaN
        place = Place(self._end, len(body))
        try:
            self._file.seek(place.start)
            self._file.write(body)
            self._file.flush()  # a full disk shows here, not in a later read
        except OSError as error:
            why = error.strerror or str(error)
            raise UserError(f"The conversations cannot be kept in {gettempdir()}: {why}", "Set TMPDIR.") from None
        self._end += place.size
        return place

    def read(self, place: Place) -> Trajectory:
        """The conversation at a place."""
        found = self._at_hand.pop(place.start, None)
        if found is None:
            self._file.seek(place.start)
            found = Trajectory.model_validate(json.loads(self._file.read(place.size)))
        self._at_hand[place.start] = found
        if len(self._at_hand) > _AT_HAND:
            self._at_hand.popitem(last=False)
        return found


def _close(file: SpooledTemporaryFile[bytes]) -> None:
    with suppress(OSError):  # what a full disk has not taken is not needed
        file.close()
