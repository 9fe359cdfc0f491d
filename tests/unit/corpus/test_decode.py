"""Text is decoded as what it is, or not at all: a wrong guess would be silent damage."""

import pytest

from gem_tasks.corpus.decode import decode
from gem_tasks.domain.corpus import IngestReason

GERMAN = "Die Türen öffnen sich früh, die Gäste grüßen höflich. " * 5


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode_needs_no_guess(encoding):
    assert decode(GERMAN.encode(encoding)) == GERMAN


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (GERMAN, "cp1252"),
        ("Les élèves étaient à l'école où le maître répétait la leçon. " * 3, "cp1252"),
        ("El niño llegó mañana a la estación según el informático. " * 3, "cp1252"),
        ("She said \u201cno\u201d to the clerk and asked for another room. " * 3, "cp1252"),
        ("Příliš žluťoučký kůň úpěl ďábelské ódy, klikněte na tlačítko. " * 3, "cp1250"),
        ("Нажмите кнопку и подождите, пока откроется дверь лифта. " * 3, "cp1251"),
        ("今日はとても良い天気です。学校へ行きます。" * 5, "shift_jis"),
        ("A line of plain English, as manuals have many.\n" * 3000 + GERMAN, "cp1252"),
    ],
    ids=["German", "French", "Spanish", "quotes", "Czech", "Russian", "Japanese", "late"],
)
def test_older_encodings_are_recognised(text, encoding):
    assert decode(text.encode(encoding)) == text


def test_a_page_that_says_its_encoding_is_believed():
    page = '<meta content="text/html; charset=windows-1254"><p>Lütfen düğmeye tıklayın, güneş</p>'
    assert decode(page.encode("cp1254")) == page


def test_a_stray_byte_does_not_turn_utf8_into_something_else():
    damaged = decode((GERMAN * 3).encode()[:200] + b"\xff" + (GERMAN * 3).encode()[200:-1])
    assert damaged.count("\ufffd") == 1
    assert damaged.count("grüßen") >= 14


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("Grüße".encode("cp1252"), IngestReason.BAD_ENCODING),
        (bytes(range(128, 256)) * 20, IngestReason.BAD_ENCODING),
        (b"\xff\xfeo", IngestReason.BAD_ENCODING),
        (b'charset="hex"' + b"\xe9" * 20, IngestReason.BAD_ENCODING),
        (bytes(1000), IngestReason.BINARY),
        (b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\x00>\x00" * 40, IngestReason.BINARY),
    ],
    ids=["too little to tell", "no text in any", "half a character", "no encoding", "zeros", "program"],
)
def test_what_is_no_text_has_a_reason(data, reason):
    assert decode(data) is reason
