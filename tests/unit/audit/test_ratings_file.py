"""Ratings that were made elsewhere, and what raters get to see."""

import pytest

from gem_tasks.audit.rate import read_ratings
from gem_tasks.audit.shown import Shown, markdown
from gem_tasks.domain.audit import AuditItem
from gem_tasks.errors import UserError

HEADER = "item_id,rater,coherence,tools,faithfulness,comment\n"


def written(tmp_path, text, name="ratings.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_csv_and_json_lines_say_the_same(tmp_path):
    table = written(tmp_path, HEADER + 'a,anna,5,4,3,"well, yes"\n')
    lines = written(
        tmp_path,
        '{"item_id": "a", "coherence": 5, "tools": 4, "faithfulness": 3, "comment": "well, yes", "source": "x"}\n\n',
        "ratings.jsonl",
    )
    assert read_ratings(table, None) == read_ratings(lines, "anna")


def test_a_table_from_a_spreadsheet_with_empty_cells_and_a_byte_order_mark(tmp_path):
    (rating,) = read_ratings(written(tmp_path, "\ufeff" + HEADER + "a,,5,4,3,\n"), "anna")
    assert (rating.rater, rating.comment) == ("anna", "")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("a,anna,6,4,3,", "line 2, coherence"),
        ("a,anna,5,,3,", "line 2, tools"),
        ("a,anna,5,x,3,", "line 2, tools"),
        ("a,,5,4,3,", "line 2, rater"),
        ("a,   ,5,4,3,", "line 2, rater"),
    ],
)
def test_a_row_that_is_no_rating_is_one_line_with_its_place(tmp_path, row, said):
    with pytest.raises(UserError, match=said) as error:
        read_ratings(written(tmp_path, HEADER + row + "\n"), None)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["[1, 2]", "null", "{broken", '"text"'])
def test_a_line_that_is_no_object_is_refused(tmp_path, text):
    with pytest.raises(UserError, match="line 1"):
        read_ratings(written(tmp_path, text, "r.jsonl"), "anna")


def test_a_file_that_is_not_text_is_refused(tmp_path):
    path = tmp_path / "r.csv"
    path.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(UserError, match="cannot be read"):
        read_ratings(path, "anna")


@pytest.mark.parametrize("hostile", ["```\n# out\n```", "~~~\n````\n<script>alert(1)</script>", "`" * 40, "{{ 1 }}"])
def test_text_cannot_leave_its_fence(hostile):
    item = AuditItem(item_id="a", position=1, stratum="s", partition="p", shard=0, recipe_id="r")
    page = markdown(Shown(item=item, source="file:///a", sections=(("Text", hostile),)))
    fence = page.splitlines()[-1]
    assert set(fence) == {"`"}
    assert fence not in hostile
    assert page.endswith(f"{fence}text\n{hostile}\n{fence}")


def test_long_texts_are_cut_and_say_so():
    item = AuditItem(item_id="a", position=1, stratum="s", partition="p", shard=0, recipe_id="r")
    page = markdown(Shown(item=item, source="u", sections=(("Text", "ß" * 500),)), limit=100)
    assert "400 more characters" in page
    assert page.count("ß") == 100


def test_long_lines_are_wrapped_for_the_page_and_nothing_else_is_changed():
    item = AuditItem(item_id="a", position=1, stratum="s", partition="p", shard=0, recipe_id="r")
    text = "  indented\n\n" + "word " * 60 + "\n" + "y" * 300
    page = markdown(Shown(item=item, source="u", sections=(("Text", text),)))
    assert max(map(len, page.splitlines())) <= 100
    assert "\n  indented\n\nword" in page
    assert (page.count("word"), page.count("y" * 90)) == (60, 3)
