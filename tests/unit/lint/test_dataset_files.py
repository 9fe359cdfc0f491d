"""Dataset files: every row is given once with its place, and what cannot be read has a reason instead."""

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gem_tasks.errors import UserError
from gem_tasks.lint import check_files, files
from gem_tasks.lint.files import MAX_ROW_BYTES, read_files
from tests.dataset_rows import openai, sharegpt


def lines(path):
    return [(line.origin.rpartition(":")[2], line.row or line.problem[0]) for line in read_files([str(path)])]


def test_jsonl_is_split_at_line_feeds_alone(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"a": "x\xe2\x80\xa8y"}\r\n\n{"a": 2}\n{"a": "\xc2\x85"}')
    assert [row for _, row in lines(path)] == [{"a": "x\u2028y"}, {"a": 2}, {"a": "\x85"}]


def test_utf_16_with_a_mark_is_read(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes('{"a": "äöü"}\r\n{"a": 2}\r\n'.encode("utf-16"))
    assert [row for _, row in lines(path)] == [{"a": "äöü"}, {"a": 2}]


@pytest.mark.parametrize(
    "text", ['[{"a": 1}, {"a": "]"}]', '[\n  {\n "a": 1},\n{"a": "]"}\n]\n', '[{"a": 1},{"a": "]"}']
)
def test_a_json_list_is_read_object_by_object(tmp_path, text):
    path = tmp_path / "a.json"
    path.write_text(text)
    found = lines(path)
    assert found[:2] == [("1", {"a": 1}), ("2", {"a": "]"})]
    assert [row for _, row in found[2:]] == ([] if text.rstrip().endswith("]") else ["no_json"])


def test_what_is_no_row_has_a_reason_and_the_rest_is_read(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"a": 1}\n{broken\n[1]\n{"a": "\xff"}\n' + b'"' * (MAX_ROW_BYTES + 9) + b'\n{"a": 2}\n')
    assert [row for _, row in lines(path)] == [{"a": 1}, "no_json", "no_object", "bad_encoding", "too_large", {"a": 2}]


def test_a_packed_file_that_breaks_off_says_so_behind_its_rows(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    rows = "".join(json.dumps({"n": number, "s": f"{number * 7919:x}" * 9}) + "\n" for number in range(90_000))
    whole = gzip.compress(rows.encode())
    path.write_bytes(whole[: len(whole) // 2])
    *found, (_, last) = lines(path)
    assert len(found) > 1000
    assert all(isinstance(row, dict) for _, row in found)
    assert last == "unreadable_file"


def test_parquet_of_structs_and_of_texts(tmp_path):
    row = openai()
    pq.write_table(pa.Table.from_pylist([row, row]), tmp_path / "structs.parquet")
    texts = {name: json.dumps(part) for name, part in row.items()}
    pq.write_table(pa.Table.from_pylist([texts]), tmp_path / "texts.parquet")
    found = list(check_files([str(tmp_path)]))
    assert [row.origin.rpartition("/")[2] for row in found] == [
        "structs.parquet:1", "structs.parquet:2", "texts.parquet:1",
    ]  # fmt: skip
    assert not [finding for row in found for finding in row.findings if finding.severity == "error"]


def test_a_file_that_is_none_of_its_kind_is_one_row_with_a_reason(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"PAR1 no")
    (tmp_path / "b.jsonl").write_bytes(bytes(range(256)))
    kinds = [row.findings[0].kind for row in check_files([str(tmp_path)])]
    assert kinds[0] == "unreadable_file"
    assert set(kinds[1:]) <= {"no_json", "bad_encoding"}


@pytest.mark.parametrize("name", ["absent.jsonl", "empty", "notes.docx"])
def test_what_is_no_dataset_is_refused_in_one_line(tmp_path, name):
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.docx").write_bytes(b"PK")
    with pytest.raises(UserError) as caught:
        list(read_files([str(tmp_path / name)]))
    assert name in caught.value.cause


def test_processes_give_the_same_rows_in_the_same_order(tmp_path):
    path = tmp_path / "a.jsonl"
    rows = [{"id": f"r{number}", **(openai() if number % 2 else sharegpt())} for number in range(400)]
    rows[321]["conversations" if 321 % 2 == 0 else "messages"] = []
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    alone, beside = (list(check_files([str(path)], jobs=jobs)) for jobs in (1, 2))
    assert alone == beside
    assert [row.id for row in beside] == [f"r{number}" for number in range(400)]
    assert beside[321].findings[0].kind == "unreadable_turn"


def test_a_list_is_not_copied_for_each_object_nor_an_object_read_again_from_each_of_its_lines(tmp_path, monkeypatch):
    tried = []

    class Counting(json.JSONDecoder):
        def raw_decode(self, s, idx=0):
            tried.append(s)
            return super().raw_decode(s, idx)

    monkeypatch.setattr(json, "JSONDecoder", Counting)
    (tmp_path / "line.json").write_text("[" + ", ".join(["{}"] * 1000) + "]")
    assert len(list(read_files([str(tmp_path / "line.json")]))) == 1000
    assert len({id(text) for text in tried}) == 1
    tried.clear()
    (tmp_path / "lines.json").write_text(json.dumps([{"a": [0] * 2000}, {"b": 1}], indent=0))
    assert [line.row for line in read_files([str(tmp_path / "lines.json")])] == [{"a": [0] * 2000}, {"b": 1}]
    assert len(tried) < 20


def test_a_parquet_row_that_unpacks_to_more_than_a_conversation_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MAX_ROW_BYTES", 10_000)
    large = pa.DictionaryArray.from_arrays(pa.array([0, 1, 0], pa.int32()), pa.array(["x" * 10_001, "y"]))
    pq.write_table(pa.table({"messages": large}), tmp_path / "a.parquet", compression="zstd")
    found = list(read_files([str(tmp_path / "a.parquet")]))
    assert [line.problem and line.problem.kind for line in found] == ["too_large", None, "too_large"]
    assert found[1].row == {"messages": "y"}
