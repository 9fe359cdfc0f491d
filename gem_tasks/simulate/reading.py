"""What a player's model answered: a turn, or a complaint that goes back to it. Model output never raises."""

import json
import re
from collections.abc import Collection
from typing import NamedTuple

from gem_tasks.corpus.text.harmless import harmless, harmless_json
from gem_tasks.domain.base import Json
from gem_tasks.domain.chat import Completion, FunctionCall
from gem_tasks.domain.spans import between, without
from gem_tasks.domain.workflow import TOOL_NAME
from gem_tasks.prompts.dialogue import parse_assistant
from gem_tasks.prompts.tags import TagError, parse_json, strip_thinking, turn_tag

EMPTY = "Your message was empty. Write it again."
CUT_OFF = "Your message was cut off at the length limit. Write a shorter one."
_DEED = re.compile("<deed>"), re.compile("</deed>")
_STOP = re.compile(r"</?stop ?/?>")
_LEFT = re.compile(r"</?(?:deed|stop)\b")


class Complaint(NamedTuple):
    """Why an answer cannot be used, in words for its model."""

    text: str


class CallTurn(NamedTuple):
    """A call of the assistant."""

    written: FunctionCall
    arguments: Json


class AssistantTurn(NamedTuple):
    """What the assistant said and called."""

    words: str
    calls: tuple[CallTurn, ...] = ()


class UserTurn(NamedTuple):
    """What the user did and said."""

    words: str
    deeds: tuple[str, ...] = ()
    stops: bool = False


def read_assistant(answer: Completion, calls_before: int) -> AssistantTurn | Complaint:
    """Reads calls in the endpoint's form, otherwise in tags."""
    if answer.finish_reason == "length":
        return Complaint(CUT_OFF)
    try:
        if answer.tool_calls:
            words, calls = plain(answer.text), tuple(map(_native, _numbered(answer.tool_calls, calls_before)))
        else:
            message = parse_assistant(_unwrapped(plain(answer.text), "assistant"), "your message", calls_before)
            written = [FunctionCall(id=call.id, name=call.name, arguments="") for call in message.tool_calls]
            calls = tuple(_call(each, call.arguments) for each, call in zip(written, message.tool_calls, strict=True))
            words = message.content or ""
        if odd := next((call.written.name for call in calls if not TOOL_NAME.match(call.written.name)), None):
            return Complaint(f"There is no tool {odd[:64]!r}. Nothing of this message was carried out. Write it again.")
        if tag := turn_tag(words):
            return Complaint(f"Your message contains {tag}. Write your own turn only, without such tags.")
    except TagError as error:
        return Complaint(f"{error}. Nothing of this message was carried out. Write it again.")
    return AssistantTurn(words, calls) if words or calls else Complaint(EMPTY)


def read_user(answer: Completion, deeds: Collection[str]) -> UserTurn | Complaint:
    """Reads words, deeds and the end of the user.

    Args:
        answer: the model's answer.
        deeds: names of the deeds that are left.
    """
    if answer.finish_reason == "length":
        return Complaint(CUT_OFF)
    text = _unwrapped(plain(answer.text), "user")
    spans = list(between(text, *_DEED))
    done = tuple(dict.fromkeys(span.inner.strip() for span in spans))
    said = without(text, spans)
    stops = _STOP.search(said) is not None
    words = _STOP.sub("", said).strip()
    if unknown := [name for name in done if name not in deeds]:
        left = ", ".join(sorted(deeds)) or "none"
        return Complaint(f"You have no deed {unknown[0][:60]!r} left. Your deeds: {left}. Write your message again.")
    if found := "a call" if answer.tool_calls else turn_tag(words) or _left(words):
        return Complaint(f"Your message contains {found}. You are the user: write only what the user says.")
    if done and not words:
        return Complaint("A deed needs a message that mentions it. Write your message again, with the deed.")
    return UserTurn(words, done, stops) if words or stops else Complaint(EMPTY)


def plain(text: str) -> str:
    """An answer without thoughts, and without characters that cannot be stored or shown."""
    text = text.encode("utf-8", "replace").decode()  # half a character cannot be stored
    return harmless(strip_thinking(text)).strip()


def _left(words: str) -> str:
    """A tag of deeds or the end that is not as it should be."""
    found = _LEFT.search(words)
    return found[0] if found else ""


def _unwrapped(text: str, role: str) -> str:
    """Without the tags of the player's own role around the whole."""
    opening, closing = f"<{role}>", f"</{role}>"
    if text.startswith(opening) and text.endswith(closing):
        return text[len(opening) : -len(closing)].strip()
    return text


def _call(call: FunctionCall, arguments: Json) -> CallTurn:
    cleaned = harmless_json(json.dumps(arguments, ensure_ascii=False))
    return CallTurn(call.model_copy(update={"arguments": cleaned}), json.loads(cleaned))


def _numbered(calls: tuple[FunctionCall, ...], before: int) -> list[FunctionCall]:
    """Calls with different ids: some endpoints send none, or the same twice. Mistral takes nine letters and digits."""
    ids = [call.id for call in calls]
    if all(ids) and len(set(ids)) == len(ids):
        return list(calls)
    return [call.model_copy(update={"id": f"c{at:08}"}) for at, call in enumerate(calls, before + 1)]


def _native(call: FunctionCall) -> CallTurn:
    """Raises TagError if the arguments are no JSON object."""
    arguments = parse_json(call.arguments or "{}", f"the arguments of {call.name[:64]}")
    if not isinstance(arguments, dict):
        raise TagError(f"the arguments of {call.name[:64]} are not a JSON object")
    return _call(call, arguments)  # pyright: ignore[reportUnknownArgumentType]
