"""BFCL's possible answers, turn by turn. The case is named in a header that our runner sends."""

import ast
import json
from pathlib import Path

from gem_tasks.evals.bfcl_parts import COLLECTIONS, PARTS
from tests.oracles.server import calls, dumb, words


def oracle(data: Path):
    """From the package's `data` folder."""
    truth = _Truth(data)

    def answer(body, headers):
        case = headers.get("X-BFCL-Test-Id", "")  # none: the question whether the endpoint answers
        if not case:
            return words("Yes.")
        category = case.rsplit("_", 1)[0].removesuffix("_prereq")
        if category in PARTS["multi_turn"]:
            return _in_turn(truth, case, body)
        if category in PARTS["memory"]:
            return words(json.dumps({"answer": truth.remembered(case), "context": ""}))
        if category in PARTS["relevance"]:
            return wrong(body, headers)
        if category in PARTS["hallucination"]:
            return words("No function fits.")
        return calls(*truth.single(case, category))

    return answer


def nothing(body, headers):
    """Calls nothing, but where calling nothing is right."""
    category = headers.get("X-BFCL-Test-Id", "").rsplit("_", 1)[0]
    return wrong(body, headers) if category in PARTS["hallucination"] else dumb(body, headers)


def wrong(body, headers):
    """The first tool on offer, without arguments, once a turn."""
    if body["messages"][-1]["role"] == "tool" or not body.get("tools"):
        return words("Done.")
    return calls((body["tools"][0]["function"]["name"], {}))


def _in_turn(truth, case, body):
    turns = [message["role"] for message in body["messages"]]
    if turns[-1] == "tool":
        return words("Done.")
    wanted = truth.calls(case, turns.count("user") - 1)
    return calls(*wanted) if wanted else words("I cannot do that yet.")


class _Truth:
    def __init__(self, data):
        docs = [doc for path in (data / "multi_turn_func_doc").glob("*.json") for doc in _lines(path)]
        self._parameters = {doc["name"]: list(doc["parameters"]["properties"]) for doc in docs}
        categories = [*COLLECTIONS["all"], "memory"]
        answers = [data / "possible_answer" / f"BFCL_v4_{category}.json" for category in categories]
        self._truth = {row["id"]: row["ground_truth"] for path in answers if path.exists() for row in _lines(path)}
        cases = [row for name in ("non_live", "live") for each in PARTS[name] for row in _of(data, each)]
        self._functions = {row["id"]: {each["name"]: each for each in row["function"]} for row in cases}

    def calls(self, case, turn):
        return [self._parse(call) for call in self._truth[case][turn]]

    def remembered(self, case):
        """The first good answer; nothing for a conversation that is only to be remembered."""
        return self._truth.get(f"memory_{case.rsplit('_', 1)[1]}", [""])[0] if "_prereq" not in case else "noted"

    def single(self, case, category):
        """The calls with the first good value of each argument; optional ones are left out."""
        write = {"simple_java": _java, "simple_javascript": _javascript}.get(category, _plain)
        made = []
        for call in self._truth[case]:
            ((name, arguments),) = call.items()
            form = self._functions[case][name]["parameters"]
            given = {}
            for key, good in arguments.items():
                kept = [value for value in good if value != ""] if key in form["required"] else good[:1]
                if kept and kept[0] != "":
                    given[key] = write(kept[0], form["properties"].get(key, {}))
            made.append((name.replace(".", "_"), given))
        return made

    def _parse(self, call):
        """`f(1, b=2)` with all arguments by name."""
        node = ast.parse(call, mode="eval").body
        name = node.func.id
        arguments = dict(zip(self._parameters[name], map(ast.literal_eval, node.args), strict=False))
        return name, arguments | {each.arg: ast.literal_eval(each.value) for each in node.keywords}


def _plain(value, kind):
    """The first good value at every depth: within an object each field has a list of them, too."""
    if isinstance(value, dict):
        return {
            key: _plain(good[0], {}) if isinstance(good, list) else good for key, good in value.items() if good != [""]
        }
    return [_plain(each, {}) for each in value] if isinstance(value, list) else value


def _java(value, kind):
    """Java's text for a value, by the type in the function's description."""
    kind = kind.get("type")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        puts = " ".join(f'put("{key}", {_literal(good[0])});' for key, good in value.items())
        return f"new HashMap<String, Object>() {{{{ {puts} }}}}"
    if isinstance(value, list):
        if kind == "Array":  # BFCL takes the quotes of an array's strings for part of them
            return f"new Object[]{{{', '.join(map(str, value))}}}"
        return f"new ArrayList<Object>(Arrays.asList({', '.join(map(_literal, value))}))"
    return f"{value}{ {'long': 'L', 'float': 'f'}.get(kind, '') }" if not isinstance(value, str) else value


def _javascript(value, kind):
    return value if isinstance(value, str) else json.dumps(_plain(value, {}))


def _literal(value):
    return json.dumps(value)


def _of(data, category):
    return _lines(data / f"BFCL_v4_{category}.json")


def _lines(path):
    return [json.loads(line) for line in path.read_bytes().split(b"\n") if line.strip()]
