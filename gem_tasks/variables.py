"""Names of `GEM_*` variables: finds those that nothing reads, which are usually typing errors.

`Settings` has most names by its fields. The rest is here: what other parts read before there are settings, what a
deployment passes on, and what tests and CI are switched by.
"""

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import NamedTuple

from gem_tasks.domain.request_options import RequestOptions
from gem_tasks.domain.stage import HAVE_SETTINGS
from gem_tasks.domain.stage_settings import StageSettings, variable
from gem_tasks.errors import UserError

_PUT_TOGETHER = ("llm_stages", "llm_requests", "s3")
"""Settings without a variable: `settings.load` puts them together."""
_OTHERS = frozenset({
    "GEM_POSTGRES_PORT", "GEM_TEACHER_PORT", "GEM_AIRFLOW_PORT", "GEM_WORKER_LOGS_PORT", "GEM_TEACHER_API_KEY",
    "GEM_HTTP_PROXY", "GEM_HTTPS_PROXY", "GEM_ALL_PROXY", "GEM_NO_PROXY", "GEM_TORCH_LOCK", "GEM_SUPERVISED",
    "GEM_CANARY", "GEM_ALERT_URL", "GEM_DEADLINE_MINUTES", "GEM_PIPELINE_DB_PASSWORD", "GEM_CONSOLE_DB_PASSWORD",
    "GEM_FUZZ", "GEM_REQUIRE_BROWSER", "GEM_WORLD_TOKEN",
})  # fmt: skip
_FAMILIES = ("GEM_TEST_", "GEM_COMPOSE")
"""Prefixes of variables that tests use."""
_KUBERNETES = re.compile(r"_SERVICE_HOST$|_SERVICE_PORT|_PORT_[0-9]{1,5}_(?:TCP|UDP)")
"""Kubernetes tells every container about the services of its namespace, also about those called `gem-…`."""
_NEAR = 0.75
"""Similarity (difflib's) from which a name counts as mistyped: swapped, missing or added letters and words."""
_said: set[str] = set()
logger = logging.getLogger(__name__)


class Unread(NamedTuple):
    """A variable that nothing reads."""

    name: str
    nearest: str
    """The name that was probably meant; empty where none is near."""

    @property
    def cause(self) -> str:
        """What is wrong with it."""
        return f"{self.name} is not a setting of GEM and does nothing"

    @property
    def fix(self) -> str:
        """What to do about it."""
        return f"Did you mean {self.nearest}?" if self.nearest else "Unset it, unless another program reads it."


def unread(given: Iterable[str], fields: Iterable[str]) -> Iterator[Unread]:
    """The variables among `given`, in their order, that nothing reads.

    Args:
        given: names of variables, upper or lower case, of any program.
        fields: of `Settings`.
    """
    known = _OTHERS.union(_names(fields))
    for name in given:
        upper = name.upper()
        if upper.startswith("GEM_") and upper not in known and not _is_foreign(upper):
            yield Unread(name, _nearest(upper, known))


def newly(found: Iterable[Unread]) -> list[Unread]:
    """Those that were not found before in this process: a person is told once, not whenever settings are read."""
    new = [each for each in found if each.name not in _said]
    _said.update(each.name for each in new)
    return new


def log_unread(found: Iterable[Unread]) -> None:
    """Logs each once: in a task's log, a notebook, the log of the API server."""
    for each in newly(found):
        logger.warning("%s. %s", each.cause, each.fix)


def log_mistyped(place: str, given: Iterable[str], names: Sequence[str]) -> None:
    """Logs fields that nothing reads and that look like one that is read, once each: other programs may have theirs."""
    for name in given:
        near = "" if name in names else _nearest(name, names)
        if near and f"{place} {name}" not in _said:
            _said.add(f"{place} {name}")
            logger.warning("%s: %s does nothing. Did you mean %s?", place, name, near)


def refuse_unknown(given: Iterable[str], fields: Iterable[str]) -> None:
    """Checks the keyword arguments of `Settings`.

    Raises:
        UserError: one is none of the fields.
    """
    names = frozenset(fields)
    for name in given:
        if name not in names:
            near = _nearest(name, names)
            fix = f"Did you mean {near!r}?" if near else "See the fields of `gem_tasks.Settings`."
            raise UserError(f"Settings has no {name!r}", fix)


def _names(fields: Iterable[str]) -> Iterator[str]:
    yield from (f"GEM_{field.upper()}" for field in fields if field not in _PUT_TOGETHER)
    for kind, stages in ((StageSettings, HAVE_SETTINGS), (RequestOptions, ("", *HAVE_SETTINGS))):
        yield from (variable(field, stage) for field in kind.model_fields for stage in stages)


def _nearest(name: str, names: Iterable[str]) -> str:
    """Two swapped letters are the likeliest error, and difflib counts them as two."""
    swapped = {name[:at] + name[at + 1] + name[at] + name[at + 2 :] for at in range(len(name) - 1)}
    near = get_close_matches(name, sorted(names), n=3, cutoff=_NEAR)
    return next((each for each in near if each in swapped), next(iter(near), ""))


def _is_foreign(name: str) -> bool:
    return name.startswith(_FAMILIES) or _KUBERNETES.search(name) is not None
