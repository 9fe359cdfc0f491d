"""Checks, cleaning, cutting and the removal of personal data take linear time on texts that no person wrote.

Not timed in seconds: a text four times as long may take some six times as long. Quadratic code takes sixteen.
"""

import time

import pytest

from gem_tasks.corpus.html.page import read_page
from gem_tasks.corpus.normalise import normalise
from gem_tasks.corpus.segment import segment
from gem_tasks.domain.corpus import Document, RawDocument, content_hash
from gem_tasks.prompts.dialogue import parse_trajectory
from gem_tasks.prompts.tags import TagError, parse_json
from tests.patterns.texts import PIECES, PLACES, checked, repeated, scrubbed

pytestmark = pytest.mark.no_cover  # what is timed here is the code, not the measuring of coverage

SMALL = 4000
SUSPECT_S = 0.03
GROWTH = 8


def cpu(run, text):
    begun = time.process_time()
    run(text)
    return time.process_time() - begun


def slow(run):
    """Pieces whose repetition takes more than linear time."""
    run("warm")
    return [piece for piece in PIECES if is_slow(run, *(repeated(piece, size) for size in (SMALL, 4 * SMALL)))]


def is_slow(run, short, long):
    """Whether a text four times as long takes more than linear time."""
    if cpu(run, short) < SUSPECT_S:
        return False
    least = min(cpu(run, short) for _ in range(3))
    return least >= SUSPECT_S and all(cpu(run, long) > GROWTH * least for _ in range(4))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("measured", [checked, scrubbed], ids=["checks", "privacy"])
def test_a_conversation_with_any_text_in_any_place(measured, place):
    assert slow(measured(place)) == []


@pytest.mark.parametrize("kind", ["text/plain", "text/markdown", "text/html", "text/asciidoc", "text/mdx"])
def test_documents(kind):
    def prepared(text):
        raw = RawDocument(uri="u", etag="e", text=text + "x\t\n" + text, media_type=kind)
        document, cleaned = normalise(raw, 1)
        return segment(cleaned, document, 100, 200)

    assert slow(prepared) == []


BOMBS = ["<a ", '<a href="', "<!--", "</", "<title", "<![CDATA[", "<?", "<", "&", "<p>x", "<b><i></b>"]


@pytest.mark.parametrize("bomb", BOMBS)
def test_markup_that_never_ends(bomb):
    assert not is_slow(read_page, bomb * 25_000, bomb * 100_000)


@pytest.mark.parametrize("piece", ["x", "\n", "a\n", "# a\n", "- b\n", "a\n---\n", "```\n", "word. ", "中"])
def test_cutting(piece):
    def cut(text):
        segment(
            text,
            Document(document_id="d", uri="u", etag="e", content_hash=content_hash(text), chars=len(text)),
            1200,
            2400,
        )

    assert not is_slow(cut, repeated(piece, 150_000), repeated(piece, 600_000))


READERS = [lambda text: parse_json(text, "x"), lambda text: parse_trajectory(text, ())]


@pytest.mark.parametrize("read", READERS, ids=["json", "dialogue"])
def test_answers(read):
    def tried(text):
        for each in ("{" + text + "}", "<user>" + text, "<func>" * (len(text) // 6) + text):
            try:
                read(each)
            except TagError:
                pass

    assert slow(tried) == []
