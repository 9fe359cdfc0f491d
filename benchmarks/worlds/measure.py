"""Speed of worlds.

    python -m benchmarks.worlds.measure [--seconds 5]

Conversations of 24 calls (18 reads, 6 writes), in a world of 40 records in 5 tables and in one of two tables of 60, by
wall time and per second of CPU time of the child and of both processes.
"""

import argparse
import time

import psutil

from benchmarks.worlds import library
from gem_tasks.worlds.session import Recorded, opened
from gem_tasks.worlds.steps import Call
from gem_tasks.worlds.world import Tool, World

ROWS = {
    f"t-{n}": {"id": f"t-{n}", "name": f"name {n}", "status": "open", "tags": ["a", "b"], "at": None} for n in range(60)
}
CODE = """
function find(state, args) { return page(filterBy(values(state.tickets), {status: args.status}), {limit: 5}); }
function get(state, args) { const t = state.tickets[args.id]; return t ? {ticket: t} : fail("NOT_FOUND", "No ticket " + args.id); }
function close(state, args) {
  const t = state.tickets[args.id];
  if (!t) return fail("NOT_FOUND", "No ticket " + args.id);
  t.status = "closed"; t.at = state.now;
  return {id: t.id, status: t.status};
}
"""
TOOLS = (
    Tool(name="find", parameters={"type": "object"}, reads=True),
    Tool(name="get", parameters={"type": "object"}, reads=True),
    Tool(name="close", parameters={"type": "object"}),
)
DESK = World(state={"now": "2026-03-12T09:00:00Z", "tickets": ROWS, "users": ROWS}, code=CODE, tools=TOOLS)
CONVERSATION = [
    step
    for n in range(6)
    for step in (
        Call(name="find", arguments={"status": "open"}),
        Call(name="get", arguments={"id": f"t-{n}"}),
        Call(name="close", arguments={"id": f"t-{n}"}),
        Call(name="get", arguments={"id": f"t-{n}"}),
    )
]


def cpu_of_children():
    used = [each.cpu_times() for each in psutil.Process().children(recursive=True)]
    return sum(each.user + each.system for each in used)


def measured(name, each, seconds, act):
    """Prints rates of wall time, of the child's CPU time, and of the CPU time of both processes."""
    count, began, child, own = 0, time.perf_counter(), cpu_of_children(), time.process_time()
    while time.perf_counter() - began < seconds:
        act()
        count += each
    wall = time.perf_counter() - began
    child, own = max(cpu_of_children() - child, 0.01), time.process_time() - own
    print(
        f"  {name}: {count / wall:,.0f}/s wall; per CPU second {count / child:,.0f} of the child, {count / (child + own):,.0f} of both"
    )


def speed(seconds):
    for name, world, steps in (("library", library.WORLD, library.CONVERSATION), ("desk", DESK, CONVERSATION)):
        began = time.perf_counter()
        with opened(world) as session:
            print(f"{name}: start {time.perf_counter() - began:.2f} s")
            of_world(session, steps, seconds)


def of_world(session, steps, seconds):
    told = [answer.result for answer in session.take(steps)]
    recorded = [Recorded(steps, told)] * 16
    assert list(session.replay(recorded)) == [{}] * 16 and not any("error" in each for each in told)
    measured("single reads", 1, seconds, lambda: session.take(steps[:1]))
    measured("conversations, all results", 1, seconds, lambda: (session.restart(), session.take(steps)))
    measured("replays", 16, seconds, lambda: list(session.replay(recorded)))
    measured("begins", 1, seconds, lambda: session.begin(seed=7))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=5)
    speed(parser.parse_args().seconds)
