"""A source's listing beside what is recorded of it: which objects are new or changed, which are missing.

Both are sorted the same way, so they are compared piece by piece: memory holds one piece, and nothing is written for an
object that is as it was. How far a scan has come is recorded, and an interrupted one goes on from there.

Nothing is taken for gone by mistake. An object that a listing passes over is at first only *missing*; when the listing
has come to its end without an error, missing ones are retired, unless they are so many that something else is likely to
have happened to the source: then the task fails and a person decides.
"""

import logging
from collections.abc import Iterable, Iterator
from itertools import islice

from gem_tasks.corpus.sources import EmptySourceError, SourceObject, list_objects
from gem_tasks.errors import StoreError, UserError
from gem_tasks.lineage import Ledger, Registered, Settled

logger = logging.getLogger(__name__)

_PIECE = 1000
_FEW = 10
"""So many objects may go without a question."""
_MASS_SHARE = 0.2
"""More than this share of a source's objects does not vanish within an hour without somebody knowing."""


class Scan:
    """One look at a source, from where the last unfinished one stopped.

    Attributes:
        listed: objects so far.
        unchanged: documents in objects that are as they were.
    """

    def __init__(self, ledger: Ledger, source: Registered) -> None:
        self._ledger, self._source = ledger, source
        self._after = source.scan_position
        self._closed: list[str] = []
        self.listed = self.unchanged = 0
        if self._after:
            logger.info("%s: goes on behind %s", source.uri, self._after)

    def pieces(self) -> Iterator[list[SourceObject]]:
        """New and changed objects, a piece of the listing at a time; may be empty.

        Raises:
            UserError: the source cannot be listed.
            StoreError: the listing is not sorted.
        """
        listing = iter(self._listing())
        while piece := list(islice(listing, _PIECE)):
            self._check_order(piece)
            self._closed += [item.uri for item in piece if item.closed]
            keys = [item.uri for item in piece]
            found = self._ledger.compare_objects(self._source.source_id, keys, [item.etag for item in piece])
            compared = {each.key: each for each in found}
            self._ledger.mark_missing(self._source.source_id, self._after, keys[-1], keys, self._closed)
            if again := [each.key for each in found if each.missing and each.same]:
                self._ledger.found_again(self._source.source_id, again)
            self.listed += len(piece)
            self.unchanged += sum(each.documents or 0 for each in found if each.same)
            self._after = keys[-1]
            yield [item for item in piece if not compared[item.uri].same]

    @property
    def position(self) -> str:
        """The last object that was listed; to be recorded when everything up to it is committed."""
        return self._after

    def finish(self, accept_vanished: bool) -> Settled:
        """After the last piece: retires what is missing.

        Raises:
            UserError: it is so much that a person has to say that it is meant.
        """
        number = self._source.source_id
        self._ledger.mark_missing(number, self._after, None, [], self._closed)
        self._ledger.scan_position(number, "")
        left = self._ledger.known_objects(number)
        if not left.missing:
            return Settled()
        many = left.missing == left.known or left.missing > max(_FEW, _MASS_SHARE * left.known)
        if many and not accept_vanished:
            raise UserError(
                f"{left.missing} of {left.known} objects of {self._source.uri} have vanished, such as {left.example};"
                " nothing of them was retired, what is new was read",
                "If that is meant, run it once with `gem run SOURCE --accept-vanished` (or the DAG's param"
                " accept_vanished). If not, bring them back.",
            )
        return self._ledger.retire_missing(number)

    def _listing(self) -> Iterable[SourceObject]:
        try:
            yield from list_objects(self._source.uri, self._after)
        except EmptySourceError:
            # Where there was something before, this is everything having vanished at once.
            if not self._ledger.known_objects(self._source.source_id).known:
                raise

    def _check_order(self, piece: list[SourceObject]) -> None:
        before = self._after.encode("utf-8", "surrogatepass")
        for item in piece:
            if item.order <= before:
                raise StoreError(f"{self._source.uri} is not listed in the order of its keys: {item.uri} comes late")
            before = item.order
