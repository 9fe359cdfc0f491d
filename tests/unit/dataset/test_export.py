"""Rows of a version are read from disk, some at a time, and only harmless ones come out."""

import json
from contextlib import nullcontext
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq

from gem_tasks.dataset.export import published_of
from gem_tasks.store import parquet


def version(path, rows):
    """A workspace with one version in row groups of ten."""
    pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=10)
    ledger = SimpleNamespace(versions=SimpleNamespace(withdrawn_trajectories=lambda version: {"t3"}))
    return SimpleNamespace(
        ledger=lambda: nullcontext(ledger), download=lambda key, to: to.write_bytes(path.read_bytes())
    )


def row(number, text="Hello"):
    about = {"trajectory_id": f"t{number}"}
    return {"messages": json.dumps([{"role": "user", "content": text}]), "tools": "[]", "metadata": json.dumps(about)}


def test_rows_come_in_order_without_withdrawn_ones_and_some_at_a_time(tmp_path, monkeypatch):
    sources, read = [], parquet.batches
    monkeypatch.setattr(parquet, "batches", lambda data, *size: sources.append(data) or read(data, *size))
    rows = list(published_of(version(tmp_path / "x.parquet", [row(number) for number in range(25)]), "v"))
    assert [each["metadata"]["trajectory_id"] for each in rows] == [f"t{n}" for n in range(25) if n != 3]
    (source,) = sources
    assert not isinstance(source, bytes)  # a whole version may not fit into memory
    assert not source.exists()


def test_what_acts_on_a_terminal_is_taken_out_of_ascii_too(tmp_path):
    (found,) = published_of(version(tmp_path / "x.parquet", [row(1, "a\x1b[31mb\x07c\x7f")]), "v")
    assert found["messages"][0]["content"] == "abc"
