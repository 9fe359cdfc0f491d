"""Parquet is read without threads of Arrow: one that is left over aborts a process that ends at that moment."""

import ast
import subprocess
import sys
from pathlib import Path

import gem_tasks
from gem_tasks.domain.corpus import Segment
from gem_tasks.store import parquet, shards

READ = """
import os, sys
from pathlib import Path
from gem_tasks.store import shards
from gem_tasks.lint import files
data = Path(sys.argv[1]).read_bytes()
before = len(os.listdir("/proc/self/task"))
print(len(list(shards.decode_segments(data))), len(shards.find_segments(data, "d7")))
print(len(list(files._rows(sys.argv[1], lambda: open(sys.argv[1], "rb")))))
print(len(os.listdir("/proc/self/task")) - before)
"""


def shard(rows):
    segments = [
        Segment(segment_id=f"s{at}", document_id=f"d{at}", document_uri="u", start=0, end=1, tokens=1, text="x" * 5000)
        for at in range(rows)
    ]
    return shards.encode_segments(segments)


def test_reading_leaves_no_thread_behind(tmp_path):
    path = tmp_path / "a.parquet"
    path.write_bytes(shard(1200))
    done = subprocess.run([sys.executable, "-c", READ, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1200", "1", "1200", "0"]


def test_nothing_else_reads_parquet_with_threads():
    """`use_threads` and `pre_buffer` are on by default, and `read_table` has threads whatever it is told."""
    calls = {
        "ParquetFile": {"pre_buffer"},
        "iter_batches": {"use_threads"},
        "read_row_group": {"use_threads"},
        "read_table": {"cannot be"},
    }
    for path in Path(gem_tasks.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in calls:
                off = {each.arg for each in node.keywords if getattr(each.value, "value", None) is False}
                assert calls[node.func.attr] <= off, f"{path}:{node.lineno}"


def test_rows_with_a_value_come_in_order_from_all_row_groups():
    data = shard(1200)
    assert [row["segment_id"] for row in parquet.rows_with(data, "document_id", ["d1100", "d3", "none"])] == [
        "s3",
        "s1100",
    ]
    assert parquet.table(data, ["start"]).num_rows == 1200
