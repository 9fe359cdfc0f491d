"""What live APIs want that tools of conversations, or calls of them, do not give."""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE api_findings (
            segment_id    text COLLATE "C" NOT NULL REFERENCES segments,
            trajectory_id text COLLATE "C" NOT NULL,
            api           text NOT NULL,
            sha256        text COLLATE "C" NOT NULL,
            mode          text NOT NULL CHECK (mode IN ('dry-run', 'sandbox')),
            tool          text NOT NULL,
            operation     text NOT NULL,
            kind          text NOT NULL,
            parameter     text NOT NULL,
            detail        text NOT NULL,
            calls         integer NOT NULL,
            found_at      timestamptz NOT NULL DEFAULT now()
        )
    """)
    op.execute("CREATE INDEX api_findings_segment ON api_findings (segment_id)")
    op.execute("CREATE INDEX api_findings_trajectory ON api_findings (trajectory_id, api)")


def downgrade() -> None:
    op.execute("DROP TABLE api_findings")
