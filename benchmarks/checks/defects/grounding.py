"""Arguments that come from nowhere."""

import json
import re

from defects.sample import FIRST, ID, LAST, argument, good, other_digits, pick


def invented_id(sample, rng):
    made, key = argument(sample, rng, lambda value, schema: isinstance(value, str) and re.search(r"\d", value))
    made, key = _id_argument(sample, rng)
    if not made:
        return None
    return _swapped(sample, made, key, re.sub(r"\d+", lambda m: other_digits(m[0], rng), made.call.arguments[key]))


def mistyped_id(sample, rng):
    made, key = _id_argument(sample, rng)
    digits = [i for i, sign in enumerate(made.call.arguments[key]) if sign.isdigit()] if made else []
    if not digits:
        return None
    old, place = made.call.arguments[key], rng.choice(digits)
    new = old[:place] + str((int(old[place]) + rng.randint(1, 9)) % 10) + old[place + 1 :]
    if any(new in (message.content or "") for message in sample.messages):
        return None
    return _swapped(sample, made, key, new)


def id_of_another_kind(sample, rng):
    made, key = _id_argument(sample, rng)
    if not made:
        return None
    others = [
        (name, value)
        for item in good(sample) if item.index < made.index and isinstance(item.data, dict)
        for name, value in item.data.items()
        if ID.search(name) and isinstance(value, str) and name != key and value != made.call.arguments[key]
        and not set(name.split("_")[:-1]) & set(key.split("_")[:-1]) and re.search(r"\d", value)
    ]  # fmt: skip
    other = pick(rng, others)
    return _swapped(sample, made, key, other[1]) if other else None


def premature_call(sample, rng):
    """A call that needs an id moves before the call that returns it."""
    made, key = _id_argument(sample, rng)
    if not made or len(sample.messages[made.index].tool_calls) != 1:
        return None
    value = made.call.arguments[key]
    source = next((i for i, m in enumerate(sample.messages) if value in (m.content or "")), None)
    if source is None or sample.messages[source].role != "tool" or made.index <= source:
        return None
    origin = sample.case.answered.get(source)
    if origin is None or len(sample.messages[origin.index].tool_calls) != 1:
        return None
    messages = sample.messages
    pair = messages[made.index : made.index + 2]
    rest = [m for i, m in enumerate(messages) if i not in (made.index, made.index + 1)]
    place = rest.index(messages[origin.index])
    return sample.having([*rest[:place], *pair, *rest[place:]])


def invented_number(sample, rng):
    made, key = argument(
        sample, rng,
        lambda value, schema: isinstance(value, int | float) and not isinstance(value, bool) and "enum" not in schema,
    )  # fmt: skip
    if not made or key in ("max_results", "limit", "page"):
        return None
    low, high = _bounds(sample.case.tools[made.call.name].parameters["properties"][key])
    value = rng.randint(low, high)
    return _swapped(sample, made, key, value) if value != made.call.arguments[key] else None


def invented_date(sample, rng):
    made, key = argument(
        sample, rng, lambda value, schema: isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value)
    )
    date = f"20{rng.randint(20, 29)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"
    return _swapped(sample, made, key, date) if made else None


def invented_name(sample, rng):
    made, key = argument(sample, rng, _is_words)
    return _swapped(sample, made, key, f"{rng.choice(FIRST)} {rng.choice(LAST)}") if made else None


def invented_contact(sample, rng):
    made, key = argument(sample, rng, _is_words)
    one = f"{rng.choice(FIRST)}.{rng.choice(LAST)}@corp{rng.randint(10, 99)}.test".lower()
    other = f"+{rng.randint(1, 99)} {rng.randint(100, 999)} {rng.randint(100000, 999999)}"
    return _swapped(sample, made, key, rng.choice([one, other])) if made else None


def _is_words(value, schema):
    return isinstance(value, str) and "enum" not in schema and "format" not in schema and not re.search(r"\d", value)


def _id_argument(sample, rng):
    found = [
        (item, key)
        for item in good(sample)
        for key, value in item.call.arguments.items()
        if isinstance(value, str) and ID.search(key) and re.search(r"\d", value)
    ]
    return rng.choice(found) if found else (None, None)


def _bounds(schema):
    low = schema.get("minimum", 2)
    high = schema.get("maximum", 900)
    return int(max(low, 2)), int(max(high, low + 1, 3))


def _swapped(sample, made, key, value):
    """The argument changes, and the answer echoes it, as systems do."""
    old = made.call.arguments[key]
    spoilt = sample.with_call(made, arguments={**made.call.arguments, key: value})
    before = json.dumps(old, ensure_ascii=False)
    answer = (sample.messages[made.answer_index].content or "").replace(before, json.dumps(value, ensure_ascii=False))
    return spoilt.with_message(made.answer_index, content=answer)
