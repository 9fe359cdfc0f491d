// From a world's code to the functions of its tools. Nothing but the state may last between calls, so code runs again for each. Most code is functions
// and constants only: then it is enough to freeze the functions, once, and to compute the constants again. The engine's parser itself is asked
// whether a piece of the code is one function: the text of a function is its source, no less and no more.
() => {
  "use strict";
  const { stringify } = JSON, { freeze, keys } = Object, isFinite = Number.isFinite, compile = Function, sourceOf = Function.prototype.toString;
  const STRICT = "'use strict';\n", MOST_SCENARIOS = 8, BEGINS = /^(?=(?:async )?function\b|const )/m;
  // A comment ends with its line only: otherwise `////` is one or two, and a line of them takes exponential time.
  const NOTHING = /^(?:\s|;|\/\/[^\n\r\u2028\u2029]*(?![^\n\r\u2028\u2029])|\/\*(?:[^*]|\*(?!\/))*\*\/)*$/;
  const FUNCTION = /^(?:async )?function\b\s*\*?\s*([A-Za-z_$][\w$]*)/, CONSTANT = /^const ([A-Za-z_$][\w$]*) = /, END = /;(?:\s|\/\/[^\n\r\u2028\u2029]*(?![^\n\r\u2028\u2029]))*$/;
  let world, parts;
  const made = new Map();                           // what is compiled of the last scenarios

  // This engine compiles a body within braces without parsing it alone first, so a body could close them and run outside.
  // Then what comes out is not the whole text.
  function whole(parameter, body) {
    const code = STRICT + body, made = compile(parameter, code);
    if (typeof made !== "function" || sourceOf.call(made) !== "function anonymous(" + parameter + "\n) {\n" + code + "\n}")
      throw new SyntaxError("a brace closes more than the code opened");
  }
  function expression(text) { const body = "return (" + text + "\n);"; whole("", body); return compile(STRICT + body); }
  function single(text) { expression(text); expression("true ? " + text + "\n: 0"); }  // the second has no place for a comma
  function split(code) {                            // [functions, constants], each [name, text]; null if there is anything else
    const [head, ...pieces] = code.split(BEGINS), functions = [], constants = [];
    if (!NOTHING.test(head)) return null;
    for (const piece of pieces) {
      const constant = CONSTANT.exec(piece);
      if (constant) {
        const text = piece.slice(constant[0].length).replace(END, "");
        single(text);
        constants.push([constant[1], text]);
        continue;
      }
      const named = FUNCTION.exec(piece), found = named && expression(piece)(), source = typeof found === "function" ? sourceOf.call(found) : null;
      if (source === null || !piece.startsWith(source) || !NOTHING.test(piece.slice(source.length))) return null;
      functions.push([named[1], source]);
    }
    return [functions, constants];
  }
  function lasting(code) {                          // what cannot change: no object, or a function of this very text
    const [functions, constants] = split(code) ?? [null, []], again = [], names = constants.map(([name]) => name);
    if (!functions) return null;
    const values = compile(STRICT + "return (function () {\n" + code + "\nreturn [" + names.join() + "];\n}).call(undefined);")();
    constants.forEach(([name, text], i) => {
      const value = values[i], pure = typeof value === "function" && sourceOf.call(value) === text.trim();
      if (pure) functions.push([name, text]);
      else if (typeof value === "string" || typeof value === "boolean" || isFinite(value)) functions.push([name, stringify(value)]);
      else again.push([name, text]);
    });
    return { fixed: functions, again };
  }
  function cases(events) {
    const tools = keys(world.tools).map((name) => [name, "typeof " + world.tools[name] + " === 'function' ? " + world.tools[name] + " : undefined"]);
    const others = keys(events).map((name) => ["event " + name, "function (state) {\n" + events[name] + "\n}"]);
    return "switch ($called) {\n" + tools.concat(others).map(([name, text]) => "case " + stringify(name) + ": return " + text + ";\n").join("") + "}";
  }
  function each(events) {                           // runs the code for each call
    return compile("$called", STRICT + "return (function () {\n" + world.code + "\n" + cases(events) + "\n}).call(undefined);");
  }
  function once({ fixed, again }, events) {
    const defined = fixed.map(([name, text]) => "const " + name + " = (" + text + "\n);\n").join(""), names = again.map(([name]) => name);
    const computed = again.map(([name, text]) => name + " = (" + text + "\n);\n").join("");
    const [tool, functions] = compile(STRICT + defined + (names.length ? "let " + names.join() + ";\n" : "") + "return [function ($called) {\n" + computed + cases(events) +
      "\n}, [" + fixed.map(([name]) => name).join() + "]];")();
    for (const found of functions) if (typeof found === "function") { freeze(found); if (found.prototype) freeze(found.prototype); }
    return tool;
  }
  return {
    load(given) {
      world = given;
      made.clear();
      whole("", world.code);
      each({})("");
      try {
        parts = lasting(world.code);
        if (parts) once(parts, {})("");
      } catch { parts = null; }
    },
    check(events) { for (const name in events) whole("state", events[name]); },
    of(name, events) {
      const found = made.get(name) ?? (parts ? once(parts, events) : each(events));
      made.delete(name);
      made.set(name, found);
      if (made.size > MOST_SCENARIOS) made.delete(made.keys().next().value);
      return found;
    },
  };
}
