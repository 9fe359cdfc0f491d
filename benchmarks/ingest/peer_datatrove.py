"""datatrove over the same dumps: read, filter by language and length, sign, find and drop near duplicates, write.

    python -m venv dt && dt/bin/pip install 'datatrove[io,processing]' py3langid spacy orjson
    taskset -c 0,1 dt/bin/python benchmarks/ingest/peer_datatrove.py CORPUS WORK [--gopher]

The language comes from the same library on the same sample as GEM's (datatrove's own models are downloaded), signatures
have the same shape (5-grams of words, 16 bands of 8). `--gopher` adds its Gopher quality filter, which GEM has nothing
like. No lineage is recorded. Prints one JSON line.
"""

import argparse
import json
import resource
import time
from pathlib import Path

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import MinhashDedupCluster, MinhashDedupFilter, MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupBuckets
from datatrove.pipeline.filters import GopherQualityFilter
from datatrove.pipeline.filters.base_filter import BaseFilter
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter
from datatrove.utils.hashing import HashConfig

BUCKETS, ROWS = 16, 8


class Language(BaseFilter):
    """As gem_tasks.corpus.text.language and the shortest length."""

    name = "language and length"

    def filter(self, doc):
        if not hasattr(self, "_model"):
            from py3langid.langid import MODEL_FILE, LanguageIdentifier

            self._model = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
        if len(doc.text) < 200:
            return False, "too_short"
        doc.metadata["language"], _ = self._model.classify(doc.text[:1500])
        return True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--gopher", action="store_true")
    parser.add_argument("--hours", type=int, default=24)
    options = parser.parse_args()
    if options.work.exists() and any(options.work.iterdir()):
        parser.error(f"{options.work} is not empty")
    work = str(options.work)
    config = MinhashConfig(hash_config=HashConfig(precision=64), n_grams=5, num_buckets=BUCKETS, hashes_per_bucket=ROWS)
    tasks = options.hours  # a file an hour, and a task a file
    started = time.monotonic()
    read = JsonlReader(str(options.corpus), glob_pattern="**/*.jsonl.gz")
    filters = [Language(), *([GopherQualityFilter()] if options.gopher else [])]
    steps = [
        (tasks, [read, *filters, JsonlWriter(f"{work}/filtered")]),
        (tasks, [JsonlReader(f"{work}/filtered"), MinhashDedupSignature(f"{work}/signatures", config)]),
        (BUCKETS, [MinhashDedupBuckets(f"{work}/signatures", f"{work}/buckets", config=config)]),
        (1, [MinhashDedupCluster(f"{work}/buckets", f"{work}/remove", config=config)]),
        (
            tasks,
            [JsonlReader(f"{work}/filtered"), MinhashDedupFilter(f"{work}/remove"), JsonlWriter(f"{work}/out")],
        ),
    ]
    walls = []
    for number, (count, pipeline) in enumerate(steps):
        begun = time.monotonic()
        executor = LocalPipelineExecutor(pipeline, tasks=count, workers=2, logging_dir=f"{work}/logs/{number}")
        executor.run()
        walls.append(round(time.monotonic() - begun, 1))
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    usages = list(map(resource.getrusage, who))
    wall = time.monotonic() - started
    documents, size = counted(options.corpus)
    line = {
        "documents": documents,
        "wall_s": round(wall, 1),
        "steps_s": walls,
        "cpu_s": round(sum(usage.ru_utime + usage.ru_stime for usage in usages), 1),
        "documents_per_s": round(documents / wall),
        "mb_per_s": round(size / wall / 1e6, 1),
        "peak_mb": [round(usage.ru_maxrss / 1024) for usage in usages],
    }
    print(json.dumps(line))


def counted(corpus):
    import gzip

    documents = size = 0
    for path in sorted(corpus.rglob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            for line in file:
                documents += 1
                size += len(json.loads(line)["text"])
    return documents, size


if __name__ == "__main__":
    main()
