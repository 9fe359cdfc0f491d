"""CSV: records if there is a column `text`, otherwise a table."""

import pytest

from gem_tasks.corpus.reading.readers import read
from gem_tasks.corpus.sources.listing import list_objects


def read_text(tmp_path, text, name="a.csv"):
    (tmp_path / name).write_bytes(text.encode())
    return [raw for found in list_objects(str(tmp_path / name)) for raw in read(found, 1000)]


def test_rows_with_a_text_are_records(tmp_path):
    first, second = read_text(tmp_path, 'id,Title,text,unit\n7,A,"Press ""it"",\nthen wait.",b\n8,B,Bye,c\n')

    assert (first.uri.rpartition("#")[2], first.title, first.text) == ("7", "A", 'Press "it",\nthen wait.')
    assert (second.text, second.metadata) == ("Bye", {"unit": "c"})


@pytest.mark.parametrize(("name", "mark"), [("a.csv", ","), ("a.csv", ";"), ("a.tsv", "\t")])
def test_other_files_are_tables(tmp_path, name, mark):
    [raw] = read_text(tmp_path, f"\ufeffStep{mark}Action\n1{mark}Press | wait\n\n2\n", name)

    assert raw.text == "| Step | Action |\n|---|---|\n| 1 | Press \\| wait |\n| 2 |  |"


def test_a_cell_over_the_limit(tmp_path):
    [raw] = read_text(tmp_path, 'a,b\n1,"' + "x" * 990)

    assert raw.reason == "too_large" or raw.reason == "unreadable"
