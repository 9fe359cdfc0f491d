"""How texts are cut, and what is made of documents."""

from itertools import count
from pathlib import Path

from gem_tasks.corpus.normalise import normalise
from gem_tasks.corpus.segment import segment
from gem_tasks.domain.corpus import Document, RawDocument
from gem_tasks.prefilter.features import features

EXAMPLES = Path(__file__).parents[2] / "examples" / "corpus"
TYPES = {".md": "text/markdown", ".txt": "text/plain", ".html": "text/html"}
SIZES = ((50, 100), (200, 400), (1200, 2400))


def segments() -> dict[str, object]:
    """Places of the segments, by text and size."""
    return {
        f"{name} to {target}": [
            (each.start, each.end, each.tokens) for each in segment(text, _document(), target, most)
        ]
        for name, text in _texts().items()
        for target, most in SIZES
    }


def hashed() -> dict[str, object]:
    """Features of texts, as the prefilter sees them."""
    found: dict[str, object] = {}
    for name, text in _texts().items():
        indices, weights = features(text)
        found[name] = [indices.tolist(), [round(float(weight), 3) for weight in weights]]
    return found


def documents() -> dict[str, object]:
    """Text, title, language and reason of documents."""
    found: dict[str, object] = {}
    for path in sorted(EXAMPLES.iterdir()):
        if path.suffix in TYPES:
            text = path.read_text(encoding="utf-8")
            raw = RawDocument(uri=f"file:///{path.name}", etag="1", text=text, media_type=TYPES[path.suffix])
            document, clean = normalise(raw, 0)
            found[path.name] = [clean, document.title, document.language, document.license, document.reason]
    return found


def _texts() -> dict[str, str]:
    numbers = count(1)
    step = "Open the lid of machine {0}, wait {0} minutes and write down what the display says. "
    return {
        **{path.name: path.read_text(encoding="utf-8") for path in sorted(EXAMPLES.iterdir()) if path.suffix in TYPES},
        "one long line": "".join(step.format(next(numbers)) for _ in range(200)),
        "a long list": "Steps:\n\n" + "\n".join(f"{number}. {step.format(number)}" for number in range(1, 90)),
        "many headings": "\n\n".join(f"## Part {number}\n\n{step.format(number)}" for number in range(1, 60)),
        "without blanks": "打开机器的盖子，等待三分钟，然后记下显示的内容。" * 120,
        "a word without end": "x" * 12_000,
    }


def _document() -> Document:
    return Document(document_id="d", uri="file:///d", etag="1", content_hash="0", chars=0)
