"""Conversations of any size as a hostile model may write them: much of one thing, or of two that are compared."""

import json
from collections.abc import Callable
from typing import Any

from gem_tasks.checks.reading.case import Evidence
from gem_tasks.domain.trajectory import Message, ToolCall, Trajectory
from gem_tasks.domain.workflow import ExecutionGraph, Extraction, ToolSpec, Workflow
from tests.factories import call, make_tool, result, say

Made = tuple[Trajectory, Evidence]
_TEXT = "Find the loan. Renew it, at most twice. Tell the reader."


def _items(size: int, each: int, most: int) -> int:
    """How many: of those that the checks limit, no more."""
    return min(size // each, most)


def _filled(text: str, size: int) -> str:
    """Up to that size with sentences, all different."""
    missing = max(0, size - len(text))
    return text + "".join(f"Word{at}, it was {at}.37 by X-{at}z. " for at in range(missing // 36))


def _made(*messages: Message, tools: tuple[ToolSpec, ...] = (), text: str = _TEXT) -> Made:
    known = tools or tuple(make_tool(name) for name in ("get_loan", "update_loan", "delete_loan"))
    return Trajectory(tools=known, messages=messages), Evidence(text)


def _asked(number: int, name: str = "get_loan", **arguments: Any) -> tuple[Message, Message]:
    return call(number, name, **arguments), result(number, json.dumps({"loan_id": f"L-{number}", "n": number}))


def _turns(size: int) -> Made:
    return _made(*(say(("user", "assistant")[at % 2], f"Say {at}.") for at in range(_items(size, 8, 2000))))


def _calls(size: int, name: str = "get_loan", **more: Any) -> Made:
    asked = (_asked(at, name, loan_id=f"X-{at}", **more) for at in range(_items(size, 80, 990)))
    return _made(
        say("system"), say("user", _filled("", size)), *(each for pair in asked for each in pair), say("assistant")
    )


def _at_once(size: int) -> Made:
    """All calls in one message."""
    count = _items(size, 80, 1000)
    calls = tuple(ToolCall(id=f"call_{at}", name="get_loan", arguments={"loan_id": f"L-{at}"}) for at in range(count))
    answers = (result(at, json.dumps({"loan_id": f"L-{at}"})) for at in reversed(range(count)))
    return _made(say("user"), Message(role="assistant", tool_calls=calls), *answers, say("assistant"))


def _tools(size: int) -> Made:
    names = [f"cancel_thing_{at}" for at in range(_items(size, 400, 500))]
    words = " ".join(f"I have cancelled. It was cancelled_{at}. I am using {name}s." for at, name in enumerate(names))
    words = _filled(words, size)
    tools = tuple(make_tool(name, thing_id={"type": "string", "maxLength": at}) for at, name in enumerate(names))
    return _made(say("user"), say("assistant", words), tools=tools, text=words)


def _values(form: str, *, told: str = "", number: bool = False) -> Callable[[int], Made]:
    """Many different values in the arguments of a call, after as many others; or the same, as `told` has them."""

    def made(size: int) -> Made:
        count = _items(size, 30, 1900)
        heard = _filled("".join(f"It is {(told or form).format(at)}. " for at in range(count)), size // 3)
        plain = [form.format(at if told else at + count) for at in range(count)]
        values = [float(each) if number else each for each in plain]
        asked = _asked(1, **{"loan_id" if "-" in form else "total": values})
        return _made(
            say("system", heard), say("user", heard), *asked, say("assistant", heard), *_asked(2), say("assistant")
        )

    return made


def _messages_of_values(size: int) -> Made:
    """Many calls with values that many utterances are searched for."""
    asked = (
        (say("user", f"Take {at}."), *_asked(at, loan_id=f"Q-{at}x", note=f"zeta{at}a omega"))
        for at in range(_items(size, 120, 490))
    )
    return _made(say("system", _filled("", size)), *(each for group in asked for each in group))


def _arguments(size: int) -> Made:
    keys = {f"field_{at}_id": f"K-{at}" for at in range(_items(size, 30, 2000))}
    return _made(
        say("user", _filled("", size)),
        *_asked(1, **keys),
        say("assistant"),
        tools=(make_tool("get_loan", **{key: {"type": "string"} for key in keys}),),
    )


def _records(size: int, reads: int = 1) -> Made:
    """Rows of a list, read some times; every time all have changed."""
    count = size // 80 // reads
    turns: list[Message] = [say("system"), say("user")]
    for read in range(reads):
        rows = [{"loan_id": f"L-{at}", "status": f"s{read}", "price": read + at / 7} for at in range(count)]
        turns += (call(read, "get_loan", loan_id="L-1"), result(read, json.dumps({"loans": rows, "count": count})))
    return _made(*turns, say("assistant", "Done."))


def _one_record(size: int) -> Made:
    """Rows about one record, all of which differ in their keys."""
    rows = [{"loan_id": "L-1", "line": at, "status": f"s{at}"} for at in range(size // 60)]
    return _made(
        say("user"),
        call(1, "get_loan"),
        result(1, json.dumps(rows)),
        call(2, "get_loan"),
        result(2, json.dumps(rows[::-1])),
    )


def _writes(size: int) -> Made:
    """Writes and reads in turns: every read differs from the last."""
    turns: list[Message] = [say("user")]
    for at in range(_items(size, 200, 490)):
        turns += (call(2 * at, "update_loan", loan_id=f"M-{at}"), result(2 * at, json.dumps({"loan_id": f"M-{at}"})))
        answer = {"loan_id": "L-1", "status": f"s{at}", "title": f"t{at}", "member_id": f"P-{at}"}
        turns += (call(2 * at + 1, "get_loan", loan_id="L-1"), result(2 * at + 1, json.dumps(answer)))
    return _made(*turns)


def _written(size: int) -> Made:
    """Rows of a list that are all different after many writes."""
    before, after = (
        [{"loan_id": f"L-{at}", "status": f"{word}{at}", "price": at + price} for at in range(size // 160)]
        for word, price in (("s", 0.1), ("t", 0.2))
    )
    turns: list[Message] = [say("user"), call(0, "get_loan"), result(0, json.dumps(before))]
    for at in range(1, _items(size, 300, 490)):
        turns += (call(at, "update_loan", loan_id=f"M-{at}", line=at), result(at, json.dumps({"loan_id": f"M-{at}"})))
    return _made(*turns, call(999, "get_loan"), result(999, json.dumps(after)), say("assistant"))


def _deletions(size: int) -> Made:
    turns: list[Message] = []
    for at in range(_items(size, 120, 490)):
        turns += (
            say("user", _filled("Delete it? No.", size // 500)),
            *_asked(at, "delete_loan", loan_id=f"L-{at}"),
            say("assistant", "Is it fine?"),
        )
    return _made(*turns)


def _rules(size: int) -> Made:
    lines = "".join(f"- At most {at} apples{at} of word{at} are zeta{at} fine.\n" for at in range(size // 80))
    return _made(
        say("system", lines),
        say("user"),
        *_asked(1, loans=7),
        say("assistant"),
        text=lines.replace("At most 1", "At most 2"),
    )


def _same_rules(size: int) -> Made:
    lines = "".join(f"- Apples are {at} or words fine good.\n" for at in range(size // 80))
    return _made(say("system", lines), say("user"), text=lines.replace("or words", "or 3 words"))


def _bounds(size: int) -> Made:
    lines = "".join(f"- At most {at} weeks of field{at}.\n" for at in range(size // 80))
    return _made(
        say("system", lines),
        say("user"),
        *_asked(1, **{f"field{at}x": at for at in range(_items(size, 80, 2000))}),
        say("assistant"),
    )


def _claims(size: int) -> Made:
    turns = (
        each
        for at in range(_items(size, 80, 1000))
        for each in (
            say("user", _filled("", size // 1000)),
            say("assistant", f"It has been frobbed{at}. I have cancelled{at}."),
        )
    )
    return _made(*turns)


def _identifiers(size: int) -> Made:
    turns = (
        each
        for at in range(_items(size, 60, 1000))
        for each in (
            say("user", "AB-1 CD-1."),
            say("assistant", _filled(f"Take AB-{at} or CD-{at} for {at}.37.", size // 1000)),
        )
    )
    return _made(*turns)


def _refusals(size: int) -> Made:
    tools = tuple(make_tool(f"cancel_thing{at}_loan") for at in range(_items(size, 300, 500)))
    return _made(say("user"), say("assistant", "I cannot cancel a loan thing. " * (size // 60)), tools=tools)


def _steps(size: int) -> Made:
    steps = tuple(f"Step word{at} of zeta{at} here." for at in range(_items(size, 60, 500)))
    tools = tuple(make_tool(f"tool_{at}") for at in range(_items(size, 300, 500)))
    workflow = Workflow(description="A.", steps=steps, execution_graph=ExecutionGraph.parse("(tool_1)"), tools=tools)
    made, _ = _made(say("user"), say("assistant"), tools=tools)
    return made, Evidence(_filled(" ".join(steps), size), Extraction(workflows=(workflow,)))


def _dates(size: int) -> Made:
    days = [f"{1900 + at % 150}-{at % 12 + 1:02}-{at % 28 + 1:02}" for at in range(_items(size, 30, 1900))]
    heard = " ".join(f"{day} at {at % 24}:{at % 60:02} for {at % 99} days." for at, day in enumerate(days))
    heard = _filled(heard, size // 2)
    return _made(
        say("system", heard),
        say("user", heard),
        *_asked(1, day=[f"2{day[1:]}T1{at % 9}:13" for at, day in enumerate(days)]),
    )


def _choices(size: int) -> Made:
    options = [f"o{at}" for at in range(_items(size, 20, 1900))]
    tool = make_tool(
        "get_loan", kind={"type": "array", "items": {"type": "string", "enum": options}, "uniqueItems": True}
    )
    return _made(say("user"), *_asked(1, kind=options), say("assistant"), tools=(tool,))


def _objects(size: int) -> Made:
    """Arrays of objects that have to be unique."""
    tool = make_tool("get_loan", kind={"type": "array", "uniqueItems": True})
    return _made(
        say("user"),
        *_asked(1, kind=[{"a": at} for at in range(_items(size, 20, 1900))]),
        say("assistant"),
        tools=(tool,),
    )


def _listed(size: int) -> Made:
    """A row with a list of identifiers, and many fields of one value."""
    rows = [{"loan_id": "L-1", "status": "s", "item_ids": [f"I-{at}" for at in range(size // 40)]}]
    rows += [{f"kind{at}_id": "K-1"} for at in range(size // 60)]
    write = call(2, "update_loan", loan_id="I-1"), result(2, json.dumps({"loan_id": "I-1"}))
    again = call(3, "get_loan", loan_id="L-1"), result(3, json.dumps([{**rows[0], "status": "t"}]))
    asked = call(4, "get_loan", **{f"thing{at}_id": "K-1" for at in range(_items(size, 60, 990))}), result(4)
    return _made(
        say("user"), call(1, "get_loan"), result(1, json.dumps(rows)), *write, *again, *asked, say("assistant")
    )


def _branches(size: int) -> Made:
    """Schemas of many branches, for many values."""
    branches = [{"enum": [f"o{at}"]} for at in range(size // 40)]
    tool = make_tool("get_loan", kind={"type": "array", "items": {"anyOf": branches}})
    return _made(say("user"), *_asked(1, kind=[f"o{at}" for at in range(_items(size, 40, 1900))]), tools=(tool,))


def _deep(size: int) -> Made:
    deep: Any = 1
    for _ in range(60):
        deep = {"k" * (size // 400): deep}
    return _made(say("user"), *_asked(1, deep=[deep, deep]), say("assistant"))


SHAPES: dict[str, Callable[[int], Made]] = {
    "turns": _turns, "calls": _calls, "calls at once": _at_once, "tools": _tools, "arguments": _arguments,
    "identifiers": _values("L-{}"), "codes": _values("a{}b"), "numbers": _values("{}.37", number=True),
    "words": _values("zeta omega{} kappa"), "mails": _values("a{}@b.de"), "phones": _values("+49 30 {:07}"),
    "notes": _values("Please tell A-{0} that 12{0}34 is fine"),
    "identifiers spaced": _values("LOAN-{}-X", told="loan {} x"),
    "words in another order": _values("zeta{} omega", told="omegas of zeta{}"),
    "numbers converted": _values("{}.37", told="{}37", number=True), "values in many calls": _messages_of_values,
    "records": _records, "records read again": lambda size: _records(size, max(2, int((size / 80) ** 0.5))),
    "one record": _one_record, "writes": _writes, "rows written": _written, "deletions": _deletions, "rules": _rules,
    "rules alike": _same_rules, "bounds": _bounds, "claims": _claims, "identifiers told": _identifiers,
    "refusals": _refusals, "steps": _steps, "dates": _dates, "choices": _choices, "unique objects": _objects,
    "deep": _deep, "listed": _listed, "branches": _branches,
}  # fmt: skip
"""By name: `(trajectory, evidence)` of about N characters."""
