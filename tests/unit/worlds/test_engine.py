"""A world's code in the engine, without a process: it may keep nothing between calls, whichever way it is run."""

import json

import pytest
import quickjs

from gem_tasks.worlds.engine.worker import Engine
from gem_tasks.worlds.world import Limits

REMEMBERS = {
    "let_": "let n = 0; function f() { n += 1; return {n}; }",
    "var_": "var n = 0;\nfunction f() { n += 1; return {n}; }",
    "constant": "const seen = [];\nfunction f() { seen.push(1); return {n: seen.length}; }",
    "set": "const seen = new Set();\nfunction f() { return {n: seen.add({}).size}; }",
    "second": "const a = 1, seen = [];\nfunction f() { seen.push(a); return {n: seen.length}; }",
    "closure": """
const next = (() => { let n = 0; return () => (n += 1); })();
function f() { return {n: next()}; }""",
    "arrow": """
const add = () => { try { add.n = (add.n ?? 0) + 1; } catch { return 1; } return add.n; };
function f() { return {n: add()}; }""",
    "property": "function f() { try { f.n = (f.n ?? 0) + 1; } catch { return {n: 1}; } return {n: f.n}; }",
    "prototype": """
function K() {}
const k = K.prototype;
function f() { try { k.n = (k.n ?? 0) + 1; } catch { return {n: 1}; } return {n: k.n}; }""",
    "binding": """
function g() { return 1; }
function f() { const n = g(); try { g = () => n + 1; } catch {} return {n}; }""",
    "same_line": "function g() {} let n = 0;\nfunction f() { n += 1; return {n}; }",
    "comment": "function g() {} /*\n*/ let n = 0;\nfunction f() { n += 1; return {n}; }",
    "text": "function g() {} let n = `\nfunction h() {}\n`; n = 0;\nfunction f() { n += 1; return {n}; }",
    "class_": "class K { static n = 0; }\nfunction f() { K.n += 1; return {n: K.n}; }",
    "two": "const n = {n: 0}\n, m = n;\nfunction f() { m.n += 1; return {n: m.n}; }",
    "computed": """
const base = {n: 1};
const most = base.n; // one
/* all */
function f() { base.n += 1; return {n: most}; }""",
    "regex": "const word = /a/g;\nfunction f() { word.test('aaa'); return {n: word.lastIndex}; }",
    "generator": """
const all = (function* () { let n = 0; for (;;) yield (n += 1); })();
function f() { return {n: all.next().value}; }""",
}


def engine(code, tools=("f",), **tables):
    limits, start = (
        Limits().model_dump(),
        {"tables": {name: json.dumps(each) for name, each in tables.items()}, "ids": {}},
    )
    made = Engine(
        json.dumps({"code": code, "tools": dict(zip(tools, tools, strict=True)), "limits": limits, "start": start}),
        quickjs,
    )
    assert made.load() == "o"
    return made


def results(made, *operations):
    told = made.batch(json.dumps({"first": True, "base": 0, "scenario": "", "operations": operations}))
    return [each[2] for each in json.loads(told[1:])["done"]]


@pytest.mark.parametrize("name", REMEMBERS)
def test_no_code_remembers_a_call(name):
    calls = [["read", "f", {}], ["write", "f", {}], ["read", "f", {}]]
    assert results(engine(REMEMBERS[name]), *calls) == [{"n": 1}] * 3


@pytest.mark.parametrize("before", ["", "const base = 1;\n", "function g() {}\n"])
def test_a_line_of_slashes_is_one_comment(before):
    code = f"{before};{'/' * 80}\nlet more = 2;\nfunction f() {{ more += 1; return {{n: more}}; }}"
    assert results(engine(code), ["read", "f", {}], ["write", "f", {}]) == [{"n": 3}] * 2


def test_functions_and_constants_see_each_other_in_any_order():
    code = """// Loans
const rates = {a: 2}, /* no more */ most = rates.a * 5;
"""
    with_two = engine(
        code + "function f(state, args) { return {n: twice(args.n), most}; }\nfunction twice(n) { return n * rates.a; }"
    )
    with_one = engine("""
/* Loans */
function f(state, args) { return {n: twice(args.n), most, last: last([1, 2])}; }
const rates = {a: 2};
const most = rates.a * 5; // ten

async function later() {}
const last = (rows) => rows[rows.length - 1];
function* all() {}
function twice(n) { return n * rates.a; }
""")
    assert results(with_two, ["read", "f", {"n": 4}]) == [{"n": 8, "most": 10}]
    assert results(with_one, ["read", "f", {"n": 4}]) == [{"n": 8, "most": 10, "last": 2}]


def test_the_reason_of_a_fault_has_whole_characters_only():
    thrown = (
        "const long = 'x'.repeat(291);\nfunction f(state, args) { throw args.late ? long + '\\u{1f600}' : '\\ud800'; }"
    )
    told = engine(thrown).batch(
        json.dumps(
            {"first": True, "base": 0, "scenario": "", "operations": [["read", "f", {}], ["read", "f", {"late": 1}]]}
        )
    )
    faults = [each[1:] for each in json.loads(told[1:])["done"]]
    assert faults == [["threw", "string: \ufffd"], ["threw", f"string: {'x' * 291}\ufffd"]]


SHELF = """
function f(state, args) { return {items: values(state.items).map((each) => each.n ?? each)}; }
function put(state, args) { for (const key in args) state.items[key] = args[key]; return {}; }
function drop(state, args) { delete state.items[args.key]; return {}; }
function both(state, args) { put(state, args); return f(state); }
"""


def test_records_stay_in_the_order_of_their_keys_after_any_changes():
    read = ["read", "f", {}]
    operations = [
        read,
        ["write", "put", {"b": {"n": 7}}],
        read,
        ["write", "put", {"bb": {"n": 8}}],
        read,
        ["write", "drop", {"key": "b"}],
        read,
        ["write", "put", {"a": 1, "z": 2}],
        read,
        ["write", "put", {"c": 3}],
        ["write", "drop", {"key": "a"}],
        read,
        ["write", "both", {"0": 4, "__proto__": 5}],
        read,
    ]
    made = engine(SHELF, ("f", "put", "drop", "both"), items={"c": {"n": 3}, "a": {"n": 1}, "b": {"n": 2}})
    told = [each["items"] for each in results(made, *operations) if each]
    assert told == [
        [1, 2, 3],
        [1, 7, 3],
        [1, 7, 8, 3],
        [1, 8, 3],
        [1, 8, 3, 2],
        [8, 3, 2],
        [4, 5, 8, 3, 2],
        [4, 5, 8, 3, 2],
    ]


@pytest.mark.parametrize(
    ("now", "seconds", "after"),
    [
        ("2026-02-28T23:59:50Z", [5, 4, 1], ["2026-02-28T23:59:55Z", "2026-02-28T23:59:59Z", "2026-03-01T00:00:00Z"]),
        ("2026-03-12", [1, 60], ["2026-03-12T00:00:01Z", "2026-03-12T00:01:01Z"]),
        ("2026-03-12T09:00:00.500Z", [1, 1], ["2026-03-12T09:00:01.500Z", "2026-03-12T09:00:02.500Z"]),
        (
            "9999-12-31T23:59:58Z",
            [1, 1, 1],
            ["9999-12-31T23:59:59Z", "+010000-01-01T00:00:00Z", "+010000-01-01T00:00:01Z"],
        ),
    ],
)
def test_time_advances_over_every_boundary(now, seconds, after):
    made = engine("function f(state) { return {now: state.now}; }", now=now)
    told = results(made, *(each for second in seconds for each in (second, ["read", "f", {}])))
    assert [each["now"] for each in told if each] == after


def test_minus_zero_is_zero_as_json_has_it():
    code = "function f(state, args) { if (args.n !== undefined) state.t.n = -args.n; return {ok: 1 / state.t.n > 0}; }"
    assert results(engine(code, t={"n": 1}), ["write", "f", {"n": 0}], ["read", "f", {}])[1] == {"ok": True}


def test_copies_can_be_changed_at_every_depth():
    code = """
function f(state) {
  const all = [clone(state.t.a), ...page(values(state.t)).items];
  for (const each of all) { each.n = 9; each.tags.push(1); each.deep.er.n = 9; each.rows[0].n = 9; }
  return {all, kept: state.t.a};
}"""
    record = {"n": 1, "tags": ["x"], "deep": {"er": {"n": 1}}, "rows": [{"n": 1}]}
    changed = {"n": 9, "tags": ["x", 1], "deep": {"er": {"n": 9}}, "rows": [{"n": 9}]}
    told = results(engine(code, t={"a": record}), ["read", "f", {}], ["read", "f", {}])
    assert told == [{"all": [changed, changed], "kept": record}] * 2
