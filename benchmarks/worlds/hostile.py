"""How worlds bear hostile code.

    python -m benchmarks.worlds.hostile run LOG [--calls 100000] [--seed 0] [--limits small|real]
    python -m benchmarks.worlds.hostile summary LOG...

`run` draws worlds whose functions and events are random combinations of attacks. Each attack is called four times from
the first state: three times with a probe after it in the same conversation, once in a replay of 16 conversations at
once. Each call must end with a reason or a plain result, equally each time unless it ran into a limit, and the probe
must see the first state and an untouched language. A world is one line of LOG, so that a run that was interrupted continues
where it ended. `small` are limits of 10 ms and 8 MB, as attacks that use theirs up take nearly all of the time.
"""

import argparse
import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gem_tasks.worlds.process import RefusedWorldError
from gem_tasks.worlds.scenario import Event, Scenario
from gem_tasks.worlds.session import Recorded, Session, opened
from gem_tasks.worlds.steps import Answer, Call, Deed
from gem_tasks.worlds.world import Limits, Tool, World

LIMITS = {"small": Limits(seconds=0.01, memory=8 << 20), "real": Limits()}
TOOLS, EVENTS, ROUNDS = 80, 20, 3
AT_LIMIT = {"timeout", "memory", "stack", "crashed"}
SLOW_S = 1.0
"""Calls that took longer by the clock are named in the log."""

TARGETS = ("state", "state.t", "state.t.a", "state.t.a.tags", "state.t.b.deep.er", "state.list", "state.list[0]")
SETS = (
    "Object.prototype.x = {0}", "Array.prototype.map = {0}", "globalThis.JSON = {0}", "JSON.parse = {0}", "fail = {0}", "state.t = {0}",
    "state.__proto__ = {0}", "Object.setPrototypeOf({1}, {{get t() {{ return 1; }}}})", "delete state.t", "nextId(state, {0})", "var x = {0}",
    "Object.defineProperty(state, 't', {{get() {{ return {0}; }}, enumerable: true, configurable: true}})", "{1}.self = {1}", "clone({0})",
    "page({0}, {0})", "sortBy({0}, {0})", "addSeconds({0}, {0})", "values({0})", "Symbol.iterator.description = {0}", "(function () {{}}).constructor({0})",
    "Reflect.ownKeys(globalThis)", "globalThis.constructor", "this.x = {0}", "Error.prepareStackTrace = () => {0}", "Object.freeze({1})",
    "Object.assign({1}, {0})", "for (const k in globalThis) globalThis[k] = {0}", "[].constructor.from({{length: 1e3}}, () => {0})", "filterBy({0}, {0})",
    "{1}.push({0})", "{1}.splice(0, 1, {0})", "{1}.length = {0}", "{1}.sort(() => {0})", "{1}[{0}] = {0}", "{1}.x = {1}", "delete {1}.n", "{1}.reverse()",
    "Object.defineProperty({1}, 'n', {{value: {0}}})", "Object.defineProperty({1}, 'y', {{get() {{ return {0}; }}, enumerable: true}})", "kept.push({1}, {0})",
    "kept[0].t.a.n = {0}", "Object.preventExtensions({1})", "Object.getOwnPropertyDescriptors({1})", "for (const k in {1}) delete {1}[k]", "{1}.n = ({1}.n = {0})",
    "{1}.toJSON = () => {0}", "Object.prototype.__defineGetter__.call({1}, 'z', () => {0})", "Object.getPrototypeOf({1}).q = {0}", "sortBy({1}, {0})",
    "page({1}, {{limit: {0}}})", "clone({1}).n = {0}", "values({1})[0].n = {0}", "values({1}).push({0})", "nextId({1}, 'k')", "state.now = {0}", "Object.seal({1})",
    "new (class extends Object {{ constructor() {{ super(); return {1}; }} #p = {0}; }})()", "{1}.copyWithin(0, 1)", "{1}.fill({0})", "structuredClone({0})",
    "Function.prototype.call = {0}", "WeakMap.prototype.get = {0}", "Map.prototype.get = {0}", "Set.prototype.add = {0}", "Reflect.set({1}, 'n', {0})",
    "args.x = {0}", "arguments[0] = {0}", "({0}).__proto__.x = {0}", "Object.entries({1}).forEach(([k, v]) => {{ v.w = {0}; }})", "JSON.stringify({1}, () => {0})",
    "JSON.parse('[1]', () => {1})", "String.prototype.isWellFormed = () => true", "({1}).constructor = {0}", "probe.call({0}, {1})", "f0 = {0}", "f1(state, {0})",
)  # fmt: skip
VALUES = (
    "1", "null", "undefined", "NaN", "'x'", "'x'.repeat(1e6)", "Symbol('s')", "1n", "() => 1", "{}", "[]", "new Map()", "/(a+)+$/", "state", "globalThis",
    "({toJSON() { return 1; }})", "({get x() { throw state; }})", "({valueOf() { throw null; }, toString() { return {}; }})",
    "({[Symbol.iterator]() { return {next() { return {done: false}; }}; }})", "class A { static { this.x = 1; } }", "(function* () { yield* [1]; })()",
    "(async () => 1)()", "'\\ud800'", "new Error('e')", "[,1]", "({['__proto__']: 1})", "new Array(1e5)", "-0", "1e308 * 10",
    "-1", "2 ** 32", "'__proto__'", "'constructor'", "new Proxy({}, {})", "({__proto__: state})", "Object.create(null)", "state.t.a", "[state.list]",
    "({'\\udc00': 1})", "new Date()", "new WeakRef(state)", "args", "new Uint8Array(8)", "Symbol.iterator", "'a'.padEnd(7e4, 'b')", "({error: 1})",
)  # fmt: skip
ENDS = (
    "return {{x: {0}}}", "return {0}", "throw {0}", "return [{0}]", "return fail({0}, {0})", "return {{get x() {{ return {0}; }}}}", "return arguments",
    "return {{error: {0}}}", "return state", "return globalThis", "(function f() {{ f(); }})()", "return {{toJSON: () => ({0})}}", "return {{x: {1}}}",
    "return {{ok: 1}}", "return failKeeping('A', {0})", "return {{__proto__: {1}, x: {0}}}",
)  # fmt: skip
SLOW = (
    "for (;;) {}",
    "/^(a+)+$/.test('a'.repeat(30) + '!')",
    "const a = []; for (;;) a.push('x'.repeat(1e6) + a.length)",
    "for (;;) try { null.x } catch {}",
    "'x'.repeat(5e6).split('').sort().join('').indexOf('y')",
    "for (;;) state.list.push(1)",
    "new Array(2 ** 31).reverse()",
    "const m = new Map(); for (let i = 0; ; i++) m.set(i, {})",
)
STATE = {
    "now": "2026-03-12T09:00:00Z",
    "t": {"a": {"n": 1, "tags": ["x", "y"]}, "b": {"n": 2, "deep": {"er": {"n": 3}}}},
    "list": [{"n": 1}, {"n": 2}, 3],
}
PROBE = """
function probe(state) {
  const shown = (value) => (JSON.stringify(value) ?? "").slice(0, 200);
  return {t: shown(state.t), list: shown(state.list), ok: [3, 1].map((x) => x + 1).sort(), x: ({}).x === undefined, names: Object.getOwnPropertyNames(globalThis).length,
    own: JSON.stringify({a: [1, "b"]}) + fail("A", "b").error.code + page([1, 2], {limit: 1}).total + sortBy([{n: 2}, {n: 1}], "n")[0].n + clone({n: 5}).n,
    map: new Map([[1, 2]]).get(1) + new Set([1]).size + "abc".isWellFormed() + Object.keys(Object.prototype).length + typeof eval + typeof Date};
}"""
PROBED = Call(name="probe", arguments={})
OTHER = {"told": "something else"}


def attack(draw: random.Random) -> str:
    parts = [draw.choice(SETS) for _ in range(draw.randint(0, 3))] + [draw.choice(ENDS)]
    body = [part.format(draw.choice(VALUES), draw.choice(TARGETS)) for part in parts]
    if draw.random() < 0.004:
        body.insert(0, draw.choice(SLOW))
    return "; ".join(f"try {{ {each}; }} catch (e) {{}}" if draw.random() < 0.4 else each for each in body)


def drawn(seed: int, limits: Limits) -> tuple[World, Scenario]:
    """A world of attacks, one in four of which keeps a variable, so that its code runs again for each call."""
    draw = random.Random(seed)
    head = "let kept = [];\n" if draw.random() < 0.25 else "const kept = [];\n"
    bodies = [attack(draw) for _ in range(TOOLS)]
    code = head + "\n".join(f"function f{n}(state, args) {{ {body} }}" for n, body in enumerate(bodies)) + PROBE
    tools = [Tool(name=f"f{n}", parameters={}, reads=draw.random() < 0.4) for n in range(TOOLS)]
    events = {f"e{n}": Event(code=attack(draw)) for n in range(EVENTS)}
    every = (*tools, Tool(name="probe", parameters={}, reads=True))
    return World(state=STATE, code=code, tools=every, limits=limits), Scenario(events=events)


class Escape(Exception):
    """An attack had an effect that it may not have."""


class Attacked:
    """What the attacks of one world led to."""

    def __init__(self, session: Session, scenario: Scenario) -> None:
        self._session, self._scenario = session, scenario
        self._steps = [*(Call(name=f"f{n}", arguments={"x": n}) for n in range(TOOLS)), *map(_deed, range(EVENTS))]
        self._untouched = session.take([PROBED])[0].result
        self._known: dict[str, str] = {}
        self.reasons: Counter[str] = Counter()
        self.slow: list[tuple[str, float]] = []
        self.longest = 0.0

    def once(self) -> None:
        """Each attack and a probe in a conversation of its own."""
        for step in self._steps:
            self._session.restart()
            began = time.perf_counter()
            answer, probe = self._session.take([step, PROBED])
            self._timed(step.name, time.perf_counter() - began)
            self._seen(step, answer, probe)

    def replayed(self) -> None:
        """The same as replays of conversations that had other results, so that all answers come back."""
        began = time.perf_counter()
        others = [Recorded([step, PROBED], [OTHER, OTHER], self._scenario) for step in self._steps]
        for step, found in zip(self._steps, self._session.replay(others), strict=True):
            if isinstance(found, str):
                raise Escape(f"{step.name}: {found}")
            self._seen(step, found[0], found[1])
        self._timed("replays", (time.perf_counter() - began) / len(self._steps))
        self._session.begin(self._scenario)

    def _seen(self, step: Call | Deed, answer: Answer, probe: Answer) -> None:
        reason = answer.findings[0].reason if answer.findings else "plain result"
        self.reasons[reason] += 1
        seen, wanted = probe.result or {}, self._untouched or {}
        parts = [name for name in wanted if name not in ("t", "list") or not answer.changed]
        if answer.changed and probe.findings and probe.findings[0].reason in AT_LIMIT:
            return  # it reads a state of up to 1 MiB
        if wrong := [name for name in parts if seen.get(name) != wanted[name]]:
            raise Escape(f"{step.name}: {wrong} {answer} {probe}")
        if (answer.result is None) != isinstance(step, Deed):
            raise Escape(f"{step.name}: no result {answer}")
        told = reason if reason in AT_LIMIT else answer.model_dump_json() + probe.model_dump_json()
        before = self._known.setdefault(step.name, told)
        if told != before and not AT_LIMIT & {told, before}:
            raise Escape(f"{step.name}: twice differently: {before} {told}")

    def _timed(self, name: str, seconds: float) -> None:
        self.longest = max(self.longest, seconds)
        if seconds > SLOW_S:
            self.slow.append((name, round(seconds, 2)))


def _deed(n: int) -> Deed:
    return Deed(name=f"e{n}")


def attacked(seed: int, limits: str) -> dict[str, Any]:
    world, scenario = drawn(seed, LIMITS[limits])
    began = time.perf_counter()
    try:
        with opened(world, scenario) as session:
            found = Attacked(session, scenario)
            for _ in range(ROUNDS):
                found.once()
            found.replayed()
    except RefusedWorldError as error:
        return {"seed": seed, "limits": limits, "refused": ascii(error.args)}
    except Exception as error:  # noqa: BLE001 - whatever an attack led to in this process
        return {"seed": seed, "limits": limits, "escape": f"{type(error).__name__}: {ascii(error)[:2000]}"}
    return {
        "seed": seed, "limits": limits, "calls": found.reasons.total(), "attacks": TOOLS + EVENTS, "reasons": found.reasons,
        "seconds": round(time.perf_counter() - began, 2), "longest": round(found.longest, 3), "slow": found.slow,
    }  # fmt: skip


def run(log: Path, calls: int, seed: int, limits: str) -> None:
    done = list(_lines([log])) if log.exists() else []
    seed, made = max([seed, *(each["seed"] + 1 for each in done)]), sum(each.get("calls", 0) for each in done)
    with log.open("a", encoding="utf-8") as out:
        while made < calls:
            line = attacked(seed, limits)
            print(json.dumps(line), file=out, flush=True)
            seed, made = seed + 1, made + line.get("calls", 0)


def _lines(logs: list[Path]) -> Iterator[dict[str, Any]]:
    return (json.loads(line) for log in logs for line in log.read_text("utf-8").splitlines())


def summary(logs: list[Path]) -> None:
    every = list(_lines(logs))
    for limits in LIMITS:
        lines = [each for each in every if each["limits"] == limits]
        calls, seconds = sum(each.get("calls", 0) for each in lines), sum(each.get("seconds", 0) for each in lines)
        bad = [each for each in lines if "calls" not in each]
        print(
            f"{limits} limits: {calls:,} calls of {sum(each.get('attacks', 0) for each in lines):,} attacks in {len(lines):,} worlds, "
            f"{1000 * seconds / max(calls, 1):.1f} ms a call; escapes {sum('escape' in each for each in bad)}, refused {sum('refused' in each for each in bad)}; "
            f"longest {max((each.get('longest', 0) for each in lines), default=0):.2f} s, beyond {SLOW_S:.0f} s {sum(len(each.get('slow', ())) for each in lines)}"
        )
        reasons = sum((Counter(each.get("reasons", {})) for each in lines), Counter[str]())
        print("  " + ", ".join(f"{reason} {count:,}" for reason, count in reasons.most_common()))
        for each in bad[:20]:
            print("  " + json.dumps(each)[:400])


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["run", "summary"])
    parser.add_argument("logs", nargs="+", type=Path)
    parser.add_argument("--calls", type=int, default=100_000, help="in the log, with those of earlier runs")
    parser.add_argument("--seed", type=int, default=0, help="of the first world; several processes take different ones")
    parser.add_argument("--limits", choices=list(LIMITS), default="small")
    given = parser.parse_args()
    summary(given.logs) if given.what == "summary" else run(given.logs[0], given.calls, given.seed, given.limits)
