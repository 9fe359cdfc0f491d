"""The totals follow every change: one that left segments and calls of a group as they were, and not its cost, was lost.

Two segments that change places between outcomes in one statement, with as many calls and other tokens, were such a one.
"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

FUNCTIONS = ("gem_count_inserted", "gem_count_updated", "gem_recount")
ONLY = "HAVING sum(n) <> 0 OR sum(n * c.calls) <> 0"
EVERY = "HAVING count(n) > 0"


def _replace(old: str, new: str) -> None:
    """In the functions as they are: their text is that of revision 0015 but for this."""
    for name in FUNCTIONS:
        change = f"replace(pg_get_functiondef('{name}'::regproc), '{old}', '{new}')"
        op.execute(f"DO $do$ BEGIN EXECUTE {change}; END $do$")


def upgrade() -> None:
    _replace(ONLY, EVERY)


def downgrade() -> None:
    _replace(EVERY, ONLY)
