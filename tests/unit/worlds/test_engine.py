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


def engine(code):
    limits = Limits().model_dump()
    made = Engine(
        json.dumps({"code": code, "tools": {"f": "f"}, "limits": limits, "start": {"tables": {}, "ids": {}}}), quickjs
    )
    assert made.load() == "o"
    return made


def results(made, *operations):
    told = made.batch(json.dumps({"first": True, "base": 0, "scenario": "", "quiet": True, "operations": operations}))
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
