// Makes the engine's only realm safe for a world's code, then returns `run`. No world can reach this closure.
// Frozen: all built-in objects. Removed: time, randomness, compilation, proxies, shared or weakly held memory, promises.
(tablesOf, helpersOf, codeOf) => {
  "use strict";
  const { parse, stringify } = JSON, compile = Function, moment = Date;
  const { keys, freeze, getPrototypeOf, getOwnPropertyDescriptor, defineProperty } = Object;
  const ownKeys = Reflect.ownKeys, isArray = Array.isArray, plainPrototype = Object.prototype;

  const KEPT = new Set(["Object", "Array", "String", "Number", "Boolean", "Symbol", "BigInt", "RegExp", "JSON", "Math", "Map", "Set",
    "Error", "EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError", "InternalError", "AggregateError",
    "parseInt", "parseFloat", "isNaN", "isFinite", "decodeURI", "decodeURIComponent", "encodeURI", "encodeURIComponent",
    "Infinity", "NaN", "undefined", "globalThis"]);
  const BEYOND = [["stack", /^Maximum call stack|^stack overflow/], ["memory", /^out of memory|^string too long/]];
  const FROZEN = /read-only|no setter|not extensible|could not delete|not configurable|nextId in a read/;
  const KINDS = [TypeError, RangeError, ReferenceError, SyntaxError, Error], EXHAUSTED = "object: null", NONE = [];

  const session = { base: 0, writing: false }, tables = tablesOf(), code = codeOf(), { functions, keeping } = helpersOf(tables, session), { Refusal } = tables;
  const scenarios = {};                             // events by scenario
  let world, first, tool, failed;

  // ---- operations. They leave the text of the result, and the names of changed tables
  let text, changed;
  function invoke(name, state, given) {
    const found = tool(name);
    if (typeof found !== "function") throw new Refusal("no_function", name);
    const value = found(state, given);
    if (typeof value !== "object" || value === null || isArray(value)) throw new Refusal("not_an_object", typeof value);
    text = tables.json(value, "result_not_json", name);
    if (text[0] !== "{") throw new Refusal("result_not_json", name);
    if (text.length > world.limits.result) throw new Refusal("result_too_large", text.length + " characters");
    return value;
  }
  function refuses() { return text.includes('"error"') && (parse(text).error ?? null) !== null; }
  function change(kind, name, given) {
    const { ids } = tables, state = tables.open();
    let stays = false, value;
    session.writing = true;
    try {
      if (kind === "event") tool("event " + name)(state);
      else value = invoke(name, state, given);
      if (kind === "probe" || (kind === "write" && refuses() && !keeping.has(value))) return;
      changed = tables.commit(state, world.limits.state);
      stays = true;
    } finally {
      tables.close();
      session.writing = false;
      if (!stays) tables.ids = ids;
    }
  }
  function advance(seconds) {
    if (!("now" in tables.rows)) return;
    tables.replace("now", functions.addSeconds(tables.rows.now, seconds));
    changed = ["now"];
  }
  function describe(error) {                        // [reason, detail]
    if (error instanceof Refusal) return [error.reason, error.detail];
    if (typeof error !== "object" || error === null) return ["threw", typeof error + ": " + String(error)];
    const own = getOwnPropertyDescriptor(error, "message"), message = own && typeof own.value === "string" ? own.value : "";
    for (const [reason, pattern] of BEYOND) if (pattern.test(message)) return [reason, message];
    if (error instanceof TypeError && FROZEN.test(message)) return ["frozen", message];
    const kind = KINDS.find((each) => error instanceof each);
    return ["threw", (kind ? kind.name : "object") + ": " + message];
  }
  // As JSON: ["r", changed tables, result], ["=", changed] for the wanted result, ["f", reason, detail]. Undefined: only a new engine can go on.
  function operate(kind, name, given, wanted) {
    text = "null"; changed = NONE;
    try {
      if (kind === "read") invoke(name, tables.rows, given);
      else if (kind === "advance") advance(given);
      else change(kind, name, given);
    } catch (error) {
      const [reason, detail] = describe(error);
      failed = stringify([reason, detail.slice(0, 300)]);
      return reason === "memory" || reason === "stack" || detail === EXHAUSTED ? undefined : '["f",' + failed.slice(1);
    }
    const names = changed === NONE ? "[]" : stringify(changed);
    return text === wanted ? '["=",' + names + "]" : '["r",' + names + "," + text + "]";
  }

  // ---- requests. An answer begins with "o"; with "x" if only a new engine can go on; with "r" if code does not load.
  // Long texts are joined in the end, not added: the Python binding cannot read the ropes that adding gives.
  function batch({ first: again, base, scenario, operations, quiet }) {
    if (again) tables.tree = first;
    session.base = base;
    tool = code.of(scenario, scenarios[scenario]);
    const done = [], touched = new Set(), { ids } = tables;
    for (let i = 0; i < operations.length; i++) {
      const each = operations[i], told = operate(each[0], each[1], each[2], each[3]);
      if (told === undefined) return "x" + failed;
      done[i] = told;
      if (!quiet && changed !== NONE) for (const name of changed) touched.add(name);
    }
    const state = quiet ? "" : [',"tables":', stringify(texts(touched)), ',"ids":', ids === tables.ids ? "null" : stringify(tables.ids)].join("");
    return ['o{"done":[', done.join(), "]", state, "}"].join("");
  }
  function texts(names) {
    const found = {};
    for (const name of names) found[name] = name in tables.rows ? stringify(tables.rows[name]) : null;
    return found;
  }
  function load(given) {
    world = given;
    scenarios[""] = {};
    code.load(world);
    tables.begin(world.start);
    first = tables.tree;
  }
  function scenario({ name, events, now }) {
    scenarios[name] = events;
    if (!now) return;
    code.check(events);
    code.of(name, events)("");
  }
  function begin(state) { tables.begin(state); }
  function many(batches) {                          // all of them, or none
    const told = [];
    for (const each of batches) if ((told[told.length] = batch(each))[0] === "x") return told.pop();
    return ["o[", told.map((each) => each.slice(1)).join(), "]"].join("");
  }
  const REQUESTS = { batch, many, begin, load, scenario };
  function run(kind, text) {
    try {
      return REQUESTS[kind](parse(text)) || "o";
    } catch (error) {
      return (kind === "batch" ? "x" : "r") + stringify(describe(error));
    }
  }

  // ---- lockdown
  function languages() {
    return [function* () {}, async function () {}, async function* () {}, function () {}].map(getPrototypeOf);
  }
  function iterators() {
    return [[][Symbol.iterator](), ""[Symbol.iterator](), new Map().entries(), new Set().entries(), "a".matchAll(/a/g), (function* () {})()];
  }
  function lock(roots) {
    const seen = new Set(), open = roots.slice();
    while (open.length) {
      const each = open.pop();
      if ((typeof each !== "object" && typeof each !== "function") || each === null || seen.has(each)) continue;
      seen.add(each);
      open.push(getPrototypeOf(each));
      for (const key of ownKeys(each)) {
        const property = getOwnPropertyDescriptor(each, key);
        open.push(property.value, property.get, property.set);
      }
      freeze(each);
    }
  }
  for (const prototype of languages()) defineProperty(prototype, "constructor", { value: undefined });
  delete Math.random;
  for (const key of ownKeys(plainPrototype)) delete plainPrototype[key];  // a table has no `constructor`, and needs no null prototype
  for (const key of ownKeys(globalThis)) if (typeof key === "symbol" || !KEPT.has(key)) delete globalThis[key];
  for (const name in functions) globalThis[name] = functions[name];
  lock([globalThis, ...languages(), ...iterators(), compile, moment]);
  return run;
}
