// The state of a world: an immutable tree of JSON. Reads get the tree itself, frozen. Writes get layers over it: a layer copies the keys of one
// object when that is first used, and notes the keys that change. Only what was noted is checked, copied and put into the next tree, so a call costs
// what it touches, and nothing that is no JSON can last.
() => {
  "use strict";
  const { parse, stringify } = JSON, { keys, values, freeze, getPrototypeOf } = Object, { set, defineProperty, deleteProperty } = Reflect;
  const isArray = Array.isArray, Surrogate = Proxy, plainPrototype = Object.prototype, owns = plainPrototype.propertyIsEnumerable, DEPTH = 64, TABLE = 64, RECORD = 63;
  const layers = new Map();
  const nested = new WeakMap();                     // of records of the tree, names of what is no plain value in them; null: not known yet
  const sorted = new WeakMap();                     // of tables of the tree, names and records in the order of names; null: not known yet; or how they
                                                    // follow from those of the table before

  let rows, ids;                                    // the tree: tables by name; counters of `nextId`
  let size;                                         // no fewer characters than the JSON of all tables has
  let place, characters, parts;                     // the table that is looked at; what a write added

  class Refusal { constructor(reason, detail) { this.reason = reason; this.detail = detail; } }
  const isObject = (value) => typeof value === "object" && value !== null;

  // ---- whether JSON keeps it, and every reader: no Map, Promise, function, NaN, half of a character, or endless nesting
  function proper(object) { const prototype = getPrototypeOf(object); return prototype === plainPrototype || prototype === null; }
  function plain(value, depth) {                    // a getter may lie here, but only the text is ever used
    if (!isArray(value) && !proper(value)) return false;
    const list = isArray(value) ? value : values(value);
    for (let i = 0; i < list.length; i++) {
      const each = list[i], kind = typeof each;
      if (kind === "string" || kind === "boolean" || each === null || each === undefined) continue;
      if (kind === "number" ? each - each === 0 : kind === "object" && depth > 0 && plain(each, depth - 1)) continue;
      return false;
    }
    return true;
  }
  function whole(value) {                           // no half of a character, in keys neither
    if (typeof value === "string") return value.isWellFormed();
    for (const key in isObject(value) ? value : {}) if (!(key.isWellFormed() && whole(value[key]))) return false;
    return true;
  }
  function json(value, reason, detail) {
    const text = plain(value, DEPTH) ? stringify(value) : undefined;
    if (text === undefined || (text.includes("\\ud") && !whole(parse(text)))) throw new Refusal(reason, detail);
    return text;
  }

  // ---- layers. The target has what the world's code would see in a copy: values of the base, until they are first read
  class Layer {
    constructor(base, parent, key) {
      this.base = base; this.parent = parent; this.key = key;
      this.target = isArray(base) ? base.slice() : { ...base };
      this.noted = null;
    }
    get(target, key) {
      const value = target[key];
      return typeof value !== "object" || value === null || value !== this.base[key] ? value : (target[key] = opened(value, this, key));
    }
    set(target, key, value, receiver) {             // the engine refuses a new length of an array if only `defineProperty` is told
      if (!layers.has(receiver)) return set(target, key, value, receiver);
      this.note(key);
      target[key] = value;
      return true;
    }
    defineProperty(target, key, property) { this.note(key); return defineProperty(target, key, property); }
    deleteProperty(target, key) { this.note(key); return deleteProperty(target, key); }
    note(key) {
      if (!this.noted) { this.noted = new Set(); this.parent?.note(this.key); }
      this.noted.add(key);
    }
  }
  function opened(base, parent, key) {
    const layer = new Layer(base, parent, key), proxy = new Surrogate(layer.target, layer);
    layers.set(proxy, layer);
    return proxy;
  }
  function raw(value) { return layers.get(value)?.target ?? value; }  // faster to list, and equal
  function open() { return opened(rows, null, ""); }
  function close() {                                // breaks cycles, which would stay until the engine's next collection
    for (const layer of layers.values()) layer.parent = null;
    layers.clear();
  }

  // ---- from layers to the next tree
  function refuse() { throw new Refusal("state_not_json", place); }
  function frozen(value, depth) {                   // a copy of what a write left; undefined: JSON has none
    parts++;
    if (typeof value === "string") { characters += value.length; return value.isWellFormed() ? value : refuse(); }
    if (typeof value === "boolean" || value === null || value === undefined) return value;
    if (typeof value === "number" && value - value === 0) return value + 0;  // JSON has no -0
    if (typeof value !== "object" || depth < 0 || !(isArray(value) || proper(value))) refuse();
    const made = isArray(value) ? [] : {};
    if (isArray(value)) for (let i = 0; i < value.length; i++) made[i] = frozen(value[i], depth - 1) ?? null;
    else for (const key in value) put(made, key, frozen(value[key], depth - 1));
    return freeze(made);
  }
  function put(made, key, value) {
    if (!key.isWellFormed()) refuse();
    characters += key.length;
    if (value === undefined) delete made[key]; else made[key] = value;
  }
  function next(layer, key, depth) {                // the value before if they are equal, so that only changes are changes
    const { base, target } = layer, before = base[key], now = owns.call(target, key) ? target[key] : undefined;
    if (now === before) return before;
    const own = layers.get(now);
    if (own && own.parent === layer) return own.noted ? settled(own, depth) : own.base;
    const made = frozen(now, depth);
    return same(made, before) ? before : made;
  }
  function same(one, other) {                       // of the tree
    if (one === other || !isObject(one) || !isObject(other) || isArray(one) !== isArray(other)) return one === other;
    const names = keys(one), others = keys(other);
    if (names.length !== others.length) return false;
    for (let i = 0; i < names.length; i++) if (names[i] !== others[i] || !same(one[names[i]], other[names[i]])) return false;
    return true;
  }
  function settled(layer, depth) {                  // of a layer that noted changes: the base if there are none
    if (isArray(layer.base)) return list(layer, depth - 1);
    return proper(layer.target) ? object(layer, depth - 1) : refuse();
  }
  function list(layer, depth) {
    const { base, target } = layer, made = [];
    let changed = target.length !== base.length;
    for (let i = 0; i < target.length; i++) {
      made[i] = next(layer, i, depth) ?? null;
      changed ||= made[i] !== base[i];
    }
    return changed ? freeze(made) : base;
  }
  function object(layer, depth) {
    const { base } = layer, made = { ...base };
    let changed = false, order = null;
    for (const key of layer.noted) {
      const now = typeof key === "string" ? next(layer, key, depth) : undefined;
      if (now === base[key]) continue;
      put(made, key, now);
      if (depth === RECORD) {
        if (isObject(now)) nested.set(now, null);
        order = changed ? null : { before: sorted.get(base), key, now };
      }
      changed = true;
    }
    if (changed && depth === RECORD) sorted.set(made, order?.before?.records ? order : null);
    return changed ? freeze(made) : base;
  }
  function commit(state, most) {                    // names of the tables that changed
    const changed = [], layer = layers.get(state), made = { ...rows };
    characters = parts = 0;
    for (const name of layer.noted ?? []) {
      place = String(name);
      if (typeof name === "symbol" && owns.call(layer.target, name)) refuse();
      const now = typeof name === "string" ? next(layer, name, TABLE) : undefined;
      if (now === rows[name]) continue;
      put(made, name, now);
      if (isObject(now) && !sorted.has(now)) sorted.set(now, null);
      changed.push(name);
    }
    if (!changed.length) return changed;
    let length = size + 6 * characters + 32 * parts;
    if (length > most && (length = measured(made)) > most) throw new Refusal("state_too_large", length + " characters");
    rows = freeze(made); size = length;
    return changed;
  }

  // ---- the tree, from and to texts
  function measured(tables) {
    let length = 0;
    for (const name in tables) length += stringify(tables[name]).length;
    return length;
  }
  function begin(given) {
    place = ""; rows = {}; ids = given.ids;
    for (const name in given.tables) {
      rows[name] = frozen(parse(given.tables[name]), TABLE);
      if (!isObject(rows[name])) continue;
      sorted.set(rows[name], null);
      for (const key in rows[name]) if (isObject(rows[name][key])) nested.set(rows[name][key], null);
    }
    size = measured(freeze(rows));
  }
  function replace(name, text) { rows = freeze({ ...rows, [name]: text }); size += 64; }
  function recordsOf(table) {                       // sorted by key, which is done once for a table of the tree
    if (sorted.has(table)) return ordered(table).records.slice();
    const layer = layers.get(table), names = layer && !layer.noted ? ordered(layer.base).names : keys(raw(table)).sort(), found = [];
    for (let i = 0; i < names.length; i++) found[i] = table[names[i]];
    return found;
  }
  function ordered(table) {
    const known = sorted.get(table);
    if (known?.records) return known;
    const made = known ? reordered(known.before, known.key, known.now) : fresh(table);
    if (known !== undefined) sorted.set(table, made);
    return made;
  }
  function fresh(table) {
    const names = keys(table).sort(), records = [];
    for (let i = 0; i < names.length; i++) records[i] = table[names[i]];
    return { names, records };
  }
  function reordered({ names, records }, key, record) {  // with one record added, replaced, or (undefined) removed
    let low = 0, high = names.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (names[middle] < key) low = middle + 1; else high = middle;
    }
    const there = names[low] === key;
    if (record === undefined) return { names: names.toSpliced(low, 1), records: records.toSpliced(low, 1) };
    return there ? { names, records: records.with(low, record) } : { names: names.toSpliced(low, 0, key), records: records.toSpliced(low, 0, record) };
  }
  function copied(value) {
    let inner = nested.get(value);
    if (inner === undefined) return parse(stringify([raw(value)]))[0];
    if (inner === null) {
      inner = keys(value).filter((key) => isObject(value[key]));
      nested.set(value, inner);
    }
    const made = isArray(value) ? value.slice() : { ...value };
    for (let i = 0; i < inner.length; i++) made[inner[i]] = duplicate(value[inner[i]]);
    return made;
  }
  function duplicate(value) {                       // of the tree
    if (!isArray(value)) return parse(stringify(value));
    for (let i = 0; i < value.length; i++) if (isObject(value[i])) return parse(stringify(value));
    return value.slice();
  }
  return {
    Refusal, begin, close, commit, copied, json, open, recordsOf, replace,
    get rows() { return rows; },
    get ids() { return ids; },
    set ids(given) { ids = given; },
    get tree() { return { rows, ids, size }; },
    set tree(given) { ({ rows, ids, size } = given); },
  };
}
