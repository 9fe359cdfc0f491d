"""Keys that begin with the partition, beside the old ones: old and new code can write. See ADR 27.

New results of a partition then lie together in the index instead of on random pages. A segment belongs to one
partition, and the new foreign keys ensure that results name it. So (partition_key, segment_id, recipe_id) is unique
exactly if (segment_id, recipe_id) is. The trigger functions find segments by their partition, too.
"""

from alembic import op

from gem_tasks.lineage.online import Online

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

KEYED = ("stage_results", "quota_texts")
FOREIGN_KEY = "(partition_key, segment_id) REFERENCES segments (partition_key, segment_id)"
REFUSED = {
    "stage_results_refused": "reason, updated_at DESC, segment_id DESC",
    "stage_results_refused_newest": "updated_at DESC, segment_id DESC",
}
VALIDATING = "stage IN ('validate', 'simulate', 'verify', 'confirm')"
FUNCTIONS = ("gem_count_inserted", "gem_count_updated", "gem_recount")
CHANGES = (
    ("JOIN segments s USING (segment_id)", "JOIN segments s USING (partition_key, segment_id)"),
    ("JOIN stale s USING (segment_id, recipe_id)", "JOIN stale s USING (partition_key, segment_id, recipe_id)"),
    ("SELECT f.recipe_id, f.segment_id, f.outcome", "SELECT partition_key, f.recipe_id, f.segment_id, f.outcome"),
)


def online_upgrade(online: Online) -> None:
    online.index("segments_key", "segments (partition_key, segment_id)", unique=True)
    for table in KEYED:
        online.index(f"{table}_key", f"{table} (partition_key, segment_id, recipe_id)", unique=True)
        online.foreign_key(table, f"{table}_segment", FOREIGN_KEY)
    for name, order in REFUSED.items():
        online.index(f"{name}_next", f"stage_results ({order}) WHERE outcome = 'rejected' AND {VALIDATING}")
    # The partition is there so that questions about one do not read the results of all.
    columns = "recipe_id, (measures ->> 'way'), partition_key"
    online.index("stage_results_way", f"stage_results ({columns}) WHERE (measures ->> 'way') IS NOT NULL")


def upgrade() -> None:
    _replace_indexes("next")
    for old, new in CHANGES:
        _change_functions(old, new)


def online_downgrade(online: Online) -> None:
    for name, order in REFUSED.items():
        online.index(f"{name}_last", f"stage_results ({order}) WHERE outcome = 'rejected' AND stage = 'validate'")


def downgrade() -> None:
    _replace_indexes("last")
    for old, new in CHANGES:
        _change_functions(new, old)
    for table in KEYED:
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {table}_segment")
        op.execute(f"DROP INDEX {table}_key")
    op.execute("DROP INDEX segments_key, stage_results_way")


def _replace_indexes(by: str) -> None:
    for name in REFUSED:
        op.execute(f"DROP INDEX {name}")
        op.execute(f"ALTER INDEX {name}_{by} RENAME TO {name}")


def _change_functions(old: str, new: str) -> None:
    """As they are: their text is that of revision 0015 but for such changes."""
    for name in FUNCTIONS:
        change = f"replace(pg_get_functiondef('{name}'::regproc), '{old}', '{new}')"
        op.execute(f"DO $do$ BEGIN EXECUTE {change}; END $do$")
