"""Makes documents by sampling and perturbing a corpus: as many as wanted, the same ones every time.

    python benchmarks/ingest/corpus.py CORPUS.jsonl.gz OUT --documents 100000 --hours 24 [--layout dumps|files]

Each document is made of paragraphs of two or three documents of the corpus, with one word in fifty replaced, so that
lengths and languages are those of the corpus. One in fifty repeats an earlier document word for word, one in twenty
repeats one with a few words changed. `dumps` writes one `HH/documents.jsonl.gz` an hour, `files` one text file a
document.
"""

import argparse
import gzip
import json
import random
from pathlib import Path

EXACT, NEAR = 0.02, 0.05


def main():
    """Writes them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--layout", choices=("dumps", "files"), default="dumps")
    options = parser.parse_args()
    made = documents(options.corpus, options.documents)
    for hour in range(options.hours):
        first, last = (options.documents * step // options.hours for step in (hour, hour + 1))
        folder = options.out / f"{hour:02}"
        folder.mkdir(parents=True, exist_ok=True)
        part = [next(made) for _ in range(first, last)]
        (dump if options.layout == "dumps" else scatter)(folder, part)


def dump(folder, part):
    with gzip.open(folder / "documents.jsonl.gz", "wt", encoding="utf-8", compresslevel=1) as file:
        for number, text in part:
            file.write(json.dumps({"id": f"{number:07}", "text": text}, ensure_ascii=False) + "\n")


def scatter(folder, part):
    for number, text in part:
        (folder / f"{number:07}.txt").write_text(text, encoding="utf-8")


def documents(corpus, count):
    """`(number, text)` in order."""
    with gzip.open(corpus, "rt", encoding="utf-8") as file:
        texts = [json.loads(line)["text"] for line in file]
    paragraphs = [[part for part in text.split("\n\n") if part.strip()] for text in texts if len(text) > 200]
    words = sorted({word for text in texts[:300] for word in text.split() if word.isalpha()})
    for number in range(count):
        rng = random.Random(number)
        kind = rng.random()
        if number and kind < EXACT + NEAR:
            again = random.Random(rng.randrange(number))
            again.random()
            text = mixed(again, paragraphs, words)
            yield number, text if kind < EXACT else changed(rng, text, words, 0.004)
        else:
            yield number, mixed(rng, paragraphs, words)


def mixed(rng, paragraphs, words):
    parts = rng.sample(paragraphs, rng.choice((2, 3)))
    size = rng.choice(paragraphs)
    pool = [paragraph for part in parts for paragraph in part]
    return changed(rng, "\n\n".join(rng.choice(pool) for _ in range(len(size))), words, 0.02)


def changed(rng, text, words, share):
    found = text.split(" ")
    for _ in range(max(1, int(len(found) * share))):
        found[rng.randrange(len(found))] = rng.choice(words)
    return " ".join(found)


if __name__ == "__main__":
    main()
