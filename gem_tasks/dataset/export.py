"""Published trajectories as files. The `openai` format is the contract for everything that reads GEM's data."""

import json
from collections.abc import Iterator
from pathlib import Path

from gem_tasks.corpus.text.harmless import harmless_json
from gem_tasks.domain.base import Json
from gem_tasks.errors import UserError
from gem_tasks.files import json_line, replacing
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.store import keys, parquet


def published(work: Workspace, *partitions: str | None) -> Iterator[Json]:
    """`{"messages", "tools", "metadata"}` of every current trajectory, version by version.

    Omits trajectories of superseded or vanished texts, even if no new version reflects that yet.

    Args:
        work: workspace to read from.
        partitions: only these; none for all.
    """
    with work.ledger() as ledger:
        versions = [version for each in partitions or (None,) for version in ledger.datasets.current(each)]
    for version in versions:
        yield from published_of(work, version)


def published_of(work: Workspace, version: str) -> Iterator[Json]:
    """Like `published`, for one version."""
    with work.ledger() as ledger:
        withdrawn = ledger.versions.withdrawn_trajectories(version)
    for row in rows_of(work.fetch(keys.dataset_key(version, "train-00000.parquet"))):
        if row["metadata"]["trajectory_id"] not in withdrawn:
            yield row


def rows_of(data: bytes) -> Iterator[Json]:
    """Like `published`, of a version's Parquet file."""
    for batch in parquet.batches(data, 64, ["messages", "tools", "metadata"]):
        for row in batch.to_pylist():
            yield {column: json.loads(harmless_json(text)) for column, text in row.items()}


def export_openai(work: Workspace, out: Path, *partitions: str | None) -> tuple[Path, int]:
    """Writes `trajectories.jsonl` and returns its path and the number of lines.

    Raises:
        UserError: nothing is published, or the folder cannot be written.
    """
    path = out / "trajectories.jsonl"
    count = 0
    try:
        out.mkdir(parents=True, exist_ok=True)
        with replacing(path) as part:
            with part.open("w", encoding="utf-8") as file:
                for row in published(work, *partitions):
                    count += 1
                    file.write(json_line(row))
            if not count:
                named = ", ".join(each for each in partitions if each)
                where = f" in partition {named}" if named else ""
                raise UserError(f"There are no published trajectories{where}", "Make some with `gem run SOURCE`.")
    except OSError as error:
        raise UserError(f"{out} cannot be written: {error.strerror}", "Choose another --out.") from error
    return path, count


def trajectory(work: Workspace, prefix: str) -> Json:
    """The only current trajectory whose id has this prefix.

    Raises:
        UserError: there is none, or more than one.
    """
    with work.ledger() as ledger:
        found = ledger.datasets.find_trajectories(prefix)
    if len(found) != 1:
        cause = "No trajectory begins" if not found else f"{len(found)} trajectories begin"
        raise UserError(f"{cause} with {prefix!r}", "Give more characters; `gem run` and `gem lineage` print ids.")
    ((key, version),) = found
    data = work.fetch(keys.dataset_key(version, "train-00000.parquet"))
    (row,) = parquet.rows_with(data, "trajectory_id", [key])
    return {column: json.loads(harmless_json(row[column])) for column in ("messages", "tools", "metadata")}
