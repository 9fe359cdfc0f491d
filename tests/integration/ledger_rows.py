"""Documents and segments as rows of the ledger."""

from gem_tasks.domain.corpus import Document, Segment, content_hash, segment_id
from gem_tasks.pipeline.recipes import Chain
from gem_tasks.settings import Settings

CHAIN = Chain(Settings())
FILTER, EXTRACT = CHAIN.by_stage["filter"], CHAIN.by_stage["extract"]


def document(number, **changes):
    values = {
        "document_id": f"doc{number}", "uri": f"file:///{number}", "etag": "1-1",
        "content_hash": content_hash(str(number)), "chars": 10, "metadata": {"note": "nul \0 inside"},
    }  # fmt: skip
    return Document(**{**values, **changes})


def segment(number):
    return Segment(
        segment_id=segment_id(f"doc{number}", 0, 10), document_id=f"doc{number}", document_uri=f"file:///{number}",
        start=0, end=10, tokens=3, text="0123456789",
    )  # fmt: skip
