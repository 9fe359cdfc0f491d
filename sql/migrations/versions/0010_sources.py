"""Sources with settings, their objects, versions of documents, and what a partition has yet to publish.

What a document was read from is derived from its URI: a record's ends in `#id`, and only dumps have records.
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

UP = """
ALTER TABLE sources
    ADD COLUMN kind text NOT NULL DEFAULT 'files' CHECK (kind IN ('files', 's3', 'hf')),
    ADD COLUMN license text,
    ADD COLUMN target_tokens integer CHECK (target_tokens >= 50),
    ADD COLUMN max_tokens integer CHECK (max_tokens >= 100),
    ADD COLUMN min_chars integer CHECK (min_chars >= 0),
    ADD COLUMN enabled boolean NOT NULL DEFAULT true,
    ADD COLUMN scan_position text COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN scanned_at timestamptz;
UPDATE sources SET kind = 's3' WHERE starts_with(uri, 's3://');

CREATE TABLE source_objects (
    source_id     integer NOT NULL REFERENCES sources,
    key           text COLLATE "C" NOT NULL,
    etag          text NOT NULL,
    size          bigint NOT NULL,
    documents     integer NOT NULL,
    read_at       timestamptz NOT NULL DEFAULT now(),
    missing_since timestamptz,
    gone_at       timestamptz,
    PRIMARY KEY (source_id, key)
);
CREATE INDEX source_objects_missing ON source_objects (source_id) WHERE missing_since IS NOT NULL;
CREATE INDEX source_objects_key ON source_objects USING hash (key);

ALTER TABLE documents
    ADD COLUMN object_key text COLLATE "C",
    ADD COLUMN fingerprint text COLLATE "C",
    ADD COLUMN superseded_by text COLLATE "C" REFERENCES documents,
    ADD COLUMN gone_at timestamptz,
    ADD COLUMN live boolean NOT NULL GENERATED ALWAYS AS (superseded_by IS NULL AND gone_at IS NULL) STORED;
UPDATE documents SET object_key = coalesce(substring(uri FROM '(?i)^(.*?[.](jsonl([.]gz|[.]zst)?|parquet))#'), uri);
ALTER TABLE documents ALTER COLUMN object_key SET NOT NULL;
CREATE INDEX documents_object ON documents USING hash (object_key) WHERE live;
CREATE INDEX documents_duplicates ON documents (content_hash) WHERE reason = 'duplicate';
CREATE INDEX documents_superseded ON documents (superseded_by) WHERE superseded_by IS NOT NULL;

ALTER TABLE partitions
    ADD COLUMN next_shard integer NOT NULL DEFAULT 0,
    ADD COLUMN changes bigint NOT NULL DEFAULT 0,
    ADD COLUMN published_changes bigint NOT NULL DEFAULT 0;
-- Sixteen rows a segment, written in the transaction that writes the segment: checking each took half of a commit.
ALTER TABLE segment_bands DROP CONSTRAINT segment_bands_segment_id_fkey;
CREATE INDEX partitions_changed ON partitions (partition_key) WHERE changes > published_changes;
"""

DOWN = """
DROP INDEX documents_duplicates;
ALTER TABLE segment_bands ADD CONSTRAINT segment_bands_segment_id_fkey FOREIGN KEY (segment_id) REFERENCES segments;
ALTER TABLE partitions DROP COLUMN next_shard, DROP COLUMN changes, DROP COLUMN published_changes;
ALTER TABLE documents DROP COLUMN live, DROP COLUMN object_key, DROP COLUMN fingerprint, DROP COLUMN superseded_by,
    DROP COLUMN gone_at;
DROP TABLE source_objects;
ALTER TABLE sources DROP COLUMN kind, DROP COLUMN license, DROP COLUMN target_tokens, DROP COLUMN max_tokens,
    DROP COLUMN min_chars, DROP COLUMN enabled, DROP COLUMN scan_position, DROP COLUMN scanned_at;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
