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
  const KINDS = [TypeError, RangeError, ReferenceError, SyntaxError, Error], EXHAUSTED = "object: null", NONE = [], NOW = ["now"], ISO = "2026-03-12T09:00:00Z";
  const AS_WANTED = "=", MOST_DETAIL = 300;

  const session = { base: 0, writing: false }, tables = tablesOf(), code = codeOf(), { functions, keeping } = helpersOf(tables, session), { Refusal } = tables;
  const scenarios = {};                             // events by scenario
  let world, first, tool, failed;
  let clock;                                        // the last time that `advance` wrote, if its seconds are where ISO has them

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
    const { now } = tables.rows;
    if (now === undefined) return;
    const passed = now === clock ? +now.slice(17, 19) + seconds : 60;
    clock = passed < 60 ? now.slice(0, 17) + (passed < 10 ? "0" : "") + passed + "Z" : functions.addSeconds(now, seconds);
    tables.replace("now", clock);
    if (clock.length !== ISO.length) clock = undefined;
    changed = NOW;
  }
  function describe(error) {                        // [reason, detail], the latter of whole characters, so that everything can keep it
    const [reason, detail] = reasonOf(error);
    return [reason, detail.slice(0, MOST_DETAIL).toWellFormed()];
  }
  function reasonOf(error) {
    if (error instanceof Refusal) return [error.reason, error.detail];
    if (typeof error !== "object" || error === null) return ["threw", typeof error + ": " + String(error)];
    const own = getOwnPropertyDescriptor(error, "message"), message = own && typeof own.value === "string" ? own.value : "";
    for (const [reason, pattern] of BEYOND) if (pattern.test(message)) return [reason, message];
    if (error instanceof TypeError && FROZEN.test(message)) return ["frozen", message];
    const kind = KINDS.find((each) => error instanceof each);
    return ["threw", (kind ? kind.name : "object") + ": " + message];
  }
  // As JSON: ["r", changed tables, result], ["f", reason, detail], or AS_WANTED. Undefined: only a new engine can go on.
  function operate(operation, wanted) {             // [kind, name, arguments], or the seconds by which time advances
    text = "null"; changed = NONE;
    try {
      if (typeof operation === "number") advance(operation);
      else if (operation[0] === "read") invoke(operation[1], tables.rows, operation[2]);
      else change(operation[0], operation[1], operation[2]);
    } catch (error) {
      const [reason, detail] = describe(error);
      failed = stringify([reason, detail]);
      return reason === "memory" || reason === "stack" || detail === EXHAUSTED ? undefined : '["f",' + failed.slice(1);
    }
    if (text === wanted) return AS_WANTED;
    const names = changed === NONE ? "[]" : stringify(changed);
    return '["r",' + names + "," + text + "]";
  }

  // ---- requests. An answer begins with "o"; with "x" if only a new engine can go on; with "r" if code does not load.
  // Long texts are joined in the end, not added: the Python binding cannot read the ropes that adding gives.
  function begun({ first: again, base, scenario }) {
    if (again) tables.tree = first;
    session.base = base;
    tool = code.of(scenario, scenarios[scenario]);
  }
  function batch(text) {
    const { operations, ...head } = parse(text), done = [], touched = new Set();
    begun(head);
    const { ids } = tables;
    for (let i = 0; i < operations.length; i++) {
      const told = operate(operations[i], undefined);
      if (told === undefined) return "x" + failed;
      done[i] = told;
      for (let j = 0; j < changed.length; j++) touched.add(changed[j]);
    }
    return ['o{"done":[', done.join(), '],"tables":', stringify(texts(touched)), ',"ids":', ids === tables.ids ? "null" : stringify(tables.ids), "}"].join("");
  }
  function texts(names) {
    const found = {};
    for (const name of names) found[name] = name in tables.rows ? stringify(tables.rows[name]) : null;
    return found;
  }
  function load(text) {
    world = parse(text);
    scenarios[""] = {};
    code.load(world);
    tables.begin(world.start);
    first = tables.tree;
  }
  function scenario(text) {
    const { name, events, now } = parse(text);
    scenarios[name] = events;
    if (!now) return;
    code.check(events);
    code.of(name, events)("");
  }
  function begin(text) { tables.begin(parse(text)); }
  // JSON of replays, each [where it begins, operations], then a text after a tab for each operation: the wanted result, or none. Of a replay whose
  // results are those that it wants, nothing comes back.
  function replays(text) {
    const parts = text.split("\t"), asked = parse(parts[0]), told = [];
    let at = 1;
    for (let i = 0; i < asked.length; i++) {
      const [head, operations] = asked[i], done = [];
      let equal = true;
      begun(head);
      for (let j = 0; j < operations.length; j++) {
        const wanted = parts[at++], each = operate(operations[j], wanted || "null");
        if (each === undefined) return "x" + failed;
        if (each !== AS_WANTED) equal = false;
        done[j] = each === AS_WANTED ? changed : each;
      }
      told[i] = equal && !head.every ? "0" : ["[", done.map((each) => (typeof each === "string" ? each : '["=",' + stringify(each) + "]")).join(), "]"].join("");
    }
    return ["o[", told.join(), "]"].join("");
  }
  const REQUESTS = { batch, replays, begin, load, scenario };
  function run(kind, text) {
    try {
      return REQUESTS[kind](text) || "o";
    } catch (error) {
      return (kind === "load" || kind === "scenario" ? "r" : "x") + stringify(describe(error));
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
