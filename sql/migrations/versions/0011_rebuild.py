"""What was announced to the synthesis and who took it up; which segments a narrowed run is about."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE announcements (
            run_id        text COLLATE "C" NOT NULL,
            partition_key text COLLATE "C" NOT NULL,
            options       jsonb NOT NULL DEFAULT '{}',
            announced_at  timestamptz NOT NULL DEFAULT now(),
            taken_by      text COLLATE "C",
            taken_at      timestamptz,
            PRIMARY KEY (run_id, partition_key)
        )
    """)
    op.execute("CREATE INDEX announcements_taken ON announcements (taken_by)")
    # The first so many documents of a partition, in the order of its shards, of some sources or of all.
    op.execute("""
        CREATE FUNCTION scoped_segments(partition_ text, sources_ text[], documents_ integer) RETURNS SETOF text
        LANGUAGE sql STABLE AS $$
            SELECT s.segment_id FROM segments s
            WHERE s.partition_key = partition_ AND s.document_id IN (
                SELECT g.document_id
                FROM segments g JOIN documents d USING (document_id) JOIN sources o USING (source_id)
                WHERE g.partition_key = partition_ AND (cardinality(sources_) = 0 OR o.uri = ANY (sources_))
                GROUP BY g.document_id ORDER BY min(ARRAY[g.shard, g.row_no]) LIMIT documents_)
        $$
    """)


def downgrade() -> None:
    op.execute("DROP FUNCTION scoped_segments")
    op.execute("DROP TABLE announcements")
