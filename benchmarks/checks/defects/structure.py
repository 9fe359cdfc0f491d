"""The protocol broken: roles, calls and answers, and traces of the format in the words."""

import json

from defects.sample import at, good, pick
from gem_tasks.checks.reading.verbs import reads
from gem_tasks.domain.trajectory import Message, ToolCall

TAGS = ["<think>The user wants this.</think>", "<func>", "</assistant>", "<|im_end|>", "<tool_call>", "[/INST]",
        "<|eot_id|>", "</tool_response>", "<function=get>", "<system>", "<|start_header_id|>user",
        "<thinking>"]  # fmt: skip


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
