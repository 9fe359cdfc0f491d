"""What models write is published as documents are: nothing acts, nothing hides, and scripts stay whole."""

import json

import pytest

from gem_tasks.corpus.text.harmless import harmless, harmless_json
from gem_tasks.dataset.row import _dump

ACTS = (
    "\x1b]0;TITLE\x07\x1b[31mred\x1b[0m\x9b31m\u202eEVIL\u2066\u061c\x7f\x00\u200b\U000e0041\U0001bca0\U0001d173\ud800"
)
SCRIPTS = [
    "می\u200cخواهم",
    "क्\u200dष",
    "👨\u200d👩\u200d👧",
    "❤\ufe0f",
    "עברית\u200f 1",
    "日本\U000e0100",
    "a\tb\nc",
    "naïve",
]


def test_what_acts_or_hides_goes_and_letters_stay():
    assert harmless(ACTS) == "red31mEVIL"
    assert harmless("one\r\ntwo\rthree\u2028four") == "one\ntwo\nthree\nfour"


@pytest.mark.parametrize("text", SCRIPTS)
def test_scripts_and_emoji_stay_whole(text):
    assert harmless(text) == text
    assert json.loads(harmless_json(json.dumps(text))) == text


@pytest.mark.parametrize("ascii_only", [True, False])
def test_json_is_cleaned_in_texts_and_names_however_it_is_written(ascii_only):
    data = {f"a{ACTS}": [ACTS, {"b": SCRIPTS, "n": [1, 1.5, None, True]}], "c": "\\u001b is written so"}
    text = json.dumps(data, ensure_ascii=ascii_only)
    plain = json.loads(harmless_json(text))
    assert plain == {
        "ared31mEVIL": ["red31mEVIL", {"b": SCRIPTS, "n": [1, 1.5, None, True]}],
        "c": "\\u001b is written so",
    }


def test_json_without_any_stays_the_same_to_the_byte():
    text = '{ "a": "\\u0041\\n\\\\u001b", "b" : "' + "".join(SCRIPTS[:6]) + '" }'
    assert harmless_json(text) is text


def test_results_from_before_are_published_clean():
    assert _dump([{"content": ACTS}]) == '[{"content":"red31mEVIL"}]'
