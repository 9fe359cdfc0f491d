"""URIs of any length; views follow the files in sql/views from here on."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A btree entry has at most 2704 bytes, which the path of a mirrored site exceeds. It is only looked up whole.
    op.execute("DROP INDEX documents_uri")
    op.execute("CREATE INDEX documents_uri ON documents USING hash (uri)")


def downgrade() -> None:
    op.execute("DROP INDEX documents_uri")
    op.execute("CREATE INDEX documents_uri ON documents (uri)")
