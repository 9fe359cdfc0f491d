"""Local files, written whole or not at all, by as many writers as there are."""

import json
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_tasks.files import json_line, json_lines, replacing

LINES_OF_UNICODE = "one\u2028two\u2029three\x85four\x0bfive\x0csix\x1cseven"


def test_only_a_line_feed_ends_a_line_of_json(tmp_path):
    path = tmp_path / "a.jsonl"
    rows = [{"text": LINES_OF_UNICODE}, {"text": "plain"}]
    path.write_text("\n\r\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n", encoding="utf-8")
    assert list(json_lines(path)) == rows


def test_two_writers_of_one_file_do_not_write_into_each_other(tmp_path):
    path, both = tmp_path / "a.json", threading.Barrier(2, timeout=10)
    failed = []

    def write(text):
        try:
            with replacing(path) as part:
                part.write_text(text)
                both.wait()
        except OSError as error:
            failed.append(error)

    writers = [threading.Thread(target=write, args=(letter * 1000,)) for letter in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert failed == []
    assert path.read_text() in ("a" * 1000, "b" * 1000)
    assert list(tmp_path.iterdir()) == [path]


def test_a_block_that_fails_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("before")
    with pytest.raises(RuntimeError), replacing(path) as part:
        part.write_text("half")
        raise RuntimeError
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_line_is_one_line_for_loaders_that_split_at_every_line_end():
    row = {"text": "a\u2028b\u2029c\x85d\x0be\nf", "ä": "日本"}
    line = json_line(row)
    assert line.splitlines() == [line.removesuffix("\n")]
    assert json.loads(line) == row
    assert "日本" in line


@given(
    st.recursive(
        st.text() | st.none() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_a_line_differs_from_plain_json_in_line_ends_only(value):
    escaped = {ord(each): f"\\u{ord(each):04x}" for each in "\x85\u2028\u2029"}
    assert json_line(value) == json.dumps(value, ensure_ascii=False).translate(escaped) + "\n"
