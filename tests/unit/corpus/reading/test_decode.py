"""Text is decoded as what it is, or not at all: a wrong guess would be silent damage."""

import tracemalloc

import pytest

from gem_tasks.corpus.reading.decode import decode
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


@pytest.mark.parametrize(
    ("label", "encoding", "text"),
    [
        ("Shift_JIS", "cp932", "①予約 髙﨑 ～"),
        ("x-sjis", "cp932", "②"),
        ("gb2312", "gb18030", "朱镕基 㐀"),
        ("GBK", "gb18030", "€ 㐀"),
        ("EUC-JP", "euc_jp", "手順"),
        ("EUC-JP", "euc_jis_2004", "①手順"),
        ("ISO-2022-JP", "iso2022_jp", "手順を読む"),
        ("ks_c_5601-1987", "cp949", "똠방각하"),
        ("big5", "big5hkscs", "啟動 裏"),
        ("iso-8859-1", "cp1252", "“quotes” €"),
        ("latin1", "cp1252", "’"),
        ("latin-1", "cp1252", "’"),
        ("ISO-8859-9", "cp1254", "ğ“"),
        ("TIS-620", "cp874", "ไทย"),
        ("macintosh", "mac-roman", "é"),
        ("ibm866", "cp866", "Ж"),
        ("cp437", "cp437", "é"),
        ("iso-8859-8-i", "iso8859-8", "ש"),
    ],
)
@pytest.mark.parametrize("within", [True, False])
def test_labels_mean_what_browsers_take_them_for(label, encoding, text, within):
    """Declared in the page, or by its server."""
    page = f'<meta charset="{label}"><p>{text}</p>' if within else f"<p>{text}</p>"
    assert decode(page.encode(encoding), None if within else label) == page


@pytest.mark.parametrize(
    "label", ["hex", "unicode_escape", "utf-8", "utf-16", "replacement", "x-user-defined", "?", "idna"]
)
def test_labels_of_no_encoding_say_nothing(label):
    assert decode("Grüße".encode("cp1252"), label) is IngestReason.BAD_ENCODING
    assert decode(GERMAN.encode("cp1252"), label) == GERMAN


def test_what_the_server_says_comes_before_what_the_page_says_and_utf8_before_both():
    assert decode(b'<meta charset="koi8-r">\xe9', "cp1252").endswith("é")
    assert decode('<meta charset="koi8-r">é'.encode(), "cp1252").endswith("é")


def test_a_byte_that_a_declared_encoding_lacks_costs_one_character():
    page = b"<meta charset=windows-1252>" + GERMAN.encode("cp1252") + b"\x81."
    assert decode(page) == f"<meta charset=windows-1252>{GERMAN}\ufffd."


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize(
    "text",
    [
        GERMAN,
        "Нажмите кнопку и подождите.\n" * 3,
        "今日はとても良い天気です。\n" * 3,
        '{"text": "今日は"}',
        "👍 ok\n" * 9,
    ],
)
def test_wide_encodings_need_no_mark(encoding, text):
    assert decode(text.encode(encoding)) == text


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


def test_millions_of_lines_take_little_more_than_the_text():
    data = b"a\xe9\n" * 1_000_000
    tracemalloc.start()
    try:
        assert len(decode(data)) == len(data)
        assert tracemalloc.get_traced_memory()[1] < 8 * len(data)
    finally:
        tracemalloc.stop()
