"""Defects that models make, injected into sound trajectories: one function a kind, named as it is reported.

Each takes a `Sample` and a random generator and returns the spoilt sample, or None where it has nothing to spoil. What
is put in is drawn at random, never from what the checks look for; `KINDS` says which check ought to notice.
"""

import json
import re
from dataclasses import dataclass, replace
from functools import cached_property

from gem_tasks.checks.reading.case import Case, Evidence, objects
from gem_tasks.checks.reading.verbs import reads
from gem_tasks.domain.trajectory import Message, ToolCall, Trajectory

TAGS = ["<think>The user wants this.</think>", "<func>", "</assistant>", "<|im_end|>", "<tool_call>", "[/INST]",
        "<|eot_id|>", "</tool_response>", "<function=get>", "<system>", "<|start_header_id|>user",
        "<thinking>"]  # fmt: skip
FIRST = "Aurelio Brigitta Cosmin Dragana Eluned Fiorella Gunnar Hyacinth Ignatius Jadwiga".split()
LAST = "Abernathy Bolzano Czerny Dvorakova Eskildsen Falkenrath Grimaldi Hofstetter Iwanow Jankowska".split()


@dataclass(frozen=True)
class Sample:
    trajectory: Trajectory
    evidence: Evidence

    @property
    def messages(self):
        return list(self.trajectory.messages)

    @cached_property
    def case(self):
        return Case(self.trajectory, self.evidence)

    @cached_property
    def good(self):
        """Exchanges that succeeded."""
        return [item for item in self.case.exchanges if not item.failed and item.answer_index is not None]

    def having(self, messages, tools=None):
        made = Trajectory(tools=self.trajectory.tools if tools is None else tuple(tools), messages=tuple(messages))
        return replace(self, trajectory=made)

    def with_message(self, index, **update):
        messages = self.messages
        messages[index] = messages[index].model_copy(update=update)
        return self.having(messages)

    def with_call(self, exchange, *, name=None, arguments=None):
        def changed(call):
            if call is not exchange.call:
                return call
            given = call.arguments if arguments is None else arguments
            return ToolCall(id=call.id, name=name or call.name, arguments=given)

        calls = tuple(changed(call) for call in self.trajectory.messages[exchange.index].tool_calls)
        return self.with_message(exchange.index, tool_calls=calls)


def pick(rng, options):
    options = list(options)
    return rng.choice(options) if options else None


def at(sample, *roles, calls=None, first=1):
    return [
        index
        for index, message in enumerate(sample.trajectory.messages)
        if index >= first and message.role in roles and (calls is None or bool(message.tool_calls) == calls)
    ]


def good(sample):
    return sample.good


# Structure


def swap_roles(sample, rng):
    index = pick(rng, [i for i in at(sample, "user") if sample.messages[i - 1].role == "assistant" and i > 1])
    if index is None:
        return None
    messages = sample.messages
    messages[index - 1 : index + 1] = [
        Message(role="user", content=messages[index - 1].content),
        Message(role="assistant", content=messages[index].content),
    ]
    return sample.having(messages)


def drop_tool_message(sample, rng):
    return _without(sample, pick(rng, at(sample, "tool")))


def drop_call_message(sample, rng):
    return _without(sample, pick(rng, at(sample, "assistant", calls=True)))


def drop_user_turn(sample, rng):
    return _without(sample, pick(rng, at(sample, "user", first=2)))


def drop_system(sample, rng):
    return _without(sample, 0)


def end_on_tool(sample, rng):
    tools = at(sample, "tool")
    return sample.having(sample.messages[: tools[-1] + 1]) if tools else None


def call_after_final(sample, rng):
    made = pick(rng, good(sample))
    messages = sample.messages
    call = ToolCall(id="call_9001", name=made.call.name, arguments=made.call.arguments) if made else None
    return sample.having([*messages, Message(role="assistant", tool_calls=(call,))]) if call else None


def double_tool_message(sample, rng):
    index = pick(rng, at(sample, "tool"))
    messages = sample.messages
    return sample.having([*messages[: index + 1], messages[index], *messages[index + 1 :]]) if index else None


def repeated_call_id(sample, rng):
    indices = at(sample, "assistant", calls=True)
    if len(indices) < 2:
        return None
    one, other = sorted(rng.sample(indices, 2))
    calls = sample.messages[other].tool_calls
    used = sample.messages[one].tool_calls[0].id
    return sample.with_message(other, tool_calls=(calls[0].model_copy(update={"id": used}), *calls[1:]))


def wrong_answer_id(sample, rng):
    index = pick(rng, at(sample, "tool"))
    return sample.with_message(index, tool_call_id=f"call_{rng.randint(500, 999)}") if index else None


def empty_message(sample, rng):
    index = pick(rng, at(sample, "user", "assistant", calls=False))
    return sample.with_message(index, content=rng.choice(["", "  ", None])) if index else None


def leaked_tag(sample, rng):
    index = pick(rng, at(sample, "user", "assistant", calls=False))
    words = (sample.messages[index].content or "").split(" ") if index else []
    place = rng.randint(0, len(words))
    return (
        sample.with_message(index, content=" ".join([*words[:place], rng.choice(TAGS), *words[place:]]))
        if index
        else None
    )


def other_speaker(sample, rng):
    index = pick(rng, at(sample, "assistant", calls=False))
    more = rng.choice(["\n\nHuman: And what about the other one?", "\n### User\nThanks.", "\nAssistant: Here you go."])
    return sample.with_message(index, content=(sample.messages[index].content or "") + more) if index else None


def call_as_text(sample, rng):
    found = [item for item in good(sample) if len(sample.messages[item.index].tool_calls) == 1]
    made = pick(rng, found)
    if not made:
        return None
    given = json.dumps(made.call.arguments, ensure_ascii=False)
    listed = ", ".join(f"{key}={json.dumps(value)}" for key, value in made.call.arguments.items())
    form = rng.choice(["{n}({l})", 'Let me do that.\n```json\n{{"name": "{n}", "arguments": {g}}}\n```',
                       "I called `{n}` and this is what I got.", "Action: {n}\nAction Input: {g}",
                       "*calls {n}*", "I'm now running {n} for you."])  # fmt: skip
    text = form.format(n=made.call.name, l=listed, g=given)
    return _replaced_exchange(sample, made, text)


def claimed_deed(sample, rng):
    """The only write with this verb is gone, what the assistant says of it stays."""
    writes = [item for item in good(sample) if not reads(item.call.name)]
    verbs = [item.call.name.split("_")[0] for item in writes]
    alone = [
        item for item in writes
        if verbs.count(item.call.name.split("_")[0]) == 1 and len(sample.messages[item.index].tool_calls) == 1
    ]  # fmt: skip
    made = pick(rng, alone)
    if not made:
        return None
    verb = made.call.name.split("_")[0]
    past = verb + ("d" if verb.endswith("e") else "ed")
    irregular = {"send": "sent", "set": "set", "pay": "paid", "submit": "submitted", "cancel": "cancelled",
                 "copy": "copied", "apply": "applied", "verify": "verified", "modify": "modified",
                 "notify": "notified", "make": "made", "take": "taken", "put": "put",
                 "write": "written", "reset": "reset", "plan": "planned", "stop": "stopped"}  # fmt: skip
    noun = " ".join(made.call.name.split("_")[1:])
    text = rng.choice(["I've {p} the {n} for you.", "I have now {p} the {n} as you wished.",
                       "All set! I have successfully {p} the {n}."])  # fmt: skip
    return _replaced_exchange(sample, made, text.format(p=irregular.get(verb, past), n=noun))


def _replaced_exchange(sample, made, text):
    """The call and its answer become words; what follows is moved up where the roles allow it."""
    messages = sample.messages
    rest = messages[made.answer_index + 1 :]
    while rest and rest[0].role != "user":
        rest.pop(0)
    before = messages[: made.index]
    while before and before[-1].role != "user":
        before.pop()
    return sample.having([*before, Message(role="assistant", content=text), *rest]) if rest else None


def _without(sample, index):
    if index is None:
        return None
    messages = sample.messages
    del messages[index]
    return sample.having(messages)


# Schema


def renamed_function(sample, rng):
    made = pick(rng, good(sample))
    name = made.call.name if made else ""
    other = rng.choice([name + "s", name.replace("_", ""), "get_" + name, name + "_v2", name[:-1], name.upper()])
    return sample.with_call(made, name=other) if made and other not in sample.case.tools else None


def changed_type(sample, rng):
    made, key = _argument(
        sample, rng, lambda value, schema: schema.get("type") in ("string", "integer", "number", "boolean")
    )
    if not made:
        return None
    value = made.call.arguments[key]
    if isinstance(value, str):
        wrong = rng.choice([[value], {"value": value}, rng.randint(2, 999), None, True])
    else:
        wrong = rng.choice([str(value), [value], {"value": value}, None])
    return sample.with_call(made, arguments={**made.call.arguments, key: wrong})


def dropped_required(sample, rng):
    found = [item for item in good(sample) if sample.case.tools[item.call.name].parameters.get("required")]
    made = pick(rng, found)
    if not made:
        return None
    gone = rng.choice([key for key in sample.case.tools[made.call.name].parameters["required"]])
    return sample.with_call(made, arguments={key: value for key, value in made.call.arguments.items() if key != gone})


def unknown_property(sample, rng):
    made = pick(rng, good(sample))
    if not made:
        return None
    extra = rng.choice(
        [("user_id", 7), ("confirm", True), ("notes", "n/a"), ("priority_level", "high"), ("verbose", False)]
    )
    return sample.with_call(made, arguments={**made.call.arguments, extra[0]: extra[1]})


def broken_limit(sample, rng):
    made, key = _argument(sample, rng, lambda value, schema: {"enum", "maximum", "maxLength"} & set(schema))
    if not made:
        return None
    schema = sample.case.tools[made.call.name].parameters["properties"][key]
    if "enum" in schema:
        wrong = "unlisted_option"
    elif "maximum" in schema:
        wrong = schema["maximum"] + rng.randint(1, 50)
    else:
        wrong = "x" * (schema["maxLength"] + 1)
    return sample.with_call(made, arguments={**made.call.arguments, key: wrong})


def broken_definition(sample, rng):
    tools = list(sample.trajectory.tools)
    place = rng.randrange(len(tools))
    parameters = json.loads(json.dumps(tools[place].parameters))
    update = {"parameters": parameters}
    fault = rng.randrange(5)
    if fault == 0:
        parameters["required"] = [*parameters.get("required", []), "absent_thing"]
    elif fault == 1:
        parameters["type"] = "array"
    elif fault == 2:
        parameters.setdefault("properties", {})["extra"] = {"type": "text"}
    elif fault == 3:
        update = {"name": tools[place].name.replace("_", " ") + "!"}
    else:
        update = {"description": " "}
    tools[place] = tools[place].model_copy(update=update)
    tools[place].__dict__.pop("canonical_parameters", None)
    return sample.having(sample.messages, tools)


def _argument(sample, rng, wanted):
    found = []
    for item in good(sample):
        properties = sample.case.tools[item.call.name].parameters.get("properties", {})
        found += [(item, key) for key, value in item.call.arguments.items() if wanted(value, properties.get(key, {}))]
    return rng.choice(found) if found else (None, None)


# Grounding

ID = re.compile(r"(?:^|_)(?:id|number|code|ref|reference)$")


def invented_id(sample, rng):
    made, key = _argument(sample, rng, lambda value, schema: isinstance(value, str) and re.search(r"\d", value))
    made, key = _id_argument(sample, rng)
    if not made:
        return None
    return _swapped(sample, made, key, re.sub(r"\d+", lambda m: _other_digits(m[0], rng), made.call.arguments[key]))


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
    made, key = _argument(
        sample, rng,
        lambda value, schema: isinstance(value, int | float) and not isinstance(value, bool) and "enum" not in schema,
    )  # fmt: skip
    if not made or key in ("max_results", "limit", "page"):
        return None
    low, high = _bounds(sample.case.tools[made.call.name].parameters["properties"][key])
    value = rng.randint(low, high)
    return _swapped(sample, made, key, value) if value != made.call.arguments[key] else None


def invented_date(sample, rng):
    made, key = _argument(
        sample, rng, lambda value, schema: isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value)
    )
    date = f"20{rng.randint(20, 29)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"
    return _swapped(sample, made, key, date) if made else None


def invented_name(sample, rng):
    made, key = _argument(sample, rng, _is_words)
    return _swapped(sample, made, key, f"{rng.choice(FIRST)} {rng.choice(LAST)}") if made else None


def invented_contact(sample, rng):
    made, key = _argument(sample, rng, _is_words)
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


def _other_digits(digits, rng):
    return "".join(str((int(sign) + rng.randint(1, 9)) % 10) for sign in digits)


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


# Results

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
    return _answer(sample, item, key, value, re.sub(r"\d+", lambda m: _other_digits(m[0], rng), value))


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
        keys = _keys(item.call.arguments) | _keys(item.data)
        set_to = {
            (key, _typed(value)) for _, row in objects(item.call.arguments) for key, value in row.items()
            if not ID.search(key) and isinstance(value, str | int | float)
        }  # fmt: skip
        for later in done[place + 1 :]:
            if not reads(later.call.name) and keys & _keys(later.call.arguments):
                break
            if reads(later.call.name):
                found += [
                    (later, f"{path}.{key}", value) for path, row in objects(later.data) for key, value in row.items()
                    if _keys(row) and _keys(row) | _own(later.data) <= keys and key not in later.call.arguments
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


def _keys(value):
    return {
        str(part) for _, row in objects(value) for key, part in row.items()
        if ID.search(key) and isinstance(part, str | int)
    }  # fmt: skip


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


# Policy and fidelity


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
        keys = _keys(item.call.arguments)
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


def _in_words(sample, rng, pattern, change):
    """Something that results gave, changed where the assistant speaks of it."""
    found, shown = [], ""
    for index, message in enumerate(sample.messages):
        text = message.content or ""
        if message.role == "assistant":
            found += [(index, match) for match in re.finditer(pattern, text) if match[0] in shown]
        elif message.role == "tool":
            shown += text + "\n"
    chosen = pick(rng, found)
    if not chosen:
        return None
    index, match = chosen
    text, new = sample.messages[index].content, change(match[0])
    if any(new in (message.content or "") for message in sample.messages):
        return None
    return sample.with_message(index, content=text[: match.start()] + new + text[match.end() :])


def misquoted_id(sample, rng):
    pattern = r"(?<![\w/.-])[A-Z]{1,10}[-_#/][\w/-]*\d[\w/-]*(?![\w-])"
    return _in_words(sample, rng, pattern, lambda old: re.sub(r"\d+", lambda m: _other_digits(m[0], rng), old))


def misquoted_amount(sample, rng):
    def other(old):
        return old[0] + "".join(str(rng.randint(0, 9)) if sign.isdigit() else sign for sign in old[1:])

    return _in_words(sample, rng, r"(?<![\w.,/:-])\d{1,3}(?:\d{2,6}|(?:,\d{3})*\.\d{2})(?![\w/:-]|[.,]\d)", other)


def false_refusal(sample, rng):
    """It says that it cannot do what a tool is there for."""
    names = [tool.name for tool in sample.trajectory.tools if "_" in tool.name and not reads(tool.name)]
    name, index = pick(rng, names), pick(rng, at(sample, "assistant", calls=False))
    if not name or index is None:
        return None
    verb, noun = name.split("_")[0], " ".join(name.split("_")[1:])
    form = rng.choice(["I'm afraid I can't {v} the {n} for you.", "I have no tool to {v} a {n}.",
                       "Unfortunately it's not possible for me to {v} any {n}.",
                       "I'm not able to {v} your {n}."])  # fmt: skip
    return sample.with_message(index, content=f"{sample.messages[index].content} {form.format(v=verb, n=noun)}")


KINDS = {
    "structure": (swap_roles, drop_tool_message, drop_call_message, drop_user_turn, drop_system, end_on_tool,
                  call_after_final, double_tool_message, repeated_call_id, wrong_answer_id, empty_message, leaked_tag,
                  other_speaker, call_as_text, claimed_deed),
    "schema": (renamed_function, changed_type, dropped_required, unknown_property, broken_limit, broken_definition),
    "grounding": (invented_id, mistyped_id, id_of_another_kind, premature_call, invented_number, invented_date,
                  invented_name, invented_contact),
    "consistency": (altered_fact, altered_status, altered_detail, unstable_answer, other_thing_answered, not_json,
                    lost_write, wrong_echo),
    "policy": (broken_order, loosened_limit, unasked_deed, altered_rule, misquoted_rule),
    "fidelity": (invented_rule,),
    "claims": (misquoted_id, misquoted_amount, false_refusal),
}  # fmt: skip
OWNERS = {
    "structure": {"structure", "leak", "claims"},
    "leaked_tag": {"leak"},
    "other_speaker": {"leak"},
    "call_as_text": {"claims"},
    "claimed_deed": {"claims"},
    "schema": {"schema"},
    "grounding": {"grounding"},
    "consistency": {"realism"},
    "policy": {"policy", "confirmation"},
    "fidelity": {"fidelity", "policy"},
    "claims": {"claims"},
}
"""Checks that count as having noticed, by family; by kind where the family would be too generous."""
