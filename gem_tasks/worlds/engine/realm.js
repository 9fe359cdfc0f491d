// Makes the engine's only realm safe for a world's code, then returns `run`. No world can reach this closure.
// Frozen: all built-in objects. Removed: time, randomness, compilation, proxies, shared or weakly held memory, promises.
(function () {
  "use strict";
  const { parse, stringify } = JSON, compile = Function, sourceOf = Function.prototype.toString, moment = Date, { max, min, floor } = Math;
  const { keys, freeze, getPrototypeOf, getOwnPropertyDescriptor, defineProperty } = Object;
  const ownKeys = Reflect.ownKeys, isArray = Array.isArray, plainPrototype = Object.prototype;

  const KEPT = new Set(["Object", "Array", "String", "Number", "Boolean", "Symbol", "BigInt", "RegExp", "JSON", "Math", "Map", "Set",
    "Error", "EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError", "InternalError", "AggregateError",
    "parseInt", "parseFloat", "isNaN", "isFinite", "decodeURI", "decodeURIComponent", "encodeURI", "encodeURIComponent",
    "Infinity", "NaN", "undefined", "globalThis"]);
  const BEYOND = [["stack", /^Maximum call stack|^stack overflow/], ["memory", /^out of memory|^string too long/]];
  const FROZEN = /read-only|no setter|not extensible|could not delete|not configurable|nextId in a read/;
  const KINDS = [TypeError, RangeError, ReferenceError, SyntaxError, Error], DEPTH = 64;

  // ---- the session: texts of the tables, frozen copies, counters of ids, and whether the running call may write
  let factory, texts, ices, view, ids, limits, writing, base;

  function ice(value) {
    if (typeof value !== "object" || value === null) return value;
    for (const key of keys(value)) ice(value[key]);
    return freeze(value);
  }
  function frozen(table) { return ices[table] || (ices[table] = [ice(parse(texts[table]))]); }
  function readable() {
    if (view) return view;
    const state = {};
    for (const table in texts) defineProperty(state, table, { get: () => frozen(table)[0], enumerable: true });
    return (view = freeze(state));
  }
  // Tables are copied when a write first uses them; `fresh` says which it did not use.
  function writable() {
    const state = {}, getters = {};
    for (const table in texts) {
      const set = (value) => { defineProperty(state, table, { value, writable: true, enumerable: true, configurable: true }); return value; };
      getters[table] = () => set(parse(texts[table]));
      defineProperty(state, table, { get: getters[table], set, enumerable: true, configurable: true });
    }
    const fresh = (table) => table in getters && getOwnPropertyDescriptor(state, table)?.get === getters[table];
    return { state, fresh };
  }

  // ---- helpers for a world's code
  const HELPERS = {
    fail(code, message) { return { error: { code, message } }; },
    clone(value) { return value === undefined ? undefined : parse(stringify(value)); },
    values(table) { return keys(table).sort().map((key) => table[key]); },
    addSeconds(iso, seconds) { return new moment(moment.parse(iso) + seconds * 1000).toISOString().replace(".000Z", "Z"); },
    filterBy(rows, where) { return rows.filter((row) => keys(where).every((key) => where[key] === undefined || row[key] === where[key])); },
    sortBy(rows, ...fields) {
      const order = (a, b) => (a === b ? 0 : a === undefined || a === null ? 1 : b === undefined || b === null ? -1 : a < b ? -1 : 1);
      const by = (field, a, b) => (field[0] === "-" ? order(b[field.slice(1)], a[field.slice(1)]) : order(a[field], b[field]));
      return rows.slice().sort((a, b) => fields.reduce((found, field) => found || by(field, a, b), 0));
    },
    page(rows, { limit = 20, offset = 0, most = 100 } = {}) {
      const start = max(0, floor(offset)), end = start + min(max(1, floor(limit)), most);
      return { items: parse(stringify(rows.slice(start, end))), total: rows.length, next_offset: end < rows.length ? end : null };
    },
    nextId(state, prefix) {
      if (!writing) throw new TypeError("nextId in a read");
      prefix = String(prefix);
      const kind = ids[prefix] || (ids[prefix] = { format: prefix + "-{n:4}", next: startOf(prefix), step: 1 });
      const number = kind.next;
      kind.next += kind.step;
      return kind.format.replace(/\{(n|hex)(?::(\d+))?\}/, (_, form, width) => number.toString(form === "hex" ? 16 : 10).padStart(+width || 0, "0"));
    },
  };
  function startOf(prefix) {                        // a base per world and prefix, so that no number is a fingerprint
    let hash = base;
    for (let i = 0; i < prefix.length; i++) hash = (hash * 31 + prefix.charCodeAt(i)) % 1000003;
    return 1000 + (hash % 8000);
  }

  // ---- what a call answers: "r" result, "w" [result, changed tables, ids], "f" [reason, detail]
  // Joined, not added: the Python binding cannot read the rope that adding long texts gives.
  function answer(kind, text) { return [kind, text].join(""); }
  function fault(reason, detail) { return answer("f", stringify([reason, detail.slice(0, 300)])); }
  function describe(error) {
    if (typeof error !== "object" || error === null) return fault("threw", typeof error + ": " + String(error));
    const own = getOwnPropertyDescriptor(error, "message"), message = own && typeof own.value === "string" ? own.value : "";
    for (const [reason, pattern] of BEYOND) if (pattern.test(message)) return fault(reason, message);
    if (error instanceof TypeError && FROZEN.test(message)) return fault("frozen", message);
    const kind = KINDS.find((each) => error instanceof each);
    return fault("threw", (kind ? kind.name : "object") + ": " + message);
  }
  // Whether JSON keeps it, and every reader: no Map, Promise, function, NaN, half of a character, or endless nesting.
  // A getter may lie here, but only its text is ever used.
  function plain(value, depth = 0) {
    if (typeof value === "string") return value.isWellFormed();
    if (typeof value === "number") return isFinite(value);
    if (typeof value !== "object" || value === null) return typeof value === "boolean" || !value;
    if (depth > DEPTH) return false;
    if (isArray(value)) { for (let i = 0; i < value.length; i++) if (!plain(value[i], depth + 1)) return false; return true; }
    const prototype = getPrototypeOf(value);
    if (prototype !== null && prototype !== plainPrototype) return false;
    for (const key of keys(value)) if (!(key.isWellFormed() && plain(value[key], depth + 1))) return false;
    return true;
  }
  function refused(text) { return text.includes('"error"') && (parse(text).error ?? null) !== null; }

  function invoke(group, name, state, given) {
    const found = factory()[group][name];
    if (typeof found !== "function") return [fault("no_function", name)];
    const value = found(state, given);
    if (group === "events") return [null, "{}"];
    if (typeof value !== "object" || value === null || isArray(value)) return [fault("not_an_object", typeof value)];
    if (!plain(value)) return [fault("result_not_json", name)];
    const text = stringify(value);
    if (text === undefined || text[0] !== "{") return [fault("result_not_json", name)];
    if (text.length > limits.result) return [fault("result_too_large", text.length + " characters")];
    return [null, text];
  }
  function read(name, given) {
    writing = false;
    const [bad, text] = invoke("tools", name, readable(), given);
    return bad || answer("r", text);
  }
  function write(group, name, given, commits) {
    writing = true;
    const kept = stringify(ids), { state, fresh } = writable();
    const undo = (told) => { ids = parse(kept); return told; };
    try {
      const [bad, text] = invoke(group, name, state, given);
      if (bad) return undo(bad);
      if (!commits || (group === "tools" && refused(text))) return undo(answer("r", text));
      const changed = changes(state, fresh);
      if (typeof changed === "string") return undo(changed);
      commit(changed);
      return answer("w", stringify([text, changed, kept === stringify(ids) ? null : ids]));
    } catch (error) {
      return undo(describe(error));
    }
  }
  function changes(state, fresh) {
    const changed = {}, present = ownKeys(state);
    let size = 0;
    for (const table of present) {
      if (typeof table !== "string") return fault("state_not_json", "a symbol");
      const unused = fresh(table);
      if (!unused && !plain(state[table])) return fault("state_not_json", table);
      const text = unused ? texts[table] : stringify(state[table]);
      if (text === undefined) return fault("state_not_json", table);
      size += text.length;
      if (text !== texts[table]) changed[table] = text;
    }
    if (size > limits.state) return fault("state_too_large", size + " characters");
    for (const table in texts) if (!present.includes(table)) changed[table] = null;
    return changed;
  }
  function commit(changed) {
    view = null;
    for (const table in changed) {
      delete ices[table];
      if (changed[table] === null) delete texts[table]; else texts[table] = changed[table];
    }
  }
  function begin(snapshot) {
    const given = parse(snapshot);
    texts = given.tables; ids = given.ids; ices = {}; view = null;
    return "";
  }
  function advance(seconds) {
    if (!("now" in texts)) return "r{}";
    const changed = {};
    changed.now = stringify(HELPERS.addSeconds(parse(texts.now), seconds));
    commit(changed);
    return answer("w", stringify(["{}", changed, null]));
  }
  function run(kind, name, given) {
    try {
      if (kind === "load") return load(given);
      if (kind === "begin") return begin(given);
      if (kind === "advance") return advance(+given);
      if (kind === "event") return write("events", name, undefined, true);
      const args = parse(given);
      return kind === "read" ? read(name, args) : write("tools", name, args, kind === "write");
    } catch (error) {
      return describe(error);
    }
  }
  // This engine compiles a body within braces without parsing it alone first, so a body could close them and run outside.
  // Then what comes out is not the whole text.
  function whole(parameter, body) {
    const code = "'use strict';\n" + body, made = compile(parameter, code);
    if (typeof made !== "function" || sourceOf.call(made) !== "function anonymous(" + parameter + "\n) {\n" + code + "\n}")
      throw new SyntaxError("a brace closes more than the code opened");
  }
  function load(text) {
    const world = parse(text);
    limits = world.limits; base = world.base;
    const named = (name) => stringify(name) + ": typeof " + name + " === 'function' ? " + name + " : undefined";
    const event = (name) => stringify(name) + ": function (state) {\n" + world.events[name] + "\n}";
    try {
      whole("", world.code);
      for (const name in world.events) whole("state", world.events[name]);
      factory = compile("'use strict'; return (function () {\n" + world.code + "\nreturn {tools: {" + world.tools.map(named).join() +
        "}, events: {" + keys(world.events).map(event).join() + "}};\n}).call(undefined);");
      factory();
    } catch (error) {
      return describe(error);
    }
    return "";
  }

  // ---- lockdown
  function functions() {
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
  for (const prototype of functions()) defineProperty(prototype, "constructor", { value: undefined });
  delete Math.random;
  for (const key of ownKeys(plainPrototype)) delete plainPrototype[key];  // a table has no `constructor`, and needs no null prototype
  for (const key of ownKeys(globalThis)) if (typeof key === "symbol" || !KEPT.has(key)) delete globalThis[key];
  for (const name in HELPERS) globalThis[name] = HELPERS[name];
  lock([globalThis, ...functions(), ...iterators(), compile, moment]);
  return run;
})()
