// Functions that a world's code may use. `session.base` decides where numbers begin; `session.writing` whether the running call may count.
(tables, session) => {
  "use strict";
  const { keys } = Object, moment = Date, { max, min, floor } = Math, { copied } = tables;
  const keeping = new WeakSet();                    // errors whose changes stay

  function order(a, b) { return a === b ? 0 : a === undefined || a === null ? 1 : b === undefined || b === null ? -1 : a < b ? -1 : 1; }
  function startOf(prefix) {                        // a base per world and prefix, so that no number is a fingerprint
    let hash = session.base;
    for (let i = 0; i < prefix.length; i++) hash = (hash * 31 + prefix.charCodeAt(i)) % 1000003;
    return 1000 + (hash % 8000);
  }
  function comparer(field) {
    if (typeof field !== "string") return (a, b) => (field[0] === "-" ? order(b[field.slice(1)], a[field.slice(1)]) : order(a[field], b[field]));
    const name = field.slice(1);
    return field[0] === "-" ? (a, b) => order(b[name], a[name]) : (a, b) => order(a[field], b[field]);
  }
  const functions = {
    fail(code, message) { return { error: { code, message } }; },
    failKeeping(code, message) {
      const made = { error: { code, message } };
      keeping.add(made);
      return made;
    },
    clone(value) { return value === undefined ? undefined : copied(value); },
    values(table) { return tables.recordsOf(table); },
    addSeconds(iso, seconds) { return new moment(moment.parse(iso) + seconds * 1000).toISOString().replace(".000Z", "Z"); },
    filterBy(rows, where) {
      const names = keys(where).filter((name) => where[name] !== undefined), wanted = names.map((name) => where[name]);
      const first = names[0], second = names[1], one = wanted[0], two = wanted[1];
      if (names.length === 1) return rows.filter((row) => row[first] === one);
      if (names.length === 2) return rows.filter((row) => row[first] === one && row[second] === two);
      return rows.filter((row) => {
        for (let i = 0; i < names.length; i++) if (row[names[i]] !== wanted[i]) return false;
        return true;
      });
    },
    sortBy(rows, ...fields) {
      const by = fields.map(comparer);
      if (by.length === 1) return rows.slice().sort(by[0]);
      return rows.slice().sort((a, b) => by.reduce((found, compare) => found || compare(a, b), 0));
    },
    page(rows, { limit = 20, offset = 0, most = 100 } = {}) {
      const start = max(0, floor(offset)), end = start + min(max(1, floor(limit)), most);
      return { items: rows.slice(start, end).map(copied), total: rows.length, next_offset: end < rows.length ? end : null };
    },
    nextId(state, prefix) {
      if (!session.writing) throw new TypeError("nextId in a read");
      prefix = String(prefix);
      const kind = tables.ids[prefix] || { format: prefix + "-{n:4}", next: startOf(prefix), step: 1 }, number = kind.next;
      tables.ids = { ...tables.ids, [prefix]: { ...kind, next: number + kind.step } };
      return kind.format.replace(/\{(n|hex)(?::(\d+))?\}/, (_, form, width) => number.toString(form === "hex" ? 16 : 10).padStart(+width || 0, "0"));
    },
  };
  return { functions, keeping };
}
