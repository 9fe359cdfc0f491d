"""τ²-bench's reference actions. The simulated user, who is told the scenario, names the case; the agent replays it."""

import json
import re
from pathlib import Path

from tests.oracles.server import calls, words

_CASE = re.compile(r"case (\w+/\w+)")


def user(data: Path):
    """Says which case it is, and is content with the first answer. From the package's `data/domains` folder."""
    tasks = _tasks(data)

    def answer(body, headers):
        messages = body["messages"]
        if any(message["role"] == "assistant" for message in messages[1:]):
            return words("Thank you. ###STOP###")
        scenario = _squeezed(_text(messages[0]))
        (case,) = [case for case, task in tasks.items() if all(part in scenario for part in _told(task))]
        return words(f"Hello, this is about case {case}.")

    return answer


def agent(data: Path):
    """Makes the reference's calls one by one, then says what has to be said."""
    tasks = _tasks(data)

    def answer(body, headers):
        said = " ".join(_text(message) for message in body["messages"] if message["role"] == "user")
        criteria = tasks[_CASE.search(said)[1]]["evaluation_criteria"]
        made = sum(len(message.get("tool_calls") or ()) for message in body["messages"])
        actions = criteria["actions"] or []
        if made < len(actions):
            return calls((_offered(body, actions[made]["name"]), actions[made]["arguments"]))
        return words("Done. " + ". ".join(criteria.get("communicate_info") or []))

    return answer


def _tasks(data):
    return {
        f"{domain}/{task['id']}": task
        for domain in ("airline", "retail")
        for task in json.loads((data / domain / "tasks.json").read_text(encoding="utf-8"))
    }


def _told(task):
    told = task["user_scenario"]["instructions"]
    parts = (told[name] for name in ("task_instructions", "reason_for_call", "known_info"))
    return [_squeezed(part) for part in parts if part]


def _offered(body, name):
    names = [tool["function"]["name"] for tool in body["tools"]]
    return next(each for each in names if each == name or each.endswith(f"_{name}"))


def _text(message):
    content = message.get("content") or ""
    return content if isinstance(content, str) else " ".join(part.get("text", "") for part in content)


def _squeezed(text):
    return re.sub(r"\s+", "", text)
