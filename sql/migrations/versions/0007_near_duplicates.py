"""Signatures of segments, and which segment nearly repeats which."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE segment_signatures (
    segment_id text COLLATE "C" PRIMARY KEY REFERENCES segments,
    digest     bytea NOT NULL
);
CREATE TABLE segment_bands (
    band       bigint NOT NULL,
    segment_id text COLLATE "C" NOT NULL REFERENCES segments,
    PRIMARY KEY (band, segment_id)
);
CREATE TABLE near_duplicates (
    segment_id    text COLLATE "C" PRIMARY KEY REFERENCES segments,
    of_segment_id text COLLATE "C" NOT NULL REFERENCES segments,
    similarity    real NOT NULL
);
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    op.execute("DROP TABLE near_duplicates, segment_bands, segment_signatures")
