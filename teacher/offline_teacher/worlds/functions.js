// TOOLS, above, says of each tool: its kind, its table and the key of that, its own id, all its ids, limits, needs.
function beyond(limit, value) {
  if (limit.enum && !limit.enum.includes(value)) return "must be one of " + limit.enum.join(", ");
  if ("const" in limit && limit.const !== value) return "must be " + limit.const;
  if (typeof value === "number") {
    if (value < limit.minimum || value <= limit.exclusiveMinimum) return "is too small";
    if (value > limit.maximum || value >= limit.exclusiveMaximum) return "is too large";
    if (limit.multipleOf && value % limit.multipleOf) return "must be a multiple of " + limit.multipleOf;
  }
  if (typeof value === "string") {
    if (value.length < limit.minLength) return "is too short";
    if (value.length > limit.maxLength) return "is too long";
    if (limit.pattern && !new RegExp(limit.pattern, "u").test(value)) return "has the wrong form";
    if (limit.format === "date" && !isDate(value)) return "is no date";
    if (limit.format === "email" && !/^[^@\s]+@[^@\s]+$/.test(value)) return "is no email address";
  }
  return Array.isArray(value) ? beyondOfList(limit, value) : beyondOfParts(limit, value);
}
function isDate(text) {
  const found = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text);
  if (!found) return false;
  const [year, month, day] = found.slice(1).map(Number);
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return day >= 1 && day <= [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1];
}
function beyondOfList(limit, list) {
  if (list.length < limit.minItems) return "has too few items";
  if (list.length > limit.maxItems) return "has too many items";
  if (limit.uniqueItems && new Set(list.map((item) => JSON.stringify(item))).size < list.length) return "has an item twice";
  return list.map((item) => beyond(limit.items || {}, item)).find((problem) => problem) || "";
}
function beyondOfParts(limit, value) {
  if (typeof value !== "object" || value === null) return "";
  const parts = limit.properties || {};
  return Object.keys(value).map((name) => beyond(parts[name] || {}, value[name])).find((problem) => problem) || "";
}

function refusal(state, name, args) {
  const tool = TOOLS[name];
  for (const param of Object.keys(args)) {
    const problem = beyond(tool.limits[param] || {}, args[param]);
    if (problem) return fail("INVALID_VALUE", param + " " + problem + ".");
  }
  for (const param of Object.keys(tool.ids))
    for (const id of [].concat(args[param] ?? []))
      if (!(id in state[tool.ids[param]])) return fail("NOT_FOUND", "There is no " + param + " " + id + ".");
  const missing = tool.needs.find((need) => !happened(state, tool, need, args));
  return missing ? fail("PRECONDITION_FAILED", missing + " has to come first.") : null;
}
function happened(state, tool, need, args) {
  const same = TOOLS[need].table === tool.table && tool.own in args;
  const rows = same ? [own(state, tool, args)] : values(state[TOOLS[need].table]);
  return rows.some((row) => row.history.includes(need));
}
function own(state, tool, args) {
  const rows = state[tool.table];
  return tool.own in args ? rows[[].concat(args[tool.own])[0]] : values(rows)[0];
}

function searched(state, name, args) {
  const tool = TOOLS[name], words = tool.words.map((param) => args[param]).filter((word) => typeof word === "string");
  const has = (row, word) => JSON.stringify(row).toLowerCase().includes(word.toLowerCase());
  const rows = values(state[tool.table]).filter((row) => words.every((word) => has(row, word)));
  const { items, total } = page(rows, { limit: 10 });
  return { [tool.table]: items, total_count: total };
}
function shown(state, name, args) {
  const row = own(state, TOOLS[name], args);
  return row ? clone(row) : fail("NOT_FOUND", "There is nothing yet.");
}
function created(state, name, args) {
  const tool = TOOLS[name], made = nextId(state, tool.table), id = tool.numeric ? Number(made) : made;
  state[tool.table][id] = { [tool.key]: id, status: "open", revision: 1, details: clone(args), history: [name] };
  return clone(state[tool.table][id]);
}
function changed(state, name, args) {
  const tool = TOOLS[name], row = own(state, tool, args);
  if (!row) return fail("NOT_FOUND", "There is nothing to change.");
  if (tool.final && row.history.includes(name)) return fail("CONFLICT", "It is " + tool.status + " already.");
  if (tool.status) row.status = tool.status;
  row.revision += 1;
  row.history.push(name);
  for (const param of Object.keys(args)) if (param !== tool.own) row.details[param] = args[param];
  return clone(row);
}
