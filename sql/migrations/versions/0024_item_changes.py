"""Changes that people make to single trajectories, and the dataset versions that considered them."""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE item_changes (
            change_id     text COLLATE "C" PRIMARY KEY,
            segment_id    text COLLATE "C" NOT NULL REFERENCES segments,
            trajectory_id text COLLATE "C" NOT NULL,
            base          text COLLATE "C" NOT NULL,
            position      integer NOT NULL,
            kind          text NOT NULL CHECK (kind IN ('veto', 'edit', 'comment', 'undo')),
            author        text NOT NULL,
            origin        text NOT NULL,
            words         text NOT NULL DEFAULT '',
            message       integer,
            messages      text,
            kept          text NOT NULL DEFAULT '',
            findings      text[] NOT NULL DEFAULT '{}',
            undoes        text COLLATE "C" REFERENCES item_changes,
            announced     bigint NOT NULL,
            created_at    timestamptz NOT NULL DEFAULT now(),
            UNIQUE (segment_id, base, position),
            CHECK ((kind = 'edit') = (messages IS NOT NULL)),
            CHECK ((kind = 'undo') = (undoes IS NOT NULL))
        )
    """)
    op.execute("CREATE INDEX item_changes_trajectory ON item_changes (trajectory_id)")
    op.execute("CREATE INDEX item_changes_newest ON item_changes (created_at DESC, change_id DESC)")
    op.execute("CREATE INDEX item_changes_undoes ON item_changes (undoes) WHERE undoes IS NOT NULL")
    op.execute("""
        CREATE TABLE considered_changes (
            version   text COLLATE "C" NOT NULL REFERENCES datasets,
            change_id text COLLATE "C" NOT NULL REFERENCES item_changes ON DELETE CASCADE,
            PRIMARY KEY (version, change_id)
        )
    """)
    op.execute('ALTER TABLE trajectories ADD COLUMN base text COLLATE "C"')
    op.execute("CREATE INDEX trajectories_base ON trajectories (segment_id, base) WHERE base IS NOT NULL")


def downgrade() -> None:
    op.execute("DROP INDEX trajectories_base")
    op.execute("ALTER TABLE trajectories DROP COLUMN base")
    op.execute("DROP TABLE considered_changes, item_changes")
