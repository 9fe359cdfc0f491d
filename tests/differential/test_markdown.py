"""Whatever a CommonMark renderer shows of Markdown is in the text, and nothing of its comments is."""

import random
import re
from collections import Counter
from pathlib import Path

import trafilatura

from gem_tasks.corpus.normalise import normalise
from gem_tasks.domain.corpus import RawDocument
from tests.differential.shown import words_of_markdown

PACKAGES = Path(trafilatura.__file__).parents[1]
PIECES = (
    "Press `<!--` now.\n", "Then `-->` again.\n", "Words <!-- hidden --> more.\n", "\n", "\n\n", "<!-- hidden -->\n",
    "<!-- hidden\n\nhidden -->\n\n", "```\n<!-- {} -->\n```\n", "~~~~\n``` <!-- {}\n~~~~\n", "1. Item {}\n", "- Item {}\n",
    "  - Deep {}\n", "\n    code <!-- {} -->\n", "   Below {}\n", "> Quoted <!-- hidden --> {}\n", "# Heading {}\n", "***\n",
    "| a | {} |\n|---|---|\n| `<!--` | b |\n", "Two `` ` `` ticks {}\n", "A lone ` tick {}\n\n", "\\<!-- {} -->\n\n", "Text {}\n",
)  # fmt: skip


def text_of(source):
    return normalise(RawDocument(uri="file:///a", etag="1", text=source, media_type="text/markdown"), 0).text


def words(text):
    return re.findall(r"[^\W_]+", text)


def test_made_pages_show_what_a_renderer_shows():
    wrong = {}
    for seed in range(2000):
        rng = random.Random(seed)
        picked = [rng.choice(PIECES) for _ in range(rng.randint(3, 12))]
        source = "Start.\n\n" + "".join(piece.replace("{}", f"w{number}") for number, piece in enumerate(picked))
        shown, kept = words_of_markdown(source), words(text_of(source))
        # The numbers of lists are no text to a renderer.
        if [each for each in kept if each != "1"] != shown:
            wrong[seed] = source
    assert wrong == {}


def test_installed_documents_lose_no_word():
    pages = [path.read_text(encoding="utf-8") for path in sorted(PACKAGES.glob("**/*.md"))]
    pages = [page for page in pages if len(page) < 100_000]
    assert len(pages) >= 60
    lost = {}
    for page in pages:
        shown = words_of_markdown(page.partition("\n---\n")[2] if page.startswith("---\n") else page)
        if missing := Counter(shown) - Counter(words(text_of(page))):
            lost[page[:60]] = missing
    assert lost == {}
