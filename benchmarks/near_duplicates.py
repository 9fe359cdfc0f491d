"""Near-duplicate lookups with a million segments stored.

    python benchmarks/near_duplicates.py [--stored 1000000] [--texts 2000] [--repeats 5]

Stored signatures are random, so the index is as large and as unhelpful as it gets; a tenth of the texts asked about is
stored too and has to be found. Needs about 3 GB of disk while it runs.
"""

import argparse
import json
import random
import tempfile
import time
from pathlib import Path
from statistics import median

from llm_plane.bench import PARTITION, database

from gem_tasks.corpus.near import signatures
from gem_tasks.domain.corpus import Document, Segment
from gem_tasks.lineage import Ledger
from gem_tasks.pipeline.ingest.near_duplicates import mark

WORDS = [f"word{number}" for number in range(20_000)]
BATCH = 200


def texts(count, seed):
    """Of about 3 KB."""
    rng = random.Random(seed)
    return [" ".join(rng.choices(WORDS, k=340)) for _ in range(count)]


def segments(found):
    """One for each text."""
    return [
        Segment(segment_id=f"new.{number}-1", document_id="new", document_uri="file:///new", start=0, end=len(text),
                tokens=len(text) // 4, text=text)
        for number, text in enumerate(found)
    ]  # fmt: skip


def store(pg, count, known):
    """`count` segments of one document; the first have the signatures of `known`."""
    rng = random.Random(1)
    with pg.cursor() as cursor:
        with cursor.copy("COPY segments (segment_id, document_id, partition_key, shard, row_no, start_char, end_char,"
                         " tokens) FROM STDIN") as copy:  # fmt: skip
            for number in range(count):
                copy.write_row((f"old.{number}", "old", PARTITION, number // 200, number % 200, 0, 1, 1))
        with cursor.copy("COPY segment_signatures (segment_id, digest) FROM STDIN WITH (FORMAT binary)") as copy:
            copy.set_types(["text", "bytea"])
            for number in range(count):
                copy.write_row((f"old.{number}", known[number].digest if number < len(known) else rng.randbytes(128)))
        with cursor.copy("COPY segment_bands (band, segment_id) FROM STDIN WITH (FORMAT binary)") as copy:
            copy.set_types(["int8", "text"])
            for number in range(count):
                bands = known[number].bands if number < len(known) else None
                for band in bands or (rng.getrandbits(64) - 2**63 for _ in range(16)):
                    copy.write_row((band, f"old.{number}"))
    pg.execute("ANALYZE")


def main():
    """Prints the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stored", type=int, default=1_000_000)
    parser.add_argument("--texts", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    asked = texts(options.texts, 7)
    known = signatures(asked[: options.texts // 10])
    with tempfile.TemporaryDirectory() as folder, database(Path(folder)) as dsn, Ledger(dsn) as ledger:
        old = Document(document_id="old", uri="file:///old", etag="1", content_hash="h", chars=1)
        ledger.ingestion.commit_ingest(PARTITION, ledger.sources.register_source("file:///"), [old], {})
        started = time.monotonic()
        store(ledger.pg, options.stored, known)
        loaded_s = time.monotonic() - started
        size = "SELECT pg_total_relation_size('segment_bands') + pg_total_relation_size('segment_signatures') AS bytes"
        stored = ledger.pg.execute(size).fetchone()["bytes"]
        rates, found = [], 0
        for _ in range(options.repeats):
            started = time.monotonic()
            batches = [asked[at : at + BATCH] for at in range(0, options.texts, BATCH)]
            marked = [mark(ledger, segments(batch), signatures(batch), 0.85) for batch in batches]
            rates.append(options.texts / (time.monotonic() - started))
            found = sum(len(each.duplicates) for each in marked)
    figures = {
        "stored": options.stored, "bytes_per_segment": stored // options.stored, "load_s": round(loaded_s, 1),
        "lookups_per_s": round(median(rates)), "planted": len(known), "found": found,
    }  # fmt: skip
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
