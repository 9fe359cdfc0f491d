"""Documents that change from one partition to the next, and what is recorded of them."""

import gzip
import json

FIRST, SECOND, THIRD = "2026-01-31T14:00", "2026-01-31T15:00", "2026-01-31T16:00"


def text(word):
    return f"About {word}. " + " ".join(f"{word}{number} is like {word}{number * 7}." for number in range(60))


def write(folder, **texts):
    folder.mkdir(exist_ok=True)
    for name, content in texts.items():
        (folder / f"{name}.txt").write_text(content, encoding="utf-8")
    return str(folder)


def records(path, **texts):
    lines = [json.dumps({"id": name, "text": content}) for name, content in texts.items()]
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    return str(path)


def states(work):
    """What is recorded of each document, by the end of its URI and the word it is about."""
    with work.ledger() as ledger:
        rows = ledger.pg.execute(
            "SELECT d.uri, d.chars, d.reason, d.superseded_by IS NOT NULL AS old, d.gone_at IS NOT NULL AS gone"
            " FROM documents d ORDER BY d.uri, d.ingested_at"
        ).fetchall()
    found: dict[str, list[str]] = {}
    for row in rows:
        state = "old" if row["old"] else "gone" if row["gone"] else row["reason"] or "live"
        found.setdefault(row["uri"].rpartition("/")[2], []).append(state)
    return found
