"""Counts conversations and findings by kind."""

from collections import Counter, deque

from gem_tasks.checks import CHECKS_VERSION
from gem_tasks.domain.base import Json
from gem_tasks.lint.run import CheckedRow, RowFinding

SEVERITIES = ("error", "open", "warning")


class Summary:
    """Totals over a stream of rows, and the first findings of each kind as examples."""

    def __init__(self, examples: int = 3) -> None:
        """Takes `examples`, the number of examples to keep of each kind."""
        self.rows = 0
        self.worst: Counter[str] = Counter()
        """Rows by their worst finding; an empty key means none."""
        self.formats: Counter[str] = Counter()
        self.findings: Counter[tuple[str, str, str]] = Counter()
        """Findings by severity, check and kind."""
        self.rows_with: Counter[tuple[str, str, str]] = Counter()
        self.examples: dict[tuple[str, str, str], deque[tuple[CheckedRow, RowFinding]]] = {}
        self._most = examples

    def add(self, row: CheckedRow) -> None:
        """Counts one more row."""
        self.rows += 1
        self.worst[row.worst()] += 1
        self.formats[row.format or "unreadable"] += 1
        for finding in row.findings:
            kind = (finding.severity, finding.check, finding.kind)
            self.findings[kind] += 1
            kept = self.examples.setdefault(kind, deque())
            if len(kept) < self._most:
                kept.append((row, finding))
        self.rows_with.update({(finding.severity, finding.check, finding.kind) for finding in row.findings})

    @property
    def unreadable(self) -> int:
        """Number of rows without a readable conversation."""
        return self.formats["unreadable"]

    def kinds(self) -> list[tuple[str, str, str]]:
        """`(severity, check, kind)`, worst and most frequent first."""
        return sorted(self.findings, key=lambda kind: (SEVERITIES.index(kind[0]), -self.findings[kind], kind))

    def as_plain(self) -> Json:
        """The summary as plain data for `--json`."""
        return {
            "rows": self.rows,
            "clean": self.worst[""],
            "with_errors": self.worst["error"],
            "with_open": self.worst["open"],
            "with_warnings": self.worst["warning"],
            "unreadable": self.unreadable,
            "formats": dict(sorted(self.formats.items())),
            "kinds": [
                {"check": kind[1], "kind": kind[2], "severity": kind[0], "findings": self.findings[kind],
                 "rows": self.rows_with[kind]}
                for kind in self.kinds()
            ],
            "checks_version": CHECKS_VERSION,
        }  # fmt: skip
