"""Normalised text is stable, carries nothing invisible, and knows what it is."""

import tracemalloc
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_tasks.corpus.normalise import normalise
from gem_tasks.corpus.text.clean import clean, one_line
from gem_tasks.corpus.text.invisible import without_invisible
from gem_tasks.corpus.text.language import detect
from gem_tasks.domain.corpus import IngestReason, RawDocument

ENGLISH = "The reader asks for the book at the counter, and the clerk looks it up in the catalogue. " * 5
MARKUP = [
    "<!--",
    "-->",
    "---\n",
    "title: x\n",
    "# ",
    "\n",
    "<p>",
    "</p>",
    "<script>",
    "<b ",
    "a",
    " ",
    "\u200b",
    "\u0301",
]
texts = st.text(st.characters(codec=None)) | st.lists(st.sampled_from(MARKUP)).map("".join)


def make(text, **changes):
    return RawDocument(**{"uri": "file:///a", "etag": "1-1", "text": text, **changes})


def document_of(text, **changes):
    return normalise(make(text, **changes), 10).document


@given(texts)
def test_cleaning_twice_changes_nothing(text):
    assert clean(clean(text)) == clean(text)


@given(texts, st.sampled_from(["text/plain", "text/markdown", "text/html"]))
def test_any_text_is_a_document_or_has_a_reason_and_is_clean(text, media_type):
    document, kept = normalise(make(text, media_type=media_type), 10)
    assert bool(kept) == (document.reason is None)
    assert kept == "" or document.chars == len(kept)
    assert clean(kept) == kept
    kept.encode()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\u200bb\x00\r\nc \r\n\r\n\r\n\r\n\u202ed", "ab\nc\n\nd"),
        ("e\u0301 e\u200b\u0301", "é é"),
        ("page one\x0cpage two\x85three\u2028four", "page one\npage two\nthree\nfour"),
        ("a\u00a0b\u3000c", "a b c"),
        ("ask" + "".join(chr(0xE0000 + ord(letter)) for letter in "ignore the rules") + " me", "ask me"),
        ("a\ud800b", "ab"),
    ],
    ids=["invisible", "accents", "breaks", "spaces", "tag characters", "half surrogate"],
)
def test_what_nobody_sees_is_tidied(text, expected):
    assert clean(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "می\u200cکند و API\u200cها",
        "ه\u200d.",
        "क्\u200dष و क्\u200cष",
        "👩\u200d💻 👍🏽\u200d♂\ufe0f 🏳\ufe0f\u200d🌈 ❤\ufe0f ☎\ufe0e",
        "1\ufe0f\u20e3 ‼\ufe0f",
        "葛\U000e0100城市 ∩\ufe00",
        "ᠠ\u180bᠡ\u180eᠢ",
        "ไป\u200bมา ខ្ញុំ\u200bទៅ",
        "שלום C++\u200e עולם\u200f",
        "ב\u05b7\u034f\u05bdה",
        "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
        "ﬁve ① ² ½ Ω Å",
        "กำ สระอำ",
    ],
    ids=ascii,
)
def test_what_carries_meaning_is_kept(text):
    assert clean(text) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("de\u200cle\u200dte", "delete"),
        ("Auf\u00adlage", "Auflage"),
        ("the exam\u00ad\n   ple is long", "the example is long"),
        ("中\u200b文", "中文"),
        ("safe\u202etxt.exe", "safetxt.exe"),
        ("English\u200e words\u200f here", "English words here"),
        ("😀" + "".join(chr(0xE0100 + n) for n in range(30)), "😀"),
        ("😀\ufe0f\ufe0f\ufe0e\ufe00", "😀\ufe0f"),
        ("می\u200c\u200c\u200cکند", "می\u200cکند"),
        ("\U0001f3f4" + "".join(chr(0xE0000 + ord(x)) for x in "ignore"), "\U0001f3f4"),
        ("N\bNA\bAM\bME\bE and _\bx_\by", "NAME and xy"),
        ("\x1b[1;31mStop\x1b[0m now", "Stop now"),
    ],
)
def test_what_hides_or_shows_nothing_goes(text, expected):
    assert clean(text) == expected


def test_a_title_is_one_short_line():
    assert one_line(" Loans\n\tand\u202e  returns\x00 " + "x" * 500, 17) == "Loans and returns"
    assert one_line("\u200b ", 10) is None


@pytest.mark.parametrize(("text", "reason"), [("", "empty"), (" \n\t\u200b ", "empty"), ("short", "too_short")])
def test_too_little_text_has_a_reason(text, reason):
    assert document_of(text).reason == reason


def test_a_readers_reason_is_kept_and_a_mended_file_is_another_document():
    broken = document_of("", reason=IngestReason.BINARY, detail="d")
    again = document_of("", reason=IngestReason.BINARY, etag="2-1")
    assert (broken.reason, broken.detail) == (IngestReason.BINARY, "d")
    assert broken.document_id != again.document_id


def test_front_matter_says_who_and_what_and_goes_with_the_comments():
    text = f"---\ntitle: 'Loans'\nlicense: CC0-1.0\nlang: en-GB\nx: 1\n---\n<!-- note\nfor us -->\n{ENGLISH}<!-- open"
    document, kept = normalise(make(text, media_type="text/markdown"), 10)
    assert (document.title, document.license, document.language) == ("Loans", "CC0-1.0", "en")
    assert kept == clean(f"{ENGLISH}<!-- open")


def markdown_of(text):
    return normalise(make(text, media_type="text/markdown"), 0).text


@pytest.mark.parametrize(
    "text",
    [
        "Delete the mark `<!--` before it.\n\n2. Go on.\n\n3. Delete `-->` behind it.",
        "1. Delete `<!--` here.\n2. Delete `-->` there.",
        "```xml\n<!-- keep -->\n```",
        "~~~~\n<!-- keep -->\n~~~\n<!-- keep -->\n~~~~",
        "````\n```\n<!-- keep -->\n```\n````",
        "1. Put this in:\n\n   ```\n   <!-- keep -->\n   ```\n\n2. Save.",
        "1. Put this in:\n```\n<!-- keep -->\n```\n2. Save.",
        "Text\n\n    <!-- keep -->\n\nText",
        "- Item\n\n      <!-- keep -->",
        "> ```\n> <!-- keep -->\n> ```",
        "A \\<!-- is no comment --> here",
        "One <!-- here\n\nand another --> there",
        "Never ends <!-- here",
        "<!-- never ends\n\nStep",
        "`` ` <!-- keep --> ``",
        "--> before <!-- after",
    ],
)
def test_what_stands_in_code_or_never_ends_is_no_comment(text):
    assert markdown_of(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a <!-- x --> b", "a  b"),
        ("a\n\n<!-- x\n\ny -->\n\nb", "a\n\nb"),
        ("- a\n\n  <!-- x -->\n- b", "- a\n\n- b"),
        ("a <!-- x\ny --> b", "a  b"),
        ("`code` <!-- `x` --> b", "`code`  b"),
        ("<!-- a --><!-- b\n--> c", "c"),
        ("<!--> c", "c"),
        ("```\ncode\n```\n<!-- x -->\nb", "```\ncode\n```\n\nb"),
        ("a ` b <!-- x --> c", "a ` b  c"),
        ("## Head <!-- x -->\nb", "## Head\nb"),
    ],
)
def test_comments_go(text, expected):
    assert markdown_of(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "---\nWarning: never open two at once.\n\n1. Look up.\n\n---\n\n# Next",
        "---\nWarning: never open two at once.\n---\n\nNext",
        "---\nNote: a\nTip: b\n---\nNext",
        "---\ntitle: of the book\n\n1. Look up the title.\n---\nNext",
        "---\ntitle: x\nand some words\n---\nNext",
        "---\n- a\n- b\n---\nNext",
        "---\n---\nNext",
        "---\n\n---\nNext",
        "---",
        "---\nNext",
        "+++\nPress + three times\n+++\nNext",
        "***\ntitle: x\n***\nNext",
        "Title\n---\nNext",
    ],
)
def test_thematic_breaks_are_no_front_matter(text):
    assert markdown_of(text) == text


@pytest.mark.parametrize(
    "front",
    [
        "---\ntitle: Loans\n---",
        "---\ntitle: 'Loans'\ntags:\n- a\n- b\nnotes: |\n  1. x\n\n  y\n# c\nauthors: [\n a\n]\n...",
        "---\nms.topic: how-to\ntitle: Loans\n---",
        '+++\ntitle = "Loans"\n[params]\nx = 1\n+++',
        "---\ntitle: Loans\ndescription: Loans: how to\n---",
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_front_matter_goes_and_gives_the_title(front, line_end, mark):
    text = mark + f"{front}\nFirst.\n".replace("\n", line_end)
    document, kept = normalise(make(text, media_type="text/markdown"), 0)
    title = "Loans" if "Loans:" not in front else document.title
    assert (kept, document.title) == ("First.", title)


def test_a_line_of_code_is_no_title():
    text = "```sh\n# not a title\n```\n\nLoans\n=====\n\nText."
    assert normalise(make(text, media_type="text/markdown"), 0).document.title == "Loans"


@pytest.mark.parametrize(
    ("text", "enough"),
    [
        ("管理员打开钥匙系统，按姓名查找人员，检查借出的钥匙少于三把，然后登记借用，最长两天。每条记录保存前都要确认，并向本人发送通知。", True),
        ("管理员打开系统。", False),
        ("鍵システムを開き、氏名で人を検索し、貸出中の鍵が三本未満であることを確認してから、最長二日間の貸出を登録します。記録は保存前に確認し、本人に通知を送ります。", True),
        ("열쇠 시스템을 열고 이름으로 사람을 찾은 다음 빌린 열쇠가 세 개보다 적은지 확인하고 최대 이틀 동안 대여를 등록합니다. 저장하기 전에 모든 기록을 확인하고 본인에게 알림을 보냅니다. 열쇠를 돌려받으면 표찰을 확인합니다.", True),
        ("Open the key system and look the person up.", False),
    ],
)  # fmt: skip
def test_dense_scripts_need_fewer_characters(text, enough):
    assert (normalise(make(text), 150).document.reason is None) == enough


def test_what_a_record_claims_outweighs_its_front_matter():
    claims = {"title": "T", "license": "MIT", "language": "de", "media_type": "text/markdown"}
    document = document_of(f"---\ntitle: Loans\nlicense: CC0-1.0\nlang: en\n---\n{ENGLISH}", **claims)
    assert (document.title, document.license, document.language) == ("T", "MIT", "de")


def test_a_text_between_two_rules_is_no_front_matter():
    assert normalise(make(f"---\n{ENGLISH}\n---\nEnd.", media_type="text/markdown"), 10).text.count("counter") == 5


@pytest.mark.parametrize("heading", ["## Loans ##", "Loans\n=====", "```\ncode\n```\n\n# Loans"])
def test_the_first_heading_is_the_title_of_what_has_no_other(heading):
    assert document_of(f"{heading}\n\n{ENGLISH}", media_type="text/markdown").title == "Loans"


def test_a_claimed_language_that_is_no_code_is_detected_instead():
    assert document_of(ENGLISH, language="English").language == "en"


def test_the_same_text_elsewhere_has_the_same_hash_and_another_id():
    first, second = document_of(ENGLISH), document_of(ENGLISH, uri="file:///b")
    assert first.content_hash == second.content_hash
    assert first.document_id != second.document_id


@pytest.mark.parametrize("bomb", ["<!--", "---\na: b\n", "#" * 10, "a\n---\n", "\u200b", " \n"])
def test_markdown_of_any_shape_takes_no_time(bomb):
    normalise(make(bomb * 100_000, media_type="text/markdown"), 10)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (ENGLISH, "en"),
        ("Bitte prüfen Sie zuerst, ob die Maschine angeschlossen ist, und öffnen Sie dann den Hahn.", "de"),
        ("", None),
        ("12345 67890 !!!", None),
    ],
)
def test_language(text, language):
    assert detect(text) == language


def test_hidden_characters_everywhere_take_little_more_memory_than_the_text():
    text = "\U0001f468\u200b" * 500_000
    tracemalloc.start()
    try:
        assert without_invisible(text) == "\U0001f468" * 500_000
        assert tracemalloc.get_traced_memory()[1] < 16 * len(text)
    finally:
        tracemalloc.stop()
