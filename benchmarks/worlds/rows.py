"""Speed of `gem check --replay`: rows of a dataset, from the file to the results, by number of processes.

    python -m benchmarks.worlds.rows [--rows 2000] [--worlds 1] [--jobs 1,2]

Each row is a conversation of 24 calls drawn at random in the library; the worlds differ by one record.
"""

import argparse
import json
import random
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.worlds import library
from gem_tasks.domain.base import Json
from gem_tasks.lint.replay import replay_files
from gem_tasks.worlds.built import world_id
from gem_tasks.worlds.played import Replayable
from gem_tasks.worlds.scenario import Scenario
from gem_tasks.worlds.session import Session, opened
from gem_tasks.worlds.steps import Call
from gem_tasks.worlds.world import World


def made(folder: Path, rows: int, worlds: int) -> Path:
    """A dataset with its worlds."""
    (folder / "worlds").mkdir()
    with (folder / "rows.jsonl").open("w", encoding="utf-8") as file:
        for number in range(worlds):
            state = {**library.WORLD.state, "library": {"number": number}}
            world = library.WORLD.model_copy(update={"state": state})
            text = Replayable(world=world, scenarios={"0/plain": Scenario()}).model_dump_json()
            (folder / "worlds" / f"{world_id(world)}.json").write_text(text, "utf-8")
            file.writelines(json.dumps(row) + "\n" for row in _rows(world, rows // worlds, random.Random(number)))
    return folder / "rows.jsonl"


def _rows(world: World, count: int, draw: random.Random) -> Iterator[Json]:
    listed = [
        {"type": "function", "function": {"name": tool.name, "parameters": tool.parameters}} for tool in world.tools
    ]
    with opened(world) as session:
        for _ in range(count):
            yield _row(world, session, listed, draw)


def _row(world: World, session: Session, listed: list[Json], draw: random.Random) -> Json:
    steps = draw.sample(library.CONVERSATION, len(library.CONVERSATION))
    session.restart()
    messages: list[Json] = [{"role": "user", "content": "Please."}]
    for number, (step, answer) in enumerate(zip(steps, session.take(steps), strict=True)):
        messages += _exchange(f"c{number}", step, answer.result)
    execution = {
        "verified": "executed", "world": world_id(world), "task": 0, "variant": "plain", "seed": 0, "reached": True,
        "steps": [{"kind": "turn"}, *(step.model_dump(mode="json") for step in steps)],
    }  # fmt: skip
    return {"messages": messages, "tools": listed, "metadata": execution}


def _exchange(ident: str, step: Call, result: Json | None) -> list[Json]:
    function = {"name": step.name, "arguments": json.dumps(step.arguments)}
    return [
        {"role": "assistant", "tool_calls": [{"id": ident, "type": "function", "function": function}]},
        {"role": "tool", "tool_call_id": ident, "content": json.dumps(result, ensure_ascii=False)},
    ]


def main(rows: int, worlds: int, jobs: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = made(Path(folder), rows, worlds)
        for number in jobs:
            began, used = time.perf_counter(), _cpu()
            statuses = [row.status for row in replay_files([str(file)], jobs=number)]
            wall, cpu = time.perf_counter() - began, _cpu() - used
            equal = statuses.count("equal")
            print(
                f"{number} processes: {equal} of {len(statuses)} equal; {equal / wall:.0f}/s wall, {equal / cpu:.0f} per CPU second"
            )


def _cpu() -> float:
    """Of this process and those that ended."""
    both = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return sum(each.ru_utime + each.ru_stime for each in both)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--worlds", type=int, default=1)
    parser.add_argument("--jobs", default="1,2")
    given = parser.parse_args()
    main(given.rows, given.worlds, [int(each) for each in given.jobs.split(",")])
