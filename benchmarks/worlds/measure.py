"""Speed of worlds, and how they bear hostile code.

    python -m benchmarks.worlds.measure speed [--seconds 5]
    python -m benchmarks.worlds.measure hostile [--calls 100000] [--seed 0]

`speed`: conversations of 24 calls (18 reads, 6 writes), in a world of 40 records in 5 tables and in one of two tables
of 60, by wall time and per second of CPU time of the child and of both processes. `hostile`: random combinations of attacks as one world;
each call must end with a reason or a plain result, and a probe after each batch must see the first state.
"""

import argparse
import random
import time
from collections import Counter

import psutil

from benchmarks.worlds import library
from gem_tasks.worlds.session import Recorded, opened
from gem_tasks.worlds.steps import Call
from gem_tasks.worlds.world import Limits, Tool, World

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


SETS = (
    "Object.prototype.x = {0}", "Array.prototype.map = {0}", "globalThis.JSON = {0}", "JSON.parse = {0}", "fail = {0}", "state.t = {0}",
    "state.__proto__ = {0}", "Object.setPrototypeOf(state, {{get t() {{ return 1; }}}})", "delete state.t", "nextId(state, {0})", "var x = {0}",
    "Object.defineProperty(state, 't', {{get() {{ return {0}; }}, enumerable: true, configurable: true}})", "state.t.self = state", "clone({0})",
    "page({0}, {0})", "sortBy({0}, {0})", "addSeconds({0}, {0})", "values({0})", "Symbol.iterator.description = {0}", "(function () {{}}).constructor({0})",
    "Reflect.ownKeys(globalThis)", "globalThis.constructor", "this.x = {0}", "Error.prepareStackTrace = () => {0}", "Object.freeze(state)",
    "Object.assign(state, {0})", "for (const k in globalThis) globalThis[k] = {0}", "[].constructor.from({{length: 1e3}}, () => {0})", "filterBy({0}, {0})",
)  # fmt: skip
VALUES = (
    "1", "null", "undefined", "NaN", "'x'", "'x'.repeat(1e6)", "Symbol('s')", "1n", "() => 1", "{{}}", "[]", "new Map()", "/(a+)+$/", "state", "globalThis",
    "({{toJSON() {{ return 1; }}}})", "({{get x() {{ throw state; }}}})", "({{valueOf() {{ throw null; }}, toString() {{ return {{}}; }}}})",
    "({{[Symbol.iterator]() {{ return {{next() {{ return {{done: false}}; }}}}; }}}})", "class A {{ static {{ this.x = 1; }} }}", "(function* () {{ yield* [1]; }})()",
    "(async () => 1)()", "'\\\\ud800'", "new Error('e')", "[,1]", "({{['__proto__']: 1}})", "new Array(1e5)", "-0", "1e308 * 10",
)  # fmt: skip
ENDS = (
    "return {{x: {0}}}", "return {0}", "throw {0}", "return [{0}]", "return fail({0}, {0})", "return {{get x() {{ return {0}; }}}}", "return arguments",
    "return {{error: {0}}}", "return state", "return globalThis", "(function f() {{ f(); }})()", "return {{toJSON: () => ({0})}}",
)  # fmt: skip
SLOW = (
    "for (;;) {{}}",
    "/^(a+)+$/.test('a'.repeat(30) + '!')",
    "const a = []; for (;;) a.push('x'.repeat(1e6) + a.length)",
    "for (;;) try {{ null.x }} catch {{}}",
)


def attack(draw):
    parts = [draw.choice(SETS) for _ in range(draw.randint(0, 3))] + [draw.choice(ENDS)]
    if draw.random() < 0.004:
        parts.insert(0, draw.choice(SLOW))
    body = [part.format(draw.choice(VALUES).format()) for part in parts]
    return "; ".join(f"try {{ {each}; }} catch (e) {{}}" if draw.random() < 0.4 else each for each in body)


def hostile(calls, seed, tools=500):
    reasons, done, longest, first, began = Counter(), 0, 0.0, seed, time.perf_counter()
    while done < calls:
        draw = random.Random(seed)
        seed += 1
        names = [f"f{n}" for n in range(tools)]
        code = "\n".join(f"function {name}(state, args) {{ {attack(draw)} }}" for name in names)
        every = (
            *(Tool(name=name, parameters={}, reads=draw.random() < 0.5) for name in names),
            Tool(name="probe", parameters={}, reads=True),
        )
        code += "\nfunction probe(state) { return {t: state.t, ok: [3, 1].map((x) => x + 1).sort(), x: ({}).x === undefined}; }"
        world = World(
            state={"now": "2026-03-12T09:00:00Z", "t": {"a": {"n": 1}}},
            code=code,
            tools=every,
            limits=Limits(seconds=0.05, memory=32 << 20),
        )
        with opened(world) as session:
            for _ in range(4):
                for name in names:
                    session.restart()
                    start = time.perf_counter()
                    answer, probe = session.take([Call(name=name, arguments={}), Call(name="probe", arguments={})])
                    longest = max(longest, time.perf_counter() - start)
                    reasons[answer.findings[0].reason if answer.findings else "plain result"] += 1
                    seen = probe.result or {}
                    untouched = answer.changed or seen == {"t": {"a": {"n": 1}}, "ok": [2, 4], "x": True}
                    if not untouched or answer.result is None:
                        raise SystemExit(f"ESCAPE seed {seed - 1} {name}: {answer} {probe}")
                done += len(names)
        print(f"{done:,}", end=" ", flush=True)
    print(
        f"{done:,} calls of {(seed - first) * tools:,} attacks in {time.perf_counter() - began:.0f} s: no escape; longest {longest:.2f} s"
    )
    print("  " + ", ".join(f"{reason} {count:,}" for reason, count in reasons.most_common()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["speed", "hostile"])
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument(
        "--seed", type=int, default=0, help="of the first world of attacks; several processes take different ones"
    )
    given = parser.parse_args()
    speed(given.seconds) if given.what == "speed" else hostile(given.calls, given.seed)
