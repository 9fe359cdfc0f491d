// Makes the engine's only realm safe for a world's code, then returns `run`. No world can reach this closure.
// Frozen: all built-in objects. Removed: time, randomness, compilation, proxies, shared or weakly held memory, promises.
(tablesOf, helpersOf) => {
  "use strict";
  const { parse, stringify } = JSON, compile = Function, sourceOf = Function.prototype.toString, moment = Date;
  const { keys, freeze, getPrototypeOf, getOwnPropertyDescriptor, defineProperty } = Object;
  const ownKeys = Reflect.ownKeys, isArray = Array.isArray, plainPrototype = Object.prototype;

  const KEPT = new Set(["Object", "Array", "String", "Number", "Boolean", "Symbol", "BigInt", "RegExp", "JSON", "Math", "Map", "Set",
    "Error", "EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError", "InternalError", "AggregateError",
    "parseInt", "parseFloat", "isNaN", "isFinite", "decodeURI", "decodeURIComponent", "encodeURI", "encodeURIComponent",
    "Infinity", "NaN", "undefined", "globalThis"]);
  const BEYOND = [["stack", /^Maximum call stack|^stack overflow/], ["memory", /^out of memory|^string too long/]];
  const FROZEN = /read-only|no setter|not extensible|could not delete|not configurable|nextId in a read/;
  const KINDS = [TypeError, RangeError, ReferenceError, SyntaxError, Error], EXHAUSTED = "object: null", DEPTH = 64, MOST_SCENARIOS = 8;

  const session = { base: 0, writing: false }, tables = tablesOf(), { functions, keeping } = helpersOf(tables, session), { Refusal } = tables;
  const scenarios = {}, made = new Map();           // events by scenario; compiled code of the last few
  let world, first, tool;

  // ---- what an operation answers, as JSON: ["r", changed tables, result], ["=", changed] for the wanted result, ["f", reason, detail]
  // Joined, not added: the Python binding cannot read the rope that adding long texts gives.
  function describe(error) {                        // [reason, detail]
    if (error instanceof Refusal) return [error.reason, error.detail];
    if (typeof error !== "object" || error === null) return ["threw", typeof error + ": " + String(error)];
    const own = getOwnPropertyDescriptor(error, "message"), message = own && typeof own.value === "string" ? own.value : "";
    for (const [reason, pattern] of BEYOND) if (pattern.test(message)) return [reason, message];
    if (error instanceof TypeError && FROZEN.test(message)) return ["frozen", message];
    const kind = KINDS.find((each) => error instanceof each);
    return ["threw", (kind ? kind.name : "object") + ": " + message];
  }
  function fault(reason, detail) { return ["f", reason, detail.slice(0, 300)]; }
  function spoils([kind, reason, detail]) {         // the next operation needs a new engine
    return kind === "f" && (reason === "memory" || reason === "stack" || detail === EXHAUSTED);
  }

  function invoke(name, state, given) {             // the result and its text
    const found = tool(name);
    if (typeof found !== "function") throw new Refusal("no_function", name);
    const value = found(state, given);
    if (typeof value !== "object" || value === null || isArray(value)) throw new Refusal("not_an_object", typeof value);
    const text = tables.json(value, "result_not_json", name);
    if (text[0] !== "{") throw new Refusal("result_not_json", name);
    if (text.length > world.limits.result) throw new Refusal("result_too_large", text.length + " characters");
    return [value, text];
  }
  function refuses(text) { return text.includes('"error"') && (parse(text).error ?? null) !== null; }
  function changing(act) {                          // `act` says whether its changes stay
    const { ids } = tables, state = tables.open();
    session.writing = true;
    try {
      if (act(state)) return tables.commit(state, world.limits.state);
      tables.ids = ids;
      return [];
    } catch (error) {
      tables.ids = ids;
      throw error;
    } finally {
      tables.close();
      session.writing = false;
    }
  }
  const OPERATIONS = {
    read(name, given) { return [invoke(name, tables.rows, given)[1], []]; },
    write(name, given) {
      let text;
      const changed = changing((state) => {
        const [value, told] = invoke(name, state, given);
        text = told;
        return keeping.has(value) || !refuses(text);
      });
      return [text, changed];
    },
    probe(name, given) {
      let text;
      changing((state) => { text = invoke(name, state, given)[1]; return false; });
      return [text, []];
    },
    event(name) {
      return ["null", changing((state) => { tool("event " + name)(state); return true; })];
    },
    advance(_, seconds) {
      if (!("now" in tables.rows)) return ["null", []];
      tables.replace("now", functions.addSeconds(tables.rows.now, seconds));
      return ["null", ["now"]];
    },
  };
  function operate(kind, name, given, wanted) {
    try {
      const [text, changed] = OPERATIONS[kind](name, given);
      return text === wanted ? ["=", stringify(changed)] : ["r", stringify(changed), text];
    } catch (error) {
      const [reason, detail] = describe(error);
      return ["f", reason, detail.slice(0, 300)];
    }
  }

  // ---- requests. An answer begins with "o"; with "x" if only a new engine can go on; with "r" if code does not load
  function batch({ first: again, base, scenario, operations, quiet }) {
    if (again) tables.tree = first;
    session.base = base;
    tool = compiled(scenario);
    const done = [], touched = new Set(), { ids } = tables;
    for (let i = 0; i < operations.length; i++) {
      const [kind, name, given, wanted] = operations[i], told = operate(kind, name, given, wanted);
      if (spoils(told)) return "x" + stringify(told.slice(1));
      if (!quiet && told[0] !== "f") for (const each of parse(told[1])) touched.add(each);
      done.push(told[0] === "f" ? stringify(told) : ['["', told[0], '",', told.slice(1).join(), "]"].join(""));
    }
    const state = quiet ? "" : [',"tables":', stringify(texts(touched)), ',"ids":', ids === tables.ids ? "null" : stringify(tables.ids)].join("");
    return ['o{"done":[', done.join(), "]", state, "}"].join("");
  }
  function texts(names) {
    const found = {};
    for (const name of names) found[name] = name in tables.rows ? stringify(tables.rows[name]) : null;
    return found;
  }
  // This engine compiles a body within braces without parsing it alone first, so a body could close them and run outside.
  // Then what comes out is not the whole text.
  function whole(parameter, body) {
    const code = "'use strict';\n" + body, made = compile(parameter, code);
    if (typeof made !== "function" || sourceOf.call(made) !== "function anonymous(" + parameter + "\n) {\n" + code + "\n}")
      throw new SyntaxError("a brace closes more than the code opened");
  }
  // The world's code runs again for each call, so nothing but the state lasts. It answers the function of the called tool.
  function code(events) {
    const tools = keys(world.tools).map((name) => "case " + stringify(name) + ": return typeof " + world.tools[name] + " === 'function' ? " + world.tools[name] + " : undefined;");
    const others = keys(events).map((name) => "case " + stringify("event " + name) + ": return function (state) {\n" + events[name] + "\n};");
    return "'use strict'; return (function () {\n" + world.code + "\nswitch ($called) {" + tools.join("\n") + others.join("\n") + "}\n}).call(undefined);";
  }
  function compiled(scenario) {
    const found = made.get(scenario) || compile("$called", code(scenarios[scenario]));
    made.delete(scenario);
    made.set(scenario, found);
    if (made.size > MOST_SCENARIOS) made.delete(made.keys().next().value);
    return found;
  }
  function load(given) {
    world = given;
    scenarios[""] = {};
    whole("", world.code);
    compiled("")("");
    tables.begin(world.start);
    first = tables.tree;
  }
  function scenario({ name, events, now }) {
    scenarios[name] = events;
    if (!now) return;
    for (const each in events) whole("state", events[each]);
    compiled(name)("");
  }
  function begin(state) { tables.begin(state); }
  const REQUESTS = { batch, begin, load, scenario };
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
