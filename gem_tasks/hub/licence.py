"""The licence of a dataset, from those that its sources claim.

Ids are those of the Hub (https://huggingface.co/docs/hub/repositories-licenses). A claim such as "CC BY 4.0, © Acme" is
recognized by its words. The result is the licence under which all sources can be passed on together; it does not
replace a lawyer.
"""

import re
from collections.abc import Mapping

from gem_tasks.domain.base import Value
from gem_tasks.errors import UserError

_CLAIMS = (
    ("forbidden", r"\bnd\b|no.?deriv|all rights reserved|proprietary|confidential|internal use"),
    ("cc-by-nc-sa-4.0", r"\bby.?nc.?sa\b"),
    ("cc-by-nc-4.0", r"\bby.?nc\b|non.?commercial"),
    ("cc-by-sa-4.0", r"\bby.?sa\b"),
    ("cc-by-4.0", r"\bcc.?by\b|creative commons attribution"),
    ("cc0-1.0", r"\bcc0\b|cc.?zero|public domain|unlicense\b|\bpddl\b"),
    ("apache-2.0", r"\bapache\b"),
    ("mit", r"\bmit\b"),
    ("bsd-3-clause", r"\bbsd\b"),
    ("gfdl", r"\bgfdl\b|free documentation"),
    ("gpl-3.0", r"\bgpl"),
)
_ORDER = ("cc0-1.0", "mit", "bsd-3-clause", "apache-2.0", "cc-by-4.0", "cc-by-sa-4.0")
"""Each may be passed on under every later one."""
_NON_COMMERCIAL = ("cc0-1.0", "mit", "bsd-3-clause", "apache-2.0", "cc-by-4.0", "cc-by-nc-4.0", "cc-by-nc-sa-4.0")


class Licence(Value):
    """The licence for the Hub, and the claims it is based on."""

    id: str
    """`unknown` if a source claims none, `other` if no single licence fits."""
    claimed: dict[str, int]
    """Trajectories by their sources' claims."""


def licence_of(claimed: Mapping[str, int]) -> Licence:
    """The licence of trajectories whose sources claim these.

    Args:
        claimed: trajectories by claim, as a manifest has them; an unknown one is `unknown` or empty.

    Raises:
        UserError: a claim forbids derived works.
    """
    ids: set[str] = set()
    for claim, count in claimed.items():
        found = _id(claim)
        if found == "forbidden":
            raise UserError(
                f"The licence {claim!r} of {count} trajectories' sources forbids publishing derived works",
                "Remove these sources (`gem source`), and publish the partition again.",
            )
        ids.add(found)
    return Licence(id=_common(ids), claimed=dict(claimed))


def _id(claim: str) -> str:
    folded = re.sub(r"[\s_/.-]+", " ", claim.casefold()[:500]).strip()
    if folded in ("", "unknown", "none"):
        return "unknown"
    return next((name for name, words in _CLAIMS if re.search(words, folded)), "other")


def _common(ids: set[str]) -> str:
    if len(ids) == 1:
        return next(iter(ids))
    if "unknown" in ids:
        return "unknown"
    for order in (_ORDER, _NON_COMMERCIAL):
        if ids and ids <= set(order):
            return max(ids, key=order.index)
    return "other" if ids else "unknown"
