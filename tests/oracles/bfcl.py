"""BFCL's possible answers, turn by turn. The case is named in a header that our runner sends."""

import ast
import json
from pathlib import Path

from gem_tasks.evals.options import BFCL_CATEGORIES
from tests.oracles.server import calls, words


def oracle(data: Path):
    """From the package's `data` folder."""
    truth = _Truth(data)

    def answer(body, headers):
        case = headers["X-BFCL-Test-Id"]
        turns = [message["role"] for message in body["messages"]]
        if turns[-1] == "tool":
            return words("Done.")
        wanted = truth.calls(case, turns.count("user") - 1)
        return calls(*wanted) if wanted else words("I cannot do that yet.")

    return answer


def wrong(body, headers):
    """The first tool on offer, without arguments, once a turn."""
    if body["messages"][-1]["role"] == "tool" or not body.get("tools"):
        return words("Done.")
    return calls((body["tools"][0]["function"]["name"], {}))


class _Truth:
    def __init__(self, data):
        docs = [doc for path in (data / "multi_turn_func_doc").glob("*.json") for doc in _lines(path)]
        self._parameters = {doc["name"]: list(doc["parameters"]["properties"]) for doc in docs}
        answers = [data / "possible_answer" / f"BFCL_v4_{category}.json" for category in BFCL_CATEGORIES]
        self._turns = {row["id"]: row["ground_truth"] for path in answers for row in _lines(path)}

    def calls(self, case, turn):
        return [self._parse(call) for call in self._turns[case][turn]]

    def _parse(self, call):
        """`f(1, b=2)` with all arguments by name."""
        node = ast.parse(call, mode="eval").body
        name = node.func.id
        arguments = dict(zip(self._parameters[name], map(ast.literal_eval, node.args), strict=False))
        return name, arguments | {each.arg: ast.literal_eval(each.value) for each in node.keywords}


def _lines(path):
    return [json.loads(line) for line in path.read_bytes().split(b"\n") if line.strip()]
