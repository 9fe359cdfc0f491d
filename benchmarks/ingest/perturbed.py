"""Makes texts by perturbing the documents of a corpus: as many copies as wanted, always the same.

    python benchmarks/ingest/perturbed.py CORPUS.jsonl.gz OUT.jsonl.gz --copies 40 --label procedural

In each copy a third of the rarer words is replaced, every occurrence of a word by the same other one with the same
ending and case, so that a copy is a text about other things with the same steps. `metadata.copy_of` names the original:
copies count as their source when sets are split.
"""

import argparse
import gzip
import json
import random
import re
from collections import Counter, defaultdict
from pathlib import Path

WORD = re.compile(r"[A-Za-z]{4,}")
KEPT = 600  # the most frequent words carry the procedure: select, enter, field, then …
REPLACED = 0.33


def main():
    """Writes them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--copies", type=int, default=40)
    parser.add_argument("--label", help="only documents of this one")
    options = parser.parse_args()
    with gzip.open(options.corpus, "rt", encoding="utf-8") as file:
        documents = [each for each in map(json.loads, file) if options.label in (None, each["label"])]
    frequent, alike = vocabulary(each["text"] for each in documents)
    with gzip.open(options.out, "wt", encoding="utf-8", compresslevel=1) as file:
        for number in range(options.copies):
            for each in documents:
                rng = random.Random(f"{number} {each['id']}")
                text = perturbed(each["text"], rng, frequent, alike) if number else each["text"]
                row = {"id": f"{each['id']}-{number}", "text": text, "metadata": {"copy_of": each["id"]}}
                file.write(json.dumps(row, ensure_ascii=False) + "\n")


def vocabulary(texts):
    """The most frequent words, and the others by their ending."""
    counts = Counter(word.lower() for text in texts for word in WORD.findall(text))
    ranked = [word for word, _ in counts.most_common()]
    alike = defaultdict(list)
    for word in ranked[KEPT:]:
        alike[word[-2:]].append(word)
    return set(ranked[:KEPT]), alike


def perturbed(text, rng, frequent, alike):
    """The text with a third of its rarer words replaced, each by one other throughout."""
    swaps = {}

    def swap(match):
        word = match[0]
        low = word.lower()
        if low in frequent:
            return word
        if low not in swaps:
            swaps[low] = rng.choice(alike[low[-2:]]) if rng.random() < REPLACED and alike[low[-2:]] else low
        other = swaps[low]
        return (
            other
            if word.islower()
            else other.upper()
            if word.isupper()
            else other.capitalize()
            if word.istitle()
            else word
        )

    return WORD.sub(swap, text)


if __name__ == "__main__":
    main()
