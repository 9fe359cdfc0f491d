"""Documents a second from a source to segments in one process, without the database.

    python benchmarks/ingestion.py SOURCE [--limit N]

Reads, normalises, detects the language, drops exact duplicates and cuts. Prints one JSON line; peak memory is the
process's largest resident size.
"""

import argparse
import json
import resource
import time
from itertools import islice

from gem_tasks.corpus.normalise import normalise
from gem_tasks.corpus.readers import read
from gem_tasks.corpus.segment import segment
from gem_tasks.corpus.sources import list_objects
from gem_tasks.settings import Settings


def main():
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("--limit", type=int)
    options = parser.parse_args()
    settings, seen = Settings(), set()
    documents = segments = characters = 0
    started = time.monotonic()
    limit_bytes = int(settings.document_max_mb * 2**20)
    raws = (raw for found in list_objects(options.source) for raw in read(found, limit_bytes))
    for raw in islice(raws, options.limit):
        document, text = normalise(raw, settings.segment_min_chars)
        documents += 1
        characters += len(text)
        if document.reason or document.content_hash in seen:
            continue
        seen.add(document.content_hash)
        segments += len(segment(text, document, settings.segment_target_tokens, settings.segment_max_tokens))
    seconds = time.monotonic() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        json.dumps(
            {
                "documents": documents,
                "segments": segments,
                "documents_per_s": round(documents / seconds),
                "mb_per_s": round(characters / seconds / 1e6, 1),
                "peak_mb": round(peak),
            }
        )
    )


if __name__ == "__main__":
    main()
