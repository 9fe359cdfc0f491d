"""What the text forbids, done or rewritten; rules that the text does not have."""

import json
import re

from defects.sample import ID, at, good, keys_of, pick
from gem_tasks.checks.reading.case import objects
from gem_tasks.checks.reading.verbs import reads
from gem_tasks.domain.trajectory import Message, ToolCall


def broken_order(sample, rng):
    """What the text demands first does not happen, or fails."""
    requires = sample.evidence.extraction.workflows[0].requires
    done = [item.call.name for item in good(sample)]
    pairs = [
        pair for pair in requires
        if pair.tool in done and pair.after in done and pair.tool != pair.after and not reads(pair.tool)
    ]  # fmt: skip
    pair = pick(rng, pairs)
    if not pair:
        return None
    spoilt = sample
    for item in good(sample):
        if item.call.name == pair.after:
            error = json.dumps({"error": {"code": "UNAVAILABLE", "message": "The service does not answer."}})
            spoilt = spoilt.with_message(item.answer_index, content=error)
    return spoilt


def loosened_limit(sample, rng):
    original = {tool.name: tool for tool in sample.evidence.extraction.workflows[0].tools}
    tools = list(sample.trajectory.tools)
    found = [
        (place, name, keyword)
        for place, tool in enumerate(tools)
        if tool.name in original
        for name, schema in original[tool.name].parameters.get("properties", {}).items()
        for keyword in ("maximum", "minimum", "enum", "maxItems")
        if keyword in schema and keyword in tool.parameters.get("properties", {}).get(name, {})
    ]
    chosen = pick(rng, found)
    if not chosen:
        return None
    place, name, keyword = chosen
    parameters = json.loads(json.dumps(tools[place].parameters))
    limit = parameters["properties"][name][keyword]
    step = rng.randint(1, 40)
    wider = [*limit, "anything"] if keyword == "enum" else limit - step if keyword == "minimum" else limit + step
    parameters["properties"][name][keyword] = wider
    tools[place] = tools[place].model_copy(update={"parameters": parameters})
    tools[place].__dict__.pop("canonical_parameters", None)
    return sample.having(sample.messages, tools)


FINAL = re.compile(
    r"(?:delete|remove|cancel|close|post|pay|refund|transfer|submit|send|publish|void|revoke|print|stamp|run|block)_"
)


def unasked_deed(sample, rng):
    """What cannot be undone is done before anybody has spoken of it, or to a thing that nobody means."""
    return rng.choice([_too_early, _to_another])(sample, rng)


def _deeds(sample):
    return [
        item for item in good(sample)
        if FINAL.match(item.call.name) and len(sample.messages[item.index].tool_calls) == 1
        and (item.call.name.split("_")[0] in UNDONE or "undone" in sample.case.tools[item.call.name].description)
    ]  # fmt: skip


UNDONE = "delete remove cancel close post pay refund transfer submit send publish void revoke".split()
ASIDE = ["Before we go on: who else in the company works with this?", "Sorry, the phone. Where were we?",
         "And what does that mean in plain words?", "One moment, I have to look for my glasses."]  # fmt: skip


def _too_early(sample, rng):
    messages, found = sample.messages, []
    for item in _deeds(sample):
        verb = item.call.name.split("_")[0]
        keys = keys_of(item.call.arguments)
        for user in at(sample, "user", first=2):
            before = messages[: user + 1]
            said = " ".join(
                (message.content or "").lower() for message in before if message.role in ("user", "assistant")
            )
            shown = " ".join(message.content or "" for message in before)
            if user < item.index and not re.search(rf"\b{verb}", said) and all(key in shown for key in keys):
                found.append((item, user))
    chosen = pick(rng, found)
    if not chosen:
        return None
    item, user = chosen
    pair = messages[item.index : item.index + 2]
    rest = [message for index, message in enumerate(messages) if index not in (item.index, item.index + 1)]
    aside = Message(role="user", content=rng.choice(ASIDE))
    return sample.having([*rest[:user], aside, *pair, *rest[user + 1 :]])


def _to_another(sample, rng):
    """The same deed once more, a user turn later, to a thing that only results have named."""
    messages, found = sample.messages, []
    for item in _deeds(sample):
        key = next(
            (key for key, value in item.call.arguments.items() if ID.search(key) and isinstance(value, str)), None
        )
        told = [(name, value) for other in good(sample) if other.index < item.index
                for _, row in objects(other.data) for name, value in row.items()]  # fmt: skip
        spoken = " ".join(message.content or "" for message in messages if message.role in ("user", "assistant"))
        others = {value for name, value in told if name == key and isinstance(value, str) and value not in spoken}
        found += [(item, key, value) for value in sorted(others - {item.call.arguments.get(key)})]
    chosen = pick(rng, found)
    if not chosen:
        return None
    item, key, value = chosen
    user = next((index for index in at(sample, "user") if index > item.index), None)
    if user is None:
        return None
    made = ToolCall(id="call_other", name=item.call.name, arguments={**item.call.arguments, key: value})
    answer = (messages[item.answer_index].content or "").replace(item.call.arguments[key], value)
    pair = [Message(role="assistant", content=None, tool_calls=(made,)),
            Message(role="tool", content=answer, tool_call_id="call_other")]  # fmt: skip
    aside = Message(role="user", content=rng.choice(ASIDE))
    return sample.having([*messages[:user], aside, *pair, *messages[user + 1 :]])


def altered_rule(sample, rng):
    """A number in a rule that the text states is another one."""
    system, text = sample.messages[0].content or "", sample.evidence.text
    lines = [
        line for line in system.splitlines()
        if re.search(r"(?<![\w.-])\d+(?![\w.-])", line[3:]) and line[4:44].strip() and line[4:44].strip() in text
    ]  # fmt: skip
    line = pick(rng, lines)
    if not line:
        return None
    changed = line[:3] + re.sub(
        r"(?<![\w.-])\d+(?![\w.-])", lambda m: str(int(m[0]) + rng.randint(3, 77)), line[3:], count=1
    )
    return sample.with_message(0, content=system.replace(line, changed))


def misquoted_rule(sample, rng):
    """A sentence of the text stands in the system turn with another number."""
    text = sample.evidence.text or ""
    lines = [line.strip() for line in re.split(r"(?<=[.!?])\s+|\n", text)]
    found = [line for line in lines if len(line.split()) > 7 and re.search(NUMERAL, line[4:])]
    line = pick(rng, found)
    if not line:
        return None
    wrong = line[:4] + re.sub(NUMERAL, lambda m: str(int(m[0]) + rng.randint(3, 77)), line[4:], count=1)
    return sample.with_message(0, content=f"{sample.messages[0].content}\n- {wrong}")


NUMERAL = r"(?<![\w.,:/-])\d{1,4}(?![\w.,:/-]*\w)"


def invented_rule(sample, rng):
    """A rule with a number that the text does not have."""
    system = sample.messages[0].content or ""
    number = rng.randint(13, 979)
    rule = rng.choice([f"No more than {number} requests per month are accepted.", f"A fee of {number} euros applies.",
                       f"Customers must be members for at least {number} days."])  # fmt: skip
    return sample.with_message(0, content=f"{system}\n{rule}")
