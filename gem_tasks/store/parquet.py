"""Reads Parquet files, in memory or from disk, without Arrow's threads.

Arrow's threads outlive their work. A thread that releases a Python object while the interpreter exits aborts the
process (`terminate called without an active exception`, exit code 134): one in six runs of `gem show` did.
"""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq


def table(data: bytes, columns: list[str] | None = None) -> pa.Table:
    """All rows; raises ArrowException or OSError if the bytes are not a Parquet file."""
    return _opened(data).read(columns=columns, use_threads=False)


def batches(data: bytes | Path, size: int, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
    """Up to `size` rows at a time; of a file on disk, memory holds one row group. Raises like `table`."""
    return _opened(data).iter_batches(batch_size=size, columns=columns, use_threads=False)


def rows_with(data: bytes, column: str, values: Collection[str]) -> Iterator[dict[str, Any]]:
    """The rows where a text column has one of the values; memory holds one row group. Raises like `table`."""
    file, wanted = _opened(data), pa.array(values, pa.string())
    for number in range(file.num_row_groups):
        keys = file.read_row_group(number, columns=[column], use_threads=False)[column]
        found = pc.is_in(keys, wanted)
        if pc.any(found).as_py():
            yield from file.read_row_group(number, use_threads=False).filter(found).to_pylist()


def _opened(data: bytes | Path) -> pq.ParquetFile:
    source = pa.OSFile(str(data), "rb") if isinstance(data, Path) else pa.BufferReader(data)
    return pq.ParquetFile(source, pre_buffer=False)
