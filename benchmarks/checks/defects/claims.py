"""Words of the assistant that misquote what it was told."""

import re

from defects.sample import at, other_digits, pick
from gem_tasks.checks.reading.verbs import reads


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
    return _in_words(sample, rng, pattern, lambda old: re.sub(r"\d+", lambda m: other_digits(m[0], rng), old))


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
