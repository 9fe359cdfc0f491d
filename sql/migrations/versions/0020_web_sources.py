"""Web sites are sources."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_KINDS = ("files", "s3", "hf", "web")


def upgrade() -> None:
    _allow(_KINDS)


def downgrade() -> None:
    op.execute("UPDATE sources SET kind = 'files', enabled = false WHERE kind = 'web'")
    _allow(_KINDS[:-1])


def _allow(kinds: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    op.execute("ALTER TABLE sources DROP CONSTRAINT IF EXISTS sources_kind_check")
    op.execute(f"ALTER TABLE sources ADD CONSTRAINT sources_kind_check CHECK (kind IN ({listed}))")
