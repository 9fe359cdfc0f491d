"""Reads Parquet files that are in memory, without Arrow's threads.

Arrow's threads outlive what they read for. One that lets go of a Python object while the interpreter ends aborts the
process (`terminate called without an active exception`, exit code 134): `gem show` did in one of six runs.
"""

from collections.abc import Collection, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq


def table(data: bytes, columns: list[str] | None = None) -> pa.Table:
    """All rows; raises ArrowException or OSError if the bytes are no Parquet file."""
    return _opened(data).read(columns=columns, use_threads=False)


def batches(data: bytes, size: int, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
    """At most `size` rows at a time; raises like `table`."""
    return _opened(data).iter_batches(batch_size=size, columns=columns, use_threads=False)


def rows_with(data: bytes, column: str, values: Collection[str]) -> Iterator[dict[str, Any]]:
    """The rows in which a column of texts has one of the values; memory holds a row group. Raises like `table`."""
    file, wanted = _opened(data), pa.array(values, pa.string())
    for number in range(file.num_row_groups):
        keys = file.read_row_group(number, columns=[column], use_threads=False)[column]
        found = pc.is_in(keys, wanted)
        if pc.any(found).as_py():
            yield from file.read_row_group(number, use_threads=False).filter(found).to_pylist()


def _opened(data: bytes) -> pq.ParquetFile:
    return pq.ParquetFile(pa.BufferReader(data), pre_buffer=False)
