"""A source's listing beside what is recorded of it: which objects are new or changed, which are missing.

Both are sorted the same way, so they are compared piece by piece: memory holds one piece, and nothing is written for an
object that is as it was. How far a scan has come is recorded, and an interrupted one goes on from there.

Nothing is taken for gone by mistake. An object that a listing passes over is at first only *missing*; when the listing
has come to its end without an error, missing ones are retired, unless they are so many that something else is likely to
have happened to the source: then the task fails and a person decides.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from gem_tasks.corpus.sources import EmptySourceError, SourceObject, inside, list_objects
from gem_tasks.domain.s3_access import S3Access
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
        earlier: of the changed objects of the last piece, how many documents each held before.
    """

    def __init__(
        self, ledger: Ledger, source: Registered, roots: Sequence[str] = (), access: S3Access | None = None
    ) -> None:
        self._ledger, self._source, self._roots, self._access = ledger, source, roots, access
        self._after = source.scan_position
        self._closed: list[str] = []
        self._anywhere: list[str] = []
        self.listed = self.unchanged = 0
        self.earlier: dict[str, int] = {}
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
            piece, reached = self._ordered(piece)
            self._closed += [item.uri for item in piece if item.closed]
            keys = [item.uri for item in piece]
            found = self._ledger.sources.compare_objects(self._source.source_id, keys, [item.etag for item in piece])
            compared = {each.key: each for each in found}
            seen = [*keys, *self._anywhere]
            self._ledger.sources.mark_missing(self._source.source_id, self._after, reached, seen, self._closed)
            if again := [each.key for each in found if each.missing and each.same]:
                self._ledger.sources.found_again(self._source.source_id, again)
            self.listed += len(piece)
            self.unchanged += sum(each.documents or 0 for each in found if each.same)
            self._after = reached
            self.earlier = {each.key: each.documents for each in found if not each.same and each.documents is not None}
            yield [item for item in piece if not (item.uri in compared and compared[item.uri].same)]

    @property
    def position(self) -> str:
        """The last object that was listed; to be recorded when everything up to it is committed."""
        return self._after

    @property
    def beyond_known(self) -> bool:
        """Whether the listing is behind everything that is known of the source: nothing that comes can be missing."""
        last = self._ledger.sources.last_object(self._source.source_id)
        return self._after.encode("utf-8", "surrogatepass") >= last.encode()

    def finish(self, accept_vanished: bool, *, whole: bool = True) -> Settled:
        """After the last piece, or one behind everything that is known: retires what is missing.

        Args:
            accept_vanished: however much it is.
            whole: the listing has come to its end.

        Raises:
            UserError: it is so much that a person has to say that it is meant.
        """
        number = self._source.source_id
        self._ledger.sources.mark_missing(number, self._after, None, self._anywhere, self._closed)
        if whole:
            self._ledger.sources.scan_position(number, "")
        left = self._ledger.sources.known_objects(number)
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
        return self._ledger.versions.retire_missing(number)

    def _listing(self) -> Iterable[SourceObject]:
        try:
            found = list_objects(self._source.uri, self._after, self._access)
            yield from (item for item in found if inside(item, self._roots))
        except EmptySourceError:
            # Where there was something before, this is everything having vanished at once.
            if not self._ledger.sources.known_objects(self._source.source_id).known:
                raise

    def _ordered(self, piece: list[SourceObject]) -> tuple[list[SourceObject], str]:
        """The piece without what it lists twice, and up to which key the listing has come with it.

        A key in a bucket that is no UTF-8 is listed by its bytes and spelt with U+FFFD, so its place says nothing. That
        it was seen is kept, so that it is not missed where it should have come.

        Raises:
            StoreError: the listing is not sorted.
        """
        reached, kept = self._after, dict[str, SourceObject]()
        for item in piece:
            if item.uri in kept:
                logger.warning("%r is listed twice: two names that cannot be told apart", item.uri)
                continue
            kept[item.uri] = item
            if item.remote and "\ufffd" in item.uri:
                self._anywhere.append(item.uri)
            elif item.order > reached.encode("utf-8", "surrogatepass"):
                reached = item.uri
            else:
                raise StoreError(f"{self._source.uri} is not listed in the order of its keys: {item.uri} comes late")
        return list(kept.values()), reached
