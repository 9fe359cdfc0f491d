"""Precision and recall of the matcher of `gem ground-api`, on pairs of a tool and an API that a reader has labelled.

    python -m benchmarks.live_apis.matches [--wrong]

`labels.jsonl` says of each pair which operations do what the tool does (`yes`), and which only a part of it, or the
same to another kind of thing (`partly`); with none of both, the tool must stay unmapped. `described.json.gz` has the
names and parameters that the matcher reads, and the sorted nouns of the descriptions, not their prose: of 1,102
operations of Slack, Asana, Trello, Gmail and GitLab, and of the tools of an MCP server for each of them (`SOURCES.md`).
The labels were made before the matcher saw the pairs. Of the two halves, by hash of the tool's name, one served for
choices; the author of the matcher saw the figures of both, so those of the other are upper estimates.
"""

import argparse
import gzip
import json
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from gem_tasks.domain.interval import wilson
from gem_tasks.domain.workflow import ToolSpec
from gem_tasks.live_apis.match import Matcher
from gem_tasks.live_apis.operation import Operation

HERE = Path(__file__).parent


class Pair(NamedTuple):
    """A labelled pair, and the operation that the matcher chose."""

    api: str
    server: str
    tool: str
    yes: list[str]
    partly: list[str]
    chosen: str | None = None

    @property
    def own(self) -> bool:
        """Whether the tool was made for the API."""
        return self.api == self.server

    @property
    def measured(self) -> bool:
        """Whether it is of the half that served for no choice by its pairs; its figures were seen meanwhile."""
        return sha256(self.tool.encode()).digest()[0] % 2 == 1


class Scores(NamedTuple):
    """Counts over pairs."""

    pairs: int
    chosen: int
    right: int
    partly: int
    wanted: int
    """Pairs with an operation that does what the tool does."""

    @property
    def line(self) -> str:
        """In one line, with 95 % intervals of precision and recall."""
        low, high = wilson(self.right, self.chosen)
        least, most = wilson(self.right, self.wanted)
        return (
            f"{self.pairs:4} pairs, precision {self.right / max(1, self.chosen):.2f} ({low:.2f} to {high:.2f}),"
            f" with partly {(self.right + self.partly) / max(1, self.chosen):.2f},"
            f" recall {self.right / max(1, self.wanted):.2f} ({least:.2f} to {most:.2f});"
            f" {self.chosen} mapped, {self.chosen - self.right - self.partly} of them wrongly"
        )


def matched() -> list[Pair]:
    """Every labelled pair with the matcher's choice."""
    described: dict[str, Any] = json.loads(gzip.decompress((HERE / "described.json.gz").read_bytes()))
    matchers = {
        name: Matcher([_operation(each) for each in api["operations"]], title=api["title"])
        for name, api in described["apis"].items()
    }
    tools = {(server, each["name"]): each for server, found in described["servers"].items() for each in found}
    pairs = [Pair(**json.loads(line)) for line in (HERE / "labels.jsonl").read_text(encoding="utf-8").splitlines()]
    return [
        pair._replace(chosen=matchers[pair.api].match(_tool(tools[pair.server, pair.tool])).operation) for pair in pairs
    ]


def scores(pairs: Iterable[Pair]) -> Scores:
    """Counts of some pairs."""
    found = list(pairs)
    chosen = [pair for pair in found if pair.chosen]
    right = sum(pair.chosen in pair.yes for pair in chosen)
    partly = sum(pair.chosen in pair.partly for pair in chosen)
    return Scores(len(found), len(chosen), right, partly, sum(bool(pair.yes) for pair in found))


def _tool(row: dict[str, Any]) -> ToolSpec:
    return ToolSpec(name=row["name"], description=row["description"], parameters=_schema(row))


def _operation(row: dict[str, Any]) -> Operation:
    about = {name: row[name] for name in ("name", "description", "method", "path")}
    return Operation(**about, parameters=_schema(row))


def _schema(row: dict[str, Any]) -> dict[str, Any]:
    properties: Sequence[str] = row["parameters"]
    return {"type": "object", "properties": {name: {} for name in properties}, "required": row["required"]}


def main() -> None:
    """Prints the figures, and with `--wrong` the pairs of the half for choices that the matcher got wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wrong", action="store_true")
    asked, pairs = parser.parse_args(), matched()
    parts = {
        "all": pairs,
        "half for choices": [pair for pair in pairs if not pair.measured],
        "other half": [pair for pair in pairs if pair.measured],
        "tools made for the API": [pair for pair in pairs if pair.own],
        "tools made for another API": [pair for pair in pairs if not pair.own],
        **{api: [pair for pair in pairs if pair.own and pair.api == api] for api in sorted({p.api for p in pairs})},
    }
    for name, some in parts.items():
        print(f"{name:28}{scores(some).line}")
    for pair in pairs if asked.wrong else ():
        if not pair.measured and pair.chosen not in (pair.yes or [None]):
            print(f"{pair.api} {pair.tool}: {pair.chosen}, not {pair.yes or 'any'}, partly {pair.partly}")


if __name__ == "__main__":
    main()
