"""What an endpoint's complaint about a request teaches about its dialect: one change at a time. No I/O.

| a complaint about                     | teaches                                                                |
|---------------------------------------|------------------------------------------------------------------------|
| streaming (`only support stream`)     | to stream, and collect; if thinking is not wanted, to say so first     |
| the system role                       | to put its text before the first user message                          |
| the token limit, with a number        | that no more may be asked for                                          |
| the token limit, otherwise            | its other name; half of it, if it is said to be too large              |
| `response_format`                     | one step down: a schema, a loose or odd one, any JSON, text            |
| `reasoning_effort`, with a list       | the words it takes; without one, a step down, then nothing             |
| a switch for thinking                 | the next of `OFF_SWITCHES`; a strict endpoint knows `reasoning_effort` only |
| `temperature`                         | to send none                                                           |
| `stream_options`, `cache_control`     | to send none                                                           |
| `tools`, or calls of functions        | to write tools and calls as tagged text                                |
| earlier thoughts, with tools          | to send them with all messages; if they are refused, with none         |
| nothing that is named (Gemini)        | to leave out, one after the other: effort, format, temperature         |
"""

import re
from collections.abc import Callable

from gem_tasks.domain.base import Json
from gem_tasks.domain.chat import ChatRequest
from gem_tasks.errors import Complaint
from gem_tasks.llm.dialects.dialect import EFFORTS, OFF_SWITCHES, Dialect, Form, LimitName, spoken, wants_no_thoughts
from gem_tasks.llm.responses.envelope import readable
from gem_tasks.patterns import IgnoringCase

_LIMIT = "max_tokens"


def _word(pattern: str) -> IgnoringCase:
    """A pattern for whole words, also between Chinese characters, which the usual boundary counts as letters."""
    return IgnoringCase(rf"(?<![A-Za-z0-9_-])(?:{pattern})(?![A-Za-z0-9_-])")


_NAMES = {
    _LIMIT: _word(
        r"max_(?:completion_|output_|new_)?tokens|max(?:Completion|Output|New)?Tokens|n_predict"
        r"|max(?:imum)? (?:(?:allowed )?number of )?(?:output |completion |new )?tokens"
    ),
    "response_format": _word(
        r"response_?(?:format|schema|mime_?type)|response format|json[_ ](?:schema|object|mode)|structured[_ ]outputs?"
        r"|guided_\w+|(?:json )?grammar"
    ),
    "reasoning_effort": _word(
        r"reasoning(?:[_. ]?effort)?|thinking[_ ]?(?:budget|level|config)|think(?:ing can.t be disabled)?"
    ),
    "chat_template_kwargs": _word("chat_template_kwargs"),
    "enable_thinking": _word("enable_thinking"),
    "thinking": _word(r"thinking(?:\.type)?"),
    "temperature": _word("temperature"),
    "stream_options": _word("stream_?options(?:\\.include_usage)?"),
    "cache_control": _word("cache_control"),
}
_TOOLS = _word(
    r"tools?(?:_(?:choice|use|calls?|calling))?|tool[ -](?:use|calls?|calling|choice)|function[ _-]?call(?:s|ing)?"
    r"|functions?|--enable-auto-tool-choice|--jinja"
)
_CODE = re.compile(r"code\W{1,6}\d+")
_TOO_LARGE = IgnoringCase(r"too (?:large|big|high|long)|exceed|larger|greater|more than|maximum|超过|过大|大于")
_BOUND = IgnoringCase(
    r"at most (\d+)|\[\s*\d+\s*,\s*(\d+)\s*\]|between \d+ and (\d+)|(?:not (?:be )?(?:greater|more) than|<=) ?(\d+)"
    r"|(?:up to|less than or equal to) (\d+)|> (\d+), which is the maximum"
    r"|maximum (?:allowed|value|is|of)\D{0,60}?(\d+)"
    r"|(?:不能|不得)?(?:超过|大于) ?(\d+)",
)
_EXCLUSIVE = re.compile(r"(?<!\d)\d++(?= ?\(exclusive\))")
_NUMBER = re.compile(r"(?<![\w.-])(\d+)(?![\w-]|\.\d)")
_THOUSANDS = re.compile(r"(?<=\d)[,_](?=\d{3}(?!\d))")
_LEAST_BOUND = 16
_STREAM = IgnoringCase(
    r"only supports? stream|non-?stream|not support.{0,20} without stream|requires? stream|streaming only"
    r"|stream(ing)? (is required|mode only|must be|only)|must (be streamed|(use|set|enable) [`'\"]?stream)"
    r"|[`'\"]?stream[`'\"]? must be (set to )?true|set [`'\"]?stream[`'\"]?\s?(to|=|:)\s?true|[仅只]支持流式",
)
_ROLE = IgnoringCase(
    r"system (role|message|prompt|instruction)s?\b.{0,40}(not|un)|role\W{0,3}system|unknown variant .system"
    r"|does not support (the )?system|developer instruction is not enabled|system.{0,3} is not (a )?(valid|supported)"
    r"|roles? must alternate|only user and (assistant|model) roles|should be 'user'",
)
_THOUGHTS = IgnoringCase(r"reasoning_content|reasoning_details|thinking_blocks|messages\W.{0,40}\breasoning\b")
_MISSED = IgnoringCase(r"pass(?:ed)? (?:it |them )?back|must be (?:passed|provided|included|present)|missing|required")
_LIST = IgnoringCase(r"supported values|one of|expected|allowed|must be|should be|supports only|only supports?")
_QUOTED_EFFORT = IgnoringCase(rf"['\"`‘“]({'|'.join(EFFORTS)})['\"`’”]")
_EFFORT = _word("|".join(EFFORTS))
_UNKNOWN = (
    r"unrecognized|unknown[_ ](?:parameter|field|name|argument|key)|extra_forbidden|not permitted|unsupported_parameter"
    r"|unsupported parameter|is unsupported|unexpected keyword|does not support parameters|UnsupportedParams"
    r"|(?:parameter|field)[^.]{0,40}not (?:supported|allowed|recognized)|未知参数|不支持的?参数"
)
_UNKNOWN_FIELD = IgnoringCase(_UNKNOWN)
_STRICT = IgnoringCase(rf"{_UNKNOWN}|unsupported_value")
_FORCED = IgnoringCase(
    r"(?:cannot|can.t|can not|must not|may not) be (?:disabled|turned off)|always (?:on|thinks)|mandatory"
)
_KEYWORD = _word(
    r"strict|additionalProperties|\$defs|\$ref|(?:min|max)(?:Items|Length|imum|Properties)|pattern|format|const|default"
    r"|(?:any|one|all)Of|uniqueItems|multipleOf|title|prefixItems"
)
_TAKES_OBJECT = IgnoringCase(r"(expected|should be|must be|one of|supported values).{0,60}json_object")

_Change = Callable[[Dialect, ChatRequest, Json, Complaint], Dialect | None]


def adapt(dialect: Dialect, request: ChatRequest, complaint: Complaint) -> Dialect | None:
    """The dialect that a complaint asks for; None if no change would satisfy it."""
    said = _said(complaint)
    if wants_no_thoughts(request) and (own := _own_switch(dialect, said)):
        return own
    if _STREAM.search(said) and not dialect.stream:
        return dialect.model_copy(update={"stream": True})
    if request.toolbox and _THOUGHTS.search(said) and (told := _echoed(dialect, request, said)):
        return told
    system = bool(request.messages) and request.messages[0].role == "system"
    if system and not dialect.fold_system and _ROLE.search(said):
        return dialect.model_copy(update={"fold_system": True})
    sent = spoken(request, dialect)
    names = _named(complaint, request)
    for name in names:
        place = dialect.limit if name == _LIMIT else name
        here = place in sent or (name == "cache_control" and dialect.cache_control)
        changed = _CHANGES[name](dialect, request, sent, complaint) if here and name in _CHANGES else None
        if changed and wants_no_thoughts(request) and _STRICT.search(said):
            changed = _useless(changed, *OFF_SWITCHES[1:-1])
        if changed and spoken(request, changed) != sent:
            return changed
    return None if names else _without_the_likeliest(dialect, request, sent)


def _echoed(dialect: Dialect, request: ChatRequest, said: str) -> Dialect | None:
    """For an endpoint that wants the thoughts of earlier messages, or refuses them."""
    changed = dialect.model_copy(update={"echo": "always" if _MISSED.search(said) else "never"})
    return changed if spoken(request, changed) != spoken(request, dialect) else None


def parameter_of(complaint: Complaint, request: ChatRequest) -> str | None:
    """The field of a request that a complaint is about; None if it names none."""
    return next(iter(_named(complaint, request)), None)


def is_ours(name: str, request: ChatRequest) -> bool:
    """Whether all requests have this field: then the text is not at fault."""
    return name in _NAMES or name in request.sampling.extra_body


def _said(complaint: Complaint) -> str:
    """All of the complaint, message first."""
    return f"{readable(complaint.message)}\n{complaint.param}\n{complaint.text}"


def _named(complaint: Complaint, request: ChatRequest) -> list[str]:
    """Fields that the complaint names: first the one it points to, then in the order of its words."""
    param = re.split(r"[.\[]", complaint.param, maxsplit=1)[0]
    names = _NAMES | ({"tools": _TOOLS} if request.toolbox else {})
    known = next((name for name, pattern in names.items() if pattern.fullmatch(param)), param)
    pointed = [known] if known and known not in {"messages", "body", "input", "prompt"} else []
    if pointed and known not in names:
        return pointed
    said = _said(complaint)
    words = names | {name: _word(re.escape(name)) for name in request.sampling.extra_body}
    places = sorted((match.start(), name) for name, pattern in words.items() if (match := pattern.search(said)))
    return list(dict.fromkeys([*pointed, *(name for _, name in places)]))


def _limited(dialect: Dialect, request: ChatRequest, sent: Json, complaint: Complaint) -> Dialect | None:
    del request
    asked, said = sent.get(dialect.limit), _THOUSANDS.sub("", _CODE.sub("", readable(complaint.message)))
    if isinstance(asked, int) and (most := _bound(said, asked)):
        return dialect.model_copy(update={"most": most})
    if isinstance(asked, int) and _TOO_LARGE.search(said) and asked > _LEAST_BOUND:
        return dialect.model_copy(update={"most": asked // 2})
    other: LimitName = "max_tokens" if dialect.limit == "max_completion_tokens" else "max_completion_tokens"
    return dialect.model_copy(update={"limit": other})


def _bound(said: str, asked: int) -> int | None:
    """The largest allowed value: the one named as such, otherwise the largest number below the requested one."""
    if exclusive := _EXCLUSIVE.search(said):
        return int(exclusive.group()) - 1
    named = [int(number) for found in _BOUND.finditer(said) for number in found.groups() if number]
    fitting = [number for number in named if _LEAST_BOUND <= number < asked]
    return max(
        fitting or [int(number) for number in _NUMBER.findall(said) if _LEAST_BOUND <= int(number) < asked],
        default=None,
    )


def _formed(dialect: Dialect, request: ChatRequest, sent: Json, complaint: Complaint) -> Dialect | None:
    del sent
    step: dict[str, Form] = {
        "json_schema": "json_object",
        "loose_schema": "json_object",
        "object_schema": "json_object",
        "json_object": "text",
    }
    down = step.get(dialect.form)
    if dialect.form == "json_schema" and request.answer_schema and _KEYWORD.search(complaint.message):
        down = "loose_schema"
    elif dialect.form in {"json_schema", "loose_schema"} and _TAKES_OBJECT.search(complaint.message):
        down = "object_schema"
    return dialect.model_copy(update={"form": down}) if down else None


def _effort(dialect: Dialect, request: ChatRequest, sent: Json, complaint: Complaint) -> Dialect | None:
    """Allowed effort words: the list given with the complaint, or all words below the refused one."""
    word, said = sent["reasoning_effort"], _said(complaint)
    known = _listed(said, word)
    if not known and not _UNKNOWN_FIELD.search(said):
        known = _below(word)
    if not known:
        return _without(dialect, "reasoning_effort")
    changed = dialect.model_copy(update={"efforts": known})
    if not wants_no_thoughts(request) or "none" in known:
        return changed
    listed = bool(_listed(said, word)) and not _FORCED.search(said)
    return _useless(changed, *(OFF_SWITCHES[:1] if listed else OFF_SWITCHES[:-1]))


def _listed(said: str, refused: str) -> tuple[str, ...]:
    """Effort words that a complaint lists as known."""
    tail = [said[found.end() :] for found in _LIST.finditer(said)][:1]
    found = set(map(str.lower, _QUOTED_EFFORT.findall(said))) - {refused} or set(
        map(str.lower, _EFFORT.findall(" ".join(tail)))
    )
    return tuple(word for word in EFFORTS if word in found - {refused})


def _below(word: str) -> tuple[str, ...]:
    if word == "none":
        return ("low",)
    return EFFORTS[1 : EFFORTS.index(word)] if word in EFFORTS else ()


def _switch(name: str) -> _Change:
    def change(dialect: Dialect, request: ChatRequest, sent: Json, complaint: Complaint) -> Dialect | None:
        del sent
        if not wants_no_thoughts(request):
            return None
        forced = _FORCED.search(_said(complaint))
        return _useless(dialect, *(OFF_SWITCHES[:-1] if forced else (name,)))

    return change


def _own_switch(dialect: Dialect, said: str) -> Dialect | None:
    """For an endpoint that names the switch it expects: `enable_thinking must be set to false`."""
    for place, name in enumerate(OFF_SWITCHES[1:-1], 1):
        word = rf"(?<![A-Za-z_]){name}"
        wanted = IgnoringCase(rf"{word}\W{{0,4}}(?:must|should|needs to|has to)\W|(?:set|use|pass)\W{{1,4}}{word}")
        if wanted.search(said) and name not in dialect.useless and dialect.off_switch != name:
            return _useless(dialect, *OFF_SWITCHES[:place])
    return None


def _dropping(name: str) -> _Change:
    return lambda dialect, request, sent, complaint: _without(dialect, name)


_CHANGES: dict[str, _Change] = {
    _LIMIT: _limited,
    "response_format": _formed,
    "reasoning_effort": _effort,
    "chat_template_kwargs": _switch("chat_template_kwargs"),
    "thinking": _switch("thinking"),
    "enable_thinking": _switch("enable_thinking"),
    "temperature": _dropping("temperature"),
    "stream_options": _dropping("stream_options"),
    "cache_control": _dropping("cache_control"),
    "tools": _dropping("tools"),
}


def _useless(dialect: Dialect, *names: str) -> Dialect:
    found = {*dialect.useless, *names}
    return dialect.model_copy(update={"useless": tuple(name for name in OFF_SWITCHES if name in found)})


def still_thought(dialect: Dialect) -> Dialect:
    """After an answer with unwanted thoughts: the next switch, and in the end the lowest effort."""
    switch = dialect.off_switch
    return _useless(dialect, switch) if switch and switch != OFF_SWITCHES[-1] else dialect


def _without(dialect: Dialect, name: str) -> Dialect:
    return dialect.model_copy(update={"dropped": tuple(sorted({*dialect.dropped, name}))})


def _without_the_likeliest(dialect: Dialect, request: ChatRequest, sent: Json) -> Dialect | None:
    """Without the likeliest field, for a complaint that names none."""
    insisted = request.sampling.insisted
    if "reasoning_effort" in sent:
        lowered = _effort(dialect, request, sent, Complaint())
        if lowered and spoken(request, lowered) != sent:
            return lowered
    if wants_no_thoughts(request) and dialect.off_switch in OFF_SWITCHES[1:-1]:
        return _useless(dialect, *OFF_SWITCHES[:-1])
    if "response_format" in sent:
        return dialect.model_copy(update={"form": "text"})
    return _without(dialect, "temperature") if "temperature" in sent and "temperature" not in insisted else None
