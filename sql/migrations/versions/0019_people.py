"""What checks and judge say about conversations that people rated: kept, so that no object is read for it again."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE audit_findings (
            item_id   text COLLATE "C" NOT NULL,
            recipe_id text COLLATE "C" NOT NULL REFERENCES recipes,
            checks    integer NOT NULL,
            kinds     text[] NOT NULL,
            judged    boolean NOT NULL,
            faults    text[] NOT NULL,
            PRIMARY KEY (item_id, recipe_id, checks)
        )
    """)


def downgrade() -> None:
    op.execute("DROP TABLE audit_findings")
