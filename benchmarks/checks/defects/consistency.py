"""Results that contradict the call, or what was known before."""

import json
import re

from defects.sample import FIRST, ID, LAST, good, keys_of, other_digits, pick
from gem_tasks.checks.reading.case import objects
from gem_tasks.checks.reading.verbs import reads
from gem_tasks.domain.trajectory import Message

FIXED = ("name", "price", "owner", "email", "created", "created_by", "type", "category")


def altered_fact(sample, rng):
    """A fact of identity differs in a later look at the same thing."""
    return _altered(sample, rng, FIXED)


def altered_status(sample, rng):
    return _altered(sample, rng, ("status", "state", "stage"), of_reads=True)


def _altered(sample, rng, fields, of_reads=False):
    seen, found = {}, []
    writes = 0
    for item in good(sample):
        writes += not reads(item.call.name)
        if not isinstance(item.data, dict):
            continue
        for row in [
            item.data,
            *(r for v in item.data.values() if isinstance(v, list) for r in v if isinstance(r, dict)),
        ]:
            ident = next((value for key, value in row.items() if ID.search(key) and isinstance(value, str)), None)
            for key in fields:
                if ident is None or not isinstance(row.get(key), str | int | float):
                    continue
                before = seen.get((ident, key))
                if (
                    before == writes
                    and reads(item.call.name)
                    and f'"{ident}"' in (sample.messages[item.answer_index].content or "")
                ):
                    found.append((item, key, row[key], ident))
                seen[ident, key] = writes
    chosen = pick(rng, found)
    if not chosen:
        return None
    item, key, value, _ = chosen
    other = rng.choice(FIRST) + " " + rng.choice(LAST) if isinstance(value, str) else value + rng.randint(2, 60)
    if of_reads:
        other = rng.choice(
            [one for one in ("suspended", "open", "archived", "on_hold", "done") if one != str(value).casefold()]
        )
    return _answer(sample, item, key, value, other)


def _answer(sample, item, key, value, other):
    text = sample.messages[item.answer_index].content or ""
    old = f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}"
    new = f"{json.dumps(key)}: {json.dumps(other, ensure_ascii=False)}"
    return sample.with_message(item.answer_index, content=text.replace(old, new)) if old in text else None


def other_thing_answered(sample, rng):
    found = [
        (item, key)
        for item in good(sample)
        if isinstance(item.data, dict)
        for key, value in item.call.arguments.items()
        if ID.search(key) and isinstance(value, str) and item.data.get(key) == value and re.search(r"\d", value)
    ]
    chosen = pick(rng, found)
    if not chosen:
        return None
    item, key = chosen
    value = item.call.arguments[key]
    return _answer(sample, item, key, value, re.sub(r"\d+", lambda m: other_digits(m[0], rng), value))


def not_json(sample, rng):
    made = pick(rng, good(sample))
    text = sample.messages[made.answer_index].content if made else ""
    spoilt = rng.choice([text[: len(text) // 2], text.replace('"', "'"), "Here is the result: " + text,
                         text[:-1] + ",}", "The operation was successful.", "```json\n" + text + "\n```"])  # fmt: skip
    return sample.with_message(made.answer_index, content=spoilt) if made else None


def lost_write(sample, rng):
    """A later look at what was written shows another value."""
    found = []
    done = good(sample)
    for place, item in enumerate(done):
        if reads(item.call.name):
            continue
        keys = keys_of(item.call.arguments) | keys_of(item.data)
        set_to = {
            (key, _typed(value)) for _, row in objects(item.call.arguments) for key, value in row.items()
            if not ID.search(key) and isinstance(value, str | int | float)
        }  # fmt: skip
        for later in done[place + 1 :]:
            if not reads(later.call.name) and keys & keys_of(later.call.arguments):
                break
            if reads(later.call.name):
                found += [
                    (later, f"{path}.{key}", value) for path, row in objects(later.data) for key, value in row.items()
                    if keys_of(row) and keys_of(row) | _own(later.data) <= keys and key not in later.call.arguments
                    and isinstance(value, str | int | float) and (key, _typed(value)) in set_to
                ]  # fmt: skip
    chosen = pick(rng, found)
    return _told(sample, chosen[0], chosen[1], _other(chosen[2])) if chosen else None


def altered_detail(sample, rng):
    """Any field of a record that an earlier look showed differs in a later look, and nothing was written between."""
    seen, found, writes = {}, [], 0
    for item in good(sample):
        writes += not reads(item.call.name)
        for path, row in objects(item.data):
            ident = next((value for key, value in row.items() if ID.search(key) and isinstance(value, str)), None)
            once = sum(ident in (other.get(key) for key in other if ID.search(key)) for _, other in objects(item.data))
            for key, value in row.items():
                if ident is None or once > 1 or ID.search(key) or not isinstance(value, str | int | float) or not value:
                    continue
                if (
                    seen.get((ident, key)) == (writes, _typed(value))
                    and reads(item.call.name)
                    and (
                        key not in item.call.arguments and not isinstance(value, bool) and not re.search(FLEETING, key)
                    )
                ):
                    found.append((item, f"{path}.{key}", value))
                seen[ident, key] = (writes, _typed(value))
    chosen = pick(rng, found)
    if not chosen:
        return None
    new = f"{rng.choice(FIRST)} {rng.choice(LAST)}" if isinstance(chosen[2], str) else chosen[2] + rng.randint(2, 60)
    return _told(sample, chosen[0], chosen[1], new)


FLEETING = r"(?:_at|count|total|time|updated|modified|timestamp)$"


def unstable_answer(sample, rng):
    """The same question, asked again at once, brings another answer."""
    found = [
        (item, f"{path}.{key}") for item in good(sample)
        if reads(item.call.name) and len(sample.messages[item.index].tool_calls) == 1
        for path, row in objects(item.data)
        for key, value in row.items()
        if key in ("name", "title", "description", "email", "address", "type", "category", "created_by")
        and isinstance(value, str) and value and any(ID.search(other) for other in row)
    ]  # fmt: skip
    chosen = pick(rng, found)
    if not chosen:
        return None
    item, path = chosen
    messages = sample.messages
    made = messages[item.index].tool_calls[0].model_copy(update={"id": "call_again"})
    again = messages[item.index].model_copy(update={"tool_calls": (made,), "content": "Let me look once more."})
    told = json.dumps(_placed(item.data, path, f"{rng.choice(FIRST)} {rng.choice(LAST)}"), ensure_ascii=False)
    answer = Message(role="tool", content=told, tool_call_id="call_again")
    end = item.answer_index + 1
    return sample.having([*messages[:end], again, answer, *messages[end:]])


def _own(data):
    row = data if isinstance(data, dict) else {}
    return {str(part) for key, part in row.items() if ID.search(key) and isinstance(part, str | int)}


def _typed(value):
    return type(value).__name__, value


def _other(value):
    return not value if isinstance(value, bool) else value + 3 if isinstance(value, int | float) else "Unknown entry"


def _told(sample, item, path, value):
    """The result says something else at one place."""
    told = json.dumps(_placed(item.data, path, value), ensure_ascii=False)
    return sample.with_message(item.answer_index, content=told)


def _placed(data, path, value):
    copy = json.loads(json.dumps(data))
    steps = [int(step) if step.isdigit() else step for step in re.findall(r"[^.\[\]$]+", path)]
    node = copy
    for step in steps[:-1]:
        node = node[step]
    node[steps[-1]] = value
    return copy


def wrong_echo(sample, rng):
    found = [
        (item, key, value)
        for item in good(sample)
        if isinstance(item.data, dict) and re.match(r"update|set|change|create|edit|assign", item.call.name)
        for key, value in item.call.arguments.items()
        if not ID.search(key) and isinstance(value, str | int | float) and item.data.get(key) == value
    ]
    chosen = pick(rng, found)
    if not chosen:
        return None
    item, key, value = chosen
    other = not value if isinstance(value, bool) else (value + 3 if isinstance(value, int | float) else "Unknown entry")
    return _answer(sample, item, key, value, other)
