"""What the tests reach of the packages that decide what is kept: `python -m tests.covered`, after `make coverage`.

Ends with 1 where a package is below `LEAST`.
"""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

PACKAGES = ("pipeline", "llm", "checks", "store")
LEAST = 90
"""Percent of branches."""


class Reached(NamedTuple):
    """A package's statements and branches, and how many of them ran."""

    statements: int
    statements_run: int
    branches: int
    branches_run: int

    @property
    def share(self) -> float:
        """Percent of branches."""
        return 100 * self.branches_run / self.branches if self.branches else 100.0


def reached(report: dict[str, Any], package: str) -> Reached:
    """The sums over a package's files.

    Args:
        report: as `coverage json` writes it.
        package: a folder of `gem_tasks`.
    """
    found = [each["summary"] for name, each in report["files"].items() if f"gem_tasks/{package}/" in name]
    names = ("num_statements", "covered_lines", "num_branches", "covered_branches")
    return Reached(*(sum(each[name] for each in found) for name in names))


def table(found: dict[str, Reached]) -> str:
    """In Markdown."""
    head = "| package | statements | run | branches | run | branch coverage |\n|---|---|---|---|---|---|\n"
    return head + "".join(
        f"| {name} | {' | '.join(map(str, each))} | {each.share:.1f} % |\n" for name, each in found.items()
    )


def short(found: dict[str, Reached]) -> Iterable[str]:
    """Packages below the bar, or without a file that ran."""
    return (name for name, each in found.items() if not each.statements_run or each.share < LEAST)


def main() -> int:
    """Prints the table; 1 where something is missing."""
    from coverage import Coverage

    measured = Coverage()
    measured.load()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "coverage.json"
        measured.json_report(outfile=str(path))
        report = json.loads(path.read_text(encoding="utf-8"))
    found = {name: reached(report, name) for name in PACKAGES}
    print(table(found))
    low = list(short(found))
    if low:
        print(f"Branch coverage below {LEAST} %: {', '.join(low)}. `coverage report -m` names the lines.")
    return int(bool(low))


if __name__ == "__main__":
    sys.exit(main())
