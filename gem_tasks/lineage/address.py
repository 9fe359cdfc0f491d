"""The lineage's DSN in messages to people: the address of the database, but never its password.

A password with an unescaped `/`, `@` or `%` makes libpq read parts of it as host, port or database, and repeat them in
its complaint. So messages do not quote a DSN that looks wrong, but only name its variable.
"""

import re
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from gem_tasks.errors import UnavailableError, UserError
from gem_tasks.redaction import ending

CONNECT_LIMIT_S = 15
"""Seconds without an answer after which a host counts as unreachable."""

_REFUSED = ("password authentication failed", "no password supplied", "does not exist", "no pg_hba.conf entry")
"""What a server says that answers, and will say again. Refused logins have no SQLSTATE that libpq passes on."""


def refuse_malformed(dsn: str) -> None:
    """Rejects an invalid DSN before a driver can quote it.

    Raises:
        UserError: it is invalid, or a part of it looks like a piece of a password.
    """
    _parts(dsn)


def unreachable(dsn: str, error: BaseException) -> UserError:
    """The error if the database does not answer (then an UnavailableError) or refuses the login."""
    info = _parts(dsn)
    where = f"{info.get('host', 'localhost')}:{info.get('port', 5432)}/{info.get('dbname')}"
    reason = ending((str(error).strip().splitlines() or [type(error).__name__])[-1].strip(), 200)
    kind = UserError if any(words in str(error) for words in _REFUSED) else UnavailableError
    return kind(
        f"The lineage database {where} cannot be reached ({reason})",
        "Start it with `gem up`, or correct GEM_POSTGRES_DSN.",
    )


def _parts(dsn: str) -> dict[str, Any]:
    try:
        info = conninfo_to_dict(dsn)
    except (psycopg.Error, ValueError):  # half a character is a ValueError
        raise _malformed() from None
    numeric = re.fullmatch(r"[\d,]+", str(info.get("port", "5432")))
    if not numeric or any("@" in str(info.get(part)) for part in ("host", "dbname")):
        raise _malformed()
    return info


def _malformed() -> UserError:
    return UserError(
        "GEM_POSTGRES_DSN is not the address of a database",
        "Write postgresql://user:password@host:port/database, with %40 for @, %2F for / and %25 for % in the password.",
    )
