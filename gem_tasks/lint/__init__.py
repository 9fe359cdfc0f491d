"""The deterministic checks over any tool-use data: no services, no GEM metadata, no network.

    for result in check_rows(rows):
        print(result.id, [finding.kind for finding in result.findings])

| module | answers |
|---|---|
| `files` | which rows does this file or Hub dataset contain? |
| `rows` | in which form is a row written, and what conversation is it? |
| `turns`, `tools` | which messages and tool definitions does it have? |
| `run` | which findings does it have? |
| `summary` | how many of which kind? |
"""

from gem_tasks.lint.rows import FORMATS, Columns
from gem_tasks.lint.run import CheckedRow, RowFinding, check_files, check_rows
from gem_tasks.lint.summary import Summary

__all__ = ["FORMATS", "CheckedRow", "Columns", "RowFinding", "Summary", "check_files", "check_rows"]
