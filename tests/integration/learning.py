"""What learning a dialect costs."""

from gem_tasks.domain.stage import STAGE_NAMES

MOST_WASTED = 3


def wasted_by_learning(work):
    """Requests by stage that were refused as such, or whose thinking ate the limit."""
    with work.ledger() as ledger:
        query = "SELECT stage, error_class, sum(calls)::int AS calls FROM wasted_calls GROUP BY 1, 2"
        rows = ledger.pg.execute(query).fetchall()
    found = dict.fromkeys(STAGE_NAMES, 0)
    for row in rows:
        found[row["stage"]] += row["calls"] if row["error_class"] in {"bad_request", "truncated"} else 0
    return found
