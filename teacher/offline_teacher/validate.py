"""Validate: the judge's rules R1 to R3 by reading, as far as reading without understanding goes.

R4, R5 and the open findings always pass: the rules here read no policy, and pretend none.
"""

import json
import re
from collections.abc import Iterator

from gem_tasks.domain.base import Json
from gem_tasks.domain.trajectory import Message, Trajectory
from gem_tasks.prompts.dialogue import parse_tools, parse_trajectory
from gem_tasks.prompts.tags import TagError
from offline_teacher.reading.english import past
from offline_teacher.reading.words import words_of
from offline_teacher.talk.grounding import Grounds, leaves
from offline_teacher.talk.memory import Memory, response_of
from offline_teacher.talk.tools import Tool, toolbox

_QUOTED = re.compile(r'"[^"]*"')
"""Rules and notes are quoted: what they say is not what the assistant says."""
_MIN_RULE = 15
_CONDITIONAL = re.compile(r"\b(?:after|before|once|until|unless|if|when|not|cannot|has to|have to|could|would)\b", re.I)
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_ID = re.compile(r"(?<![\w-])[A-Z]{1,6}-\d{2,}(?:-\d+)*(?![\w-])|\b\d{4}-\d{2}-\d{2}\b")
_CLAIM = r"\b(?:I have|I've|has been|have been)\s+(?:now |just |already |successfully |also )?"
_DONE = r"\bDone: [\w ,'-]{0,80}?\b"
_UNABLE = re.compile(
    r"\b(?:I (?:can't|cannot|can not|am unable to|am not able to)|I'm (?:unable|not able) to|"
    r"I have no (?:tool|function))"
)
_GROUNDS_FOR_NO = re.compile(
    r"\b(?:rule|limit|allowed|at most|at least|policy|permitted|until|unless|before|without|only|first)\b", re.I
)
_NUMBERED = re.compile(r"^(\d+)\. ", re.M)
_RULES = ("R1", "R2", "R3", "R4", "R5")
_QUOTE = 200
_STATUS = re.compile(r"\bstatus(?: is)?(?: now)?:? ([a-z_ ]{3,20})")


def answer(sections: dict[str, str], seed: int) -> str:
    """The verdicts of `prompts/validate.md` for the sections `tools`, `trajectory` and `open findings`."""
    del seed  # the same conversation always gets the same verdict
    numbers = [int(number) for number in _NUMBERED.findall(sections.get("open findings", ""))]
    try:
        tools = parse_tools(sections.get("tools", ""))
        trajectory = parse_trajectory(sections.get("trajectory", ""), tools)
    except TagError as error:
        return _verdict(dict.fromkeys(("R1", "R2", "R3"), ("", f"it cannot be read: {error}")), numbers)
    faults: dict[str, tuple[str, str]] = {}
    for rule, index, fault in _faults(trajectory):
        words = (trajectory.messages[index].content or "")[:_QUOTE]
        faults.setdefault(rule, (words, f"message {index}: {fault}"))
    return _verdict(faults, numbers)


def _verdict(faults: dict[str, tuple[str, str]], numbers: list[int]) -> str:
    """Every rule and every open finding with its mark; `faults` are quote and reason by rule."""
    rules = [
        {"rule": rule, "pass": int(rule not in faults), "quote": quote, "reason": reason}
        for rule in _RULES
        for quote, reason in (faults.get(rule, ("", "")),)
    ]
    findings = [{"number": number, "fault": 0, "quote": "", "reason": ""} for number in numbers]
    return json.dumps({"rules": rules, "findings": findings}, ensure_ascii=False)


def _faults(trajectory: Trajectory) -> Iterator[tuple[str, int, str]]:
    """`(rule, message index, what is wrong)` in the order of the messages."""
    tools = toolbox(trajectory.tools).tools
    memory, grounds = Memory(), Grounds()
    waiting: dict[str, tuple[str, Json]] = {}
    for index, message in enumerate(trajectory.messages):
        if message.role == "assistant":
            for rule, fault in _assistant(message, trajectory, tools, memory, grounds):
                yield rule, index, fault
            waiting = {call.id: (call.name, call.arguments) for call in message.tool_calls}
            continue
        grounds.add(message.content or "")
        if message.role == "tool":
            name, arguments = waiting.get(message.tool_call_id or "", ("", {}))
            response = response_of(message)
            for fault in memory.take(name, arguments, response):
                yield "R3", index, fault


def _assistant(
    message: Message, trajectory: Trajectory, tools: dict[str, Tool], memory: Memory, grounds: Grounds
) -> Iterator[tuple[str, str]]:
    for call in message.tool_calls:
        spec = trajectory.tool(call.name)
        schema = spec.parameters if spec else {}
        for leaf in leaves(call.arguments, schema, schema):
            if not grounds.holds(leaf):
                yield "R1", f"{call.name}.{'.'.join(leaf.path)} = {leaf.value!r} comes from nowhere"
    for sentence in _SENTENCE.split(_own_words(message, trajectory)):
        for fault in _false_claims(sentence, tools, memory):
            yield "R2", fault
        if fault := _false_inability(sentence, message.content or "", tools):
            yield "R2", fault
        yield from _contradictions(sentence, memory, grounds)


def _own_words(message: Message, trajectory: Trajectory) -> str:
    """What the assistant says itself, without the rules and notes that it quotes."""
    text = message.content or ""
    if '"' in text:
        for line in (trajectory.messages[0].content or "").splitlines():
            rule = line.strip().partition(" ")[2]
            if len(rule) > _MIN_RULE:
                text = text.replace(rule, "")
    return _QUOTED.sub("", text)


def _false_claims(sentence: str, tools: dict[str, Tool], memory: Memory) -> Iterator[str]:
    """A write is said to be done, and no call of a tool that does it has succeeded."""
    if "?" in sentence or not re.search(f"{_CLAIM}|{_DONE}", sentence):
        return
    words = set(words_of(sentence))
    for done in sorted({past(tool.verb) for tool in tools.values() if tool.kind in ("create", "change")}):
        claim = re.search(rf"{_CLAIM}{re.escape(done)}\b|{_DONE}{re.escape(done)}(?=[.;,( ]*(?:$|\())", sentence)
        if not claim or _CONDITIONAL.search(sentence[: claim.end()]):
            continue
        doers = [tool for tool in tools.values() if past(tool.verb) == done and tool.kind in ("create", "change")]
        named = [tool for tool in doers if tool.noun and set(words_of(tool.noun)) <= words]
        if named and not any(tool.name in memory.succeeded for tool in named):
            yield f"it says that {named[0].noun} was {done}, but {named[0].name} has not succeeded"
        elif not named and not any(past(tools[name].verb) == done for name in memory.succeeded if name in tools):
            yield f"it says that something was {done}, but no such call has succeeded"


def _false_inability(sentence: str, whole: str, tools: dict[str, Tool]) -> str:
    """It says it cannot do what a tool does, and names no rule for it."""
    if not _UNABLE.search(sentence) or _GROUNDS_FOR_NO.search(whole):
        return ""
    words = set(words_of(sentence))
    able = next((tool for tool in tools.values() if tool.noun and {tool.verb, *words_of(tool.noun)} <= words), None)
    return f"it says it cannot, but {able.name} can" if able else ""


def _contradictions(sentence: str, memory: Memory, grounds: Grounds) -> Iterator[tuple[str, str]]:
    ids = list(dict.fromkeys(_ID.findall(sentence)))
    for token in ids:
        if not grounds.has(token):
            yield "R3", f"{token} occurs in no earlier message or result"
    known = [token for token in ids if token in memory.status]
    told = _STATUS.search(sentence)
    if told and len(known) == 1 and len(_STATUS.findall(sentence)) == 1:
        status, latest = told[1].strip().replace(" ", "_"), memory.status[known[0]]
        if status in memory.statuses and status != latest and not memory.mentions(known[0], status):
            yield "R3", f"the status of {known[0]} is {latest}, not {status}"
