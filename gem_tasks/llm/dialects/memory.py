"""Remembers dialects for all workers of a deployment in its object store: one small object per (endpoint, model).

Objects are numbered and only ever created, never changed: if two workers learn at once, one creates the next number,
and the other merges that and creates the one after it. So nothing learned is lost.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from pydantic import ValidationError

from gem_tasks.domain.base import Value
from gem_tasks.domain.request_options import ApiName
from gem_tasks.errors import StoreError
from gem_tasks.llm.dialects.dialect import Dialect
from gem_tasks.ports import ObjectStore
from gem_tasks.store.keys import dialect_key

logger = logging.getLogger(__name__)

_EXPIRES_S = 30 * 24 * 3600.0
"""Servers are upgraded: GEM retries what failed last month."""
_TRIES = 20


class Known(Value):
    """What is known about a model at an endpoint."""

    dialect: Dialect
    proved: tuple[str, ...] = ()
    """Shapes of requests that it has answered, see `shape_of`."""
    at: int = 0
    """Time of the last lesson, in seconds since 1970."""
    endpoint: str = ""
    """For display: without the parts of the URL that may contain a secret."""
    model: str = ""
    answered_as: str = ""
    """The endpoint's name for the model."""
    window: int | None = None
    """Tokens that prompt and answer may have together, if known."""
    window_source: str = ""
    """Source of that number, in words."""
    usage_fault: str = ""
    """What is wrong with the reported token counts, in words."""

    def with_changes(self, before: Dialect, after: Dialect, shape: str, answered_as: str) -> "Known":
        """Adds what one answer taught: its changes to the initial dialect, regardless of what others have learned."""
        changes: dict[str, Any] = {name: value for name, value in after if value != getattr(before, name)}
        for name in {"dropped", "useless"} & changes.keys():
            changes[name] = tuple(sorted({*getattr(self.dialect, name), *getattr(after, name)}))
        if "room" in changes:
            changes["room"] = max(self.dialect.room, after.room)
        return self.model_copy(
            update={
                "dialect": self.dialect.model_copy(update=changes),
                "proved": tuple(sorted({*self.proved, shape})),
                "at": int(time.time()),
                "answered_as": answered_as or self.answered_as,
            }
        )


class Memory:
    """Belongs to one endpoint.

    Args:
        store: store of the deployment; None remembers nothing.
        base_url: base URL of the endpoint.
        api: the API that the endpoint speaks: lessons about one API do not apply to another at the same address.
    """

    def __init__(self, store: ObjectStore | None, base_url: str, api: ApiName = "openai") -> None:
        self._store, self._base_url = store, base_url
        self._place = base_url if api == "openai" else f"{api} {base_url}"

    def recall(self, model: str, preset: Dialect) -> Known:
        """What is remembered, or the preset. If the store does not answer, the preset."""
        with suppress(StoreError):
            if found := self._newest(model)[1]:
                return found
        return self._new(model, preset)

    def learned(self, model: str, before: Dialect, after: Dialect, shape: str, answered_as: str) -> None:
        """Saves what an answer taught; see `Known.with_changes`."""
        self._change(model, before, lambda known: known.with_changes(before, after, shape, answered_as))

    def saw_window(self, model: str, preset: Dialect, tokens: int | None, source: str) -> None:
        """Saves the model's window; None deletes it."""
        update = {"window": tokens, "window_source": source}
        self._change(model, preset, lambda known: known.model_copy(update=update | {"at": int(time.time())}))

    def saw_usage(self, model: str, preset: Dialect, fault: str) -> None:
        """Saves what is wrong with the reported token counts; "" once they are right."""
        self._change(
            model, preset, lambda known: known.model_copy(update={"usage_fault": fault, "at": int(time.time())})
        )

    def _change(self, model: str, preset: Dialect, change: Callable[[Known], Known]) -> None:
        if self._store is None:
            return
        try:
            for _ in range(_TRIES):
                number, found = self._newest(model)
                known = change(found or self._new(model, preset))
                mine = self._key(model, number + 1)
                if not self._store.create(mine, known.model_dump_json(indent=1).encode()):
                    continue
                # Others may have gone further and removed this number, so that it could be created a second time.
                numbers = sorted(map(_number, self._store.list(self._folder(model))))
                for older in numbers[:-1]:
                    self._store.delete(self._key(model, older))
                if numbers[-1:] in ([], [number + 1]):
                    return
        except StoreError as error:
            logger.warning("cannot save what was learned about %s: %s", model, error)

    def _new(self, model: str, preset: Dialect) -> Known:
        return Known(dialect=preset, endpoint=public_url(self._base_url), model=model)

    def _newest(self, model: str) -> tuple[int, Known | None]:
        """Number and content of the newest object; -1 if there is none, None if it is too old or unreadable."""
        if self._store is None:
            return -1, None
        for _ in range(_TRIES):
            numbers = [_number(key) for key in self._store.list(self._folder(model))]
            if not numbers:
                return -1, None
            with suppress(KeyError):  # replaced after it was listed
                return max(numbers), _read(self._store.get(self._key(model, max(numbers))))
        return -1, None

    def _folder(self, model: str) -> str:
        return dialect_key(sha256(f"{self._place}\n{model}".encode()).hexdigest()[:24], "")

    def _key(self, model: str, number: int) -> str:
        return f"{self._folder(model)}{number:08d}.json"


def public_url(base_url: str) -> str:
    """An endpoint's URL without the parts that may contain a secret."""
    parts = urlsplit(base_url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def remembered(store: ObjectStore) -> list[Known]:
    """All that is remembered in a deployment, by endpoint and model.

    Raises:
        StoreError: the store cannot be read.
    """
    newest: dict[str, str] = {key.rpartition("/")[0]: key for key in sorted(_keys(store))}
    found: list[Known] = []
    for key in newest.values():
        with suppress(KeyError):
            if known := _read(store.get(key)):
                found.append(known)
    return sorted(found, key=lambda known: (known.endpoint, known.model))


def forget(store: ObjectStore) -> int:
    """Deletes everything remembered; returns the number of objects.

    Raises:
        StoreError: the store cannot be read or written.
    """
    keys = list(_keys(store))
    for key in keys:
        store.delete(key)
    return len(keys)


def _keys(store: ObjectStore) -> Iterator[str]:
    return store.list("dialects/")


def _number(key: str) -> int:
    name = key.rpartition("/")[2].removesuffix(".json")
    return int(name) if name.isdigit() else -1


def _read(data: bytes) -> Known | None:
    try:
        known = Known.model_validate_json(data)
    except ValidationError:  # from another version
        return None
    return known if time.time() - known.at < _EXPIRES_S else None
