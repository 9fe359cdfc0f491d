"""Named SQL from `sql/queries/**/*.sql`: `-- name --`, a sentence, the statement. The only place that reads them."""

import re
from functools import cache
from typing import LiteralString, cast

from gem_tasks.resources import shipped

_NAME = re.compile(r"^-- (\w+) --$", re.MULTILINE)


@cache
def queries() -> dict[str, LiteralString]:
    """All statements by name.

    Raises:
        ValueError: a name occurs twice.
    """
    found: dict[str, LiteralString] = {}
    for path in sorted((shipped("sql") / "queries").rglob("*.sql")):
        parts = _NAME.split(path.read_text(encoding="utf-8"))
        for name, body in zip(parts[1::2], parts[2::2], strict=True):
            if name in found:
                raise ValueError(f"{path.name}: the query {name} is defined twice")
            # These files are part of GEM, and as trustworthy as a literal.
            found[name] = cast("LiteralString", body.strip())
    return found
