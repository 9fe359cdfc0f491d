"""Compares a source's listing with its recorded objects: which are new or changed, and which are missing.

Both are sorted in the same order, so they are compared piece by piece: memory holds one piece, and unchanged objects
cause no writes. The scan's position is recorded, so an interrupted scan continues from there.

Nothing is retired by mistake. An object that the listing lacks is at first only *missing*; once the listing has ended
without an error, missing objects are retired. If more are missing than a healthy source would lose,
the task fails and a person decides.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from math import inf

from gem_tasks.corpus.sources.listing import WEB, EmptySourceError, SourceObject, inside, list_objects
from gem_tasks.domain.s3_access import S3Access
from gem_tasks.domain.web_access import WebAccess
from gem_tasks.errors import StoreError, UserError
from gem_tasks.lineage import Ledger, Registered, Settled

logger = logging.getLogger(__name__)

_PIECE = 1000
_WEB_PIECE = 64
"""The bodies of a piece wait in memory or in temporary files."""
_FEW = 10
"""Up to this many missing objects are retired without confirmation."""
_MASS_SHARE = 0.2
"""A larger share of a source's objects does not vanish within an hour by accident, so a person has to confirm it."""


class Scan:
    """One scan of a source, continued where the last unfinished one stopped.

    Attributes:
        listed: number of objects so far.
        unchanged: number of documents in unchanged objects.
        earlier: for each changed object of the last piece, its earlier number of documents.
    """

    def __init__(
        self,
        ledger: Ledger,
        source: Registered,
        roots: Sequence[str] = (),
        access: S3Access | None = None,
        web: WebAccess | None = None,
        room: float = inf,
    ) -> None:
        self._ledger, self._source, self._roots = ledger, source, roots
        self._access, self._web, self._room = access, web or WebAccess(), room
        self._after = source.scan_position
        self._closed: list[str] = []
        self._anywhere: list[str] = []
        self.listed = self.unchanged = 0
        self.earlier: dict[str, int] = {}
        if self._after:
            logger.info("%s: resumes after %s", source.uri, self._after)

    def pieces(self) -> Iterator[list[SourceObject]]:
        """Yields new and changed objects, one piece of the listing at a time; a piece may be empty.

        Raises:
            UserError: the source cannot be listed.
            StoreError: the listing is not sorted.
        """
        listing = iter(self._listing())
        while piece := list(islice(listing, _WEB_PIECE if self._source.kind == WEB else _PIECE)):
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
        """The last listed object; to be recorded once everything up to it is committed."""
        return self._after

    @property
    def beyond_known(self) -> bool:
        """Whether the listing has passed every known object of the source: nothing that follows can be missing."""
        last = self._ledger.sources.last_object(self._source.source_id)
        return self._after.encode("utf-8", "surrogatepass") >= last.encode()

    def finish(self, accept_vanished: bool, *, whole: bool = True) -> Settled:
        """Retires missing objects; called after the last piece, or after one past every known object.

        Args:
            accept_vanished: retire them regardless of their number.
            whole: whether the listing has ended.

        Raises:
            UserError: too many are missing to retire them without confirmation.
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
                " GEM retired none of their documents, but ingested new and changed objects",
                "If they are gone for good, run once with `gem run SOURCE --accept-vanished` (or the DAG's param"
                " accept_vanished). Otherwise restore them.",
            )
        return self._ledger.versions.retire_missing(number)

    def _listing(self) -> Iterable[SourceObject]:
        try:
            found = self._found()
            yield from (item for item in found if inside(item, self._roots))
        except EmptySourceError:
            # If the source had objects before, this means that all of them vanished at once.
            if not self._ledger.sources.known_objects(self._source.source_id).known:
                raise

    def _found(self) -> Iterable[SourceObject]:
        uri, number = self._source.uri, self._source.source_id
        if self._source.kind != WEB:
            return list_objects(uri, self._after, self._access)
        etags = self._ledger.sources.etags
        return list_objects(uri, self._after, web=self._web, known=lambda keys: etags(number, keys), room=self._room)

    def _ordered(self, piece: list[SourceObject]) -> tuple[list[SourceObject], str]:
        """The piece without duplicates, and the last key that the listing has covered with it.

        A bucket's key that is not UTF-8 is listed by its bytes and spelt with U+FFFD, so its position means nothing.
        The scan remembers that it saw the key, so that the key is not counted as missing at its expected position.

        Raises:
            StoreError: the listing is not sorted.
        """
        reached, kept = self._after, dict[str, SourceObject]()
        for item in piece:
            if item.uri in kept:
                logger.warning("%r is listed twice, because two names read the same; GEM uses the first", item.uri)
                continue
            kept[item.uri] = item
            if item.remote and "\ufffd" in item.uri:
                self._anywhere.append(item.uri)
            elif item.order > reached.encode("utf-8", "surrogatepass"):
                reached = item.uri
            else:
                raise StoreError(f"the listing of {self._source.uri} is not sorted by key: {item.uri} comes too late")
        return list(kept.values()), reached
