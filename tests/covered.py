"""What the tests reach of the packages that decide what is kept: `python -m tests.covered`, after `make coverage`.

Ends with 1 where a package is below its floor.
"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

AIM = 90
"""Percent of branches, for each."""
FLOORS = {"pipeline": 81, "llm": 89, "checks": 90, "store": 87}
"""What was reached by a part of the suite already; raise them to what `make coverage` shows."""


class Reached(NamedTuple):
    """A package's statements and branches, and how many of them ran."""

    statements: int
    statements_run: int
    branches: int
    branches_run: int

    @property
    def share(self) -> float:
        """Percent of branches; 0 where nothing was measured."""
        return 100 * self.branches_run / self.branches if self.branches else 0.0


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
    rows = [f"| {name} | {' | '.join(map(str, each))} | {each.share:.1f} % |" for name, each in found.items()]
    head = ["| package | statements | run | branches | run | branch coverage |", "|---|---|---|---|---|---|"]
    return "\n".join([*head, *rows])


def below(found: dict[str, Reached], least: dict[str, int]) -> list[str]:
    """The packages that are below."""
    return [name for name, each in found.items() if each.share < least[name]]


def main() -> int:
    """Prints the table; 1 where a package is below its floor."""
    from coverage import Coverage

    measured = Coverage()
    measured.load()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "coverage.json"
        measured.json_report(outfile=str(path))
        report = json.loads(path.read_text(encoding="utf-8"))
    found = {name: reached(report, name) for name in FLOORS}
    print(table(found))
    for word, least in (("aim", dict.fromkeys(FLOORS, AIM)), ("floor", FLOORS)):
        if low := below(found, least):
            print(f"Below the {word}: {', '.join(low)}. `coverage report -m` names the lines.")
    return int(bool(below(found, FLOORS)))


if __name__ == "__main__":
    sys.exit(main())
