"""The lines of a batch: each request once, no others."""

import logging

from gem_tasks.lineage import BatchRow
from gem_tasks.pipeline.batch.open_requests import ExpectedLines


def test_every_line_is_read_once_and_what_has_none_is_missing(caplog):
    caplog.set_level(logging.WARNING)
    expected = ExpectedLines(BatchRow(gem_key="k", batch_id="batch-1", custom_ids=("a-1", "b-1", "c-1")))
    assert [expected.counts(line) for line in ("b-1", "x-1", "b-1", "c-1")] == [True, False, False, True]
    assert expected.missing() == ["a-1"]
    assert [record.getMessage() for record in caplog.records] == [
        "batch-1: 1 lines answer unknown requests, such as x-1",
        "batch-1: 1 duplicate lines, such as b-1",
        "batch-1: 1 missing lines, such as a-1",
    ]
