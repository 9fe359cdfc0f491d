"""Where arguments come from: each value must have been said before, or follow plainly from what was.

Hallucinated parameters are the first of the paper's three failure signatures, and the judge's rule R1. A value is
traced to the system turn, the user, an earlier tool result, or the schema (enum, const, default); or to a transparent
derivation: another format of number or date, another unit, case, concatenation, arithmetic, the length of a list, a day
counted from the one that the system turn names. Proposals of the assistant count once the user has answered them; for
identifiers they only leave it to the judge, for saying an invented one twice does not make it real.

Only identifiers, and addresses to which something is sent, can be proved to be invented: no reasoning leads to them.
Dates, numbers and words that nothing explains may still be inferred, and are left to the judge. What a look is narrowed
down with (search words, the ends of a period) is the assistant's own choice and no fact at all.
"""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, cast

from gem_tasks.checks.arguments import Leaf, leaves
from gem_tasks.checks.case import Case, Exchange, Rows
from gem_tasks.checks.clock import in_part_of_day, shifted
from gem_tasks.checks.dates import Calendar, day, in_words, is_weekday
from gem_tasks.checks.entities import is_id_key, is_traffic_key
from gem_tasks.checks.faults import Fault, finding
from gem_tasks.checks.kinds import Kinds, is_id_name
from gem_tasks.checks.numbers import computed, converted, known
from gem_tasks.checks.said import STOP, Said, Utterance, content_words
from gem_tasks.checks.verbs import reads, verb, words
from gem_tasks.domain.finding import Finding
from gem_tasks.patterns import IgnoringCase

CHECK = "grounding"

_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::\d{2})?(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})?)?")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::\d{2})?(?:\s?([AaPp])\.?[Mm]\.?)?")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.\w+")
_URL = IgnoringCase(r"(?:https?|ftp|s3)://\S+")
_PHONE = re.compile(r"\+?[\d\s()./-]{7,20}")
_TOKEN = re.compile(r"(?:(?!\d)\S)*+\d\S*+")
_QUANTITY = re.compile(r"[$€£]?\s?([-+]?\d[\d,.]*)\s?(%|[a-zA-Zµ°€$£]{0,12})(?:\s(?:per|/)\s?\w+)?")
_NUMBER_IN = re.compile(r"\d[\d,.]*\d|\d")
_ID_IN = re.compile(r"(?<![\w-])(?=[\w-]*[A-Za-z])[A-Za-z]{1,12}[-_#]\w*\d[\w-]*(?![\w-])")

_PAGING = frozenset(
    """
    limit page offset top max results size per skip k n
    """.split()
)
_ORDERING = frozenset(
    """
    position index rank step order line sequence priority level
    """.split()
)
_AGGREGATE = frozenset(
    """
    total amount sum balance remaining difference refund subtotal cost price fee quantity count duration new
    minutes hours days nights budget rate value payment discount weight volume area
    """.split()
)
_AUTHORED = frozenset(
    """
    message body note notes text comment comments description reason summary content subject remark remarks
    details explanation justification instructions title memo feedback query question prompt search keywords
    keyword agenda headline caption
    """.split()
)
_SURE_IDS = frozenset("id uuid guid number no sku isbn iban".split())
_CREATES = frozenset("create add register new open insert".split())
_PROPER = re.compile(r"[A-Z][\w'’.-]+(?:\s+[A-Z][\w'’.-]+)+")
"""A name of several words: looking for somebody of whom nobody spoke is no search word."""
_RUNS = re.compile(r"[^\W\d_]+|\d+")
_LONGEST_CODE = 1000
"""Characters of a code that may have been put together from what was said."""
_LAST_DATES = 5
"""Dates of the system turn that may be the current one."""
_MOST_POSITION = 20
"""Up to where a position, rank or priority is the assistant's to choose."""
_MOST_DIGITS = 20
_MOST_PAGING = 1000
_PHONE_TAIL = 7
_LONG_ENOUGH = 5
"""Words from which a message or note is the assistant's own wording."""
_LONG = 6
_MIN_DIGITS = 4
_NEIGHBOURS = 40


@dataclass
class _Grounds:
    """What counts as a source at a point of the conversation."""

    kinds: Kinds
    given: Said = field(default_factory=Said)
    """System turn, users, tools."""
    proposed: Said = field(default_factory=Said)
    """Words of the assistant that the user has answered."""
    pending: list[Utterance] = field(default_factory=list[Utterance])
    system: str = ""
    lengths: set[int] = field(default_factory=set[int])
    """Of the lists in results."""
    told: Said = field(default_factory=Said)
    """System turn and users only."""

    @cached_property
    def today(self) -> list[date]:
        """The latest dates of the system turn, one of which is the current one."""
        calendar = Calendar()
        calendar.read_dates(self.system)
        return sorted(calendar.dates)[-_LAST_DATES:]


def check(case: Case) -> Iterator[Finding]:
    """Findings for argument values that cannot be traced."""
    grounds = _Grounds(Kinds(case))
    exchanges: dict[int, list[Exchange]] = {}
    for exchange in case.exchanges:
        exchanges.setdefault(exchange.index, []).append(exchange)
    for index, message in enumerate(case.messages):
        for exchange in exchanges.get(index, []):
            tool = case.tools.get(exchange.call.name)
            for leaf in leaves(exchange.call.arguments, tool.parameters if tool else {}):
                yield from _leaf(leaf, exchange, grounds, case)
        _hear(case, index, message.role, grounds)


def _hear(case: Case, index: int, role: str, grounds: _Grounds) -> None:
    """Takes a message in as a source."""
    said = case.utterances[index]
    if role == "assistant":
        grounds.pending.append(said)
        return
    grounds.given.add(said)
    if role == "user":
        for proposal in grounds.pending:
            grounds.proposed.add(proposal)
        grounds.pending.clear()
    if role == "tool":
        answered = case.answered.get(index)
        call = answered.call.name if answered else ""
        _hear_result(case.data.get(index), case.rows.get(index, ()), call, grounds)
        return
    grounds.told.add(said)
    if role == "system":
        grounds.system += said.text + "\n"


def _hear_result(data: Any, rows: Rows, call: str, grounds: _Grounds) -> None:
    if isinstance(data, list):
        grounds.lengths.add(len(cast("list[Any]", data)))
    grounds.kinds.hear(rows, call)
    for _, row in rows:
        for value in row.values():
            if isinstance(value, list):
                grounds.lengths.add(len(cast("list[Any]", value)))


def _leaf(leaf: Leaf, exchange: Exchange, grounds: _Grounds, case: Case) -> Iterator[Finding]:
    if leaf.settled:
        return
    if isinstance(leaf.value, int | float):
        fault = _number(leaf, grounds)
    else:
        fault = _string(leaf, str(leaf.value), exchange.call.name, grounds)
    if fault is None:
        other = grounds.kinds.other(leaf) if isinstance(leaf.value, str) else ""
        if other:
            yield _at(Fault.WRONG_SOURCE, f"{leaf.value!r} was returned as {other}, not as {leaf.name}", leaf, exchange)
        return
    detail = f"{json.dumps(leaf.value, ensure_ascii=False)[:120]} was not said before"
    if fault in _PREMATURE and _comes_later(leaf.value, exchange, case):
        yield _at(_PREMATURE[fault], f"{detail}: it is known only from a later result", leaf, exchange)
    else:
        yield _at(fault, detail, leaf, exchange)


_PREMATURE = {Fault.INVENTED_ID: Fault.PREMATURE_ID, Fault.UNSOURCED_CODE: Fault.PREMATURE}


def _at(fault: Fault, detail: str, leaf: Leaf, exchange: Exchange) -> Finding:
    return finding(fault, f"{exchange.call.name}.{leaf.name[:60]}: {detail[:200]}", exchange.index, leaf.path)


def _comes_later(value: Any, exchange: Exchange, case: Case) -> bool:
    """Whether a later result gives the value, so that the call should have waited for it.

    The call's own answer does not count: systems echo what they are given.
    """
    wanted = json.dumps(value, ensure_ascii=False)
    later = range(exchange.index + 1, len(case.messages))
    return any(
        case.messages[at].role == "tool" and at != exchange.answer_index and wanted in (case.messages[at].content or "")
        for at in later
        if not _echoes(case, at, wanted)
    )


def _echoes(case: Case, at: int, wanted: str) -> bool:
    other = case.answered.get(at)
    return other is not None and wanted in json.dumps(other.call.arguments, ensure_ascii=False)


def _number(leaf: Leaf, grounds: _Grounds) -> Fault | None:
    """None when traced."""
    try:
        value = float(leaf.value)
    except OverflowError:
        return Fault.UNSOURCED_NUMBER
    name = set(words(leaf.name))
    if not math.isfinite(value) or value in (0, 1):
        return None
    if (name & _PAGING and name <= _PAGING and value <= _MOST_PAGING) or (name & _ORDERING and value <= _MOST_POSITION):
        return None
    if known(value, grounds.told.numbers()) or grounds.given.spelled(_plain(leaf.value)):
        return None
    said = grounds.given.numbers()
    if known(value, said):
        return None
    proposed = grounds.proposed.numbers()
    if known(value, proposed) or converted(value, said) or _counted(value, name, grounds):
        return None
    if name & _AGGREGATE and computed(value, _recent_numbers(grounds)):
        return None
    return Fault.UNSOURCED_NUMBER


def _plain(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else str(value)


def _counted(value: float, name: set[str], grounds: _Grounds) -> bool:
    return bool(name & (_AGGREGATE | _PAGING)) and value in grounds.lengths


def _recent_numbers(grounds: _Grounds) -> list[float]:
    """Of the last few things said: sums are made of what is at hand."""
    found: list[float] = []
    for item in grounds.given.utterances[-4:] + grounds.proposed.utterances[-1:]:
        found.extend(sorted(number for number in item.numbers if number not in (0, 1)))
    return found[-_NEIGHBOURS:]


def _string(leaf: Leaf, value: str, tool: str, grounds: _Grounds) -> Fault | None:
    """None when traced."""
    text = value.strip()
    if not text or grounds.given.literally(text):
        return None
    if match := _DATE.fullmatch(text):
        return _date(match, grounds)
    if match := _CLOCK.fullmatch(text):
        return _time(match, grounds)
    if is_id_name(leaf.name) and _TOKEN.fullmatch(text):
        return _identifier(leaf, text, tool, grounds)
    if _EMAIL.fullmatch(text) or _URL.fullmatch(text):
        return _address(text, tool, grounds)
    digits = "".join(sign for sign in text if sign.isdigit())
    if _PHONE.fullmatch(text) and len(digits) >= _PHONE_TAIL and grounds.given.calls_number(digits[-_PHONE_TAIL:]):
        return None
    if _PHONE.fullmatch(text) and len(digits) >= _PHONE_TAIL and text.startswith("+"):
        return Fault.UNSOURCED_ADDRESS if reads(tool) else Fault.INVENTED_ADDRESS
    quantity = None if is_id_name(leaf.name) else _QUANTITY.fullmatch(text)
    if quantity and _quantity(quantity[1], grounds):
        return None
    return _token(text, grounds) if _TOKEN.fullmatch(text) else _words(leaf.name, text, tool, grounds)


def _date(match: re.Match[str], grounds: _Grounds) -> Fault | None:
    wanted = day(int(match[1]), int(match[2]), int(match[3]))
    if wanted is None:
        return Fault.UNSOURCED_DATE
    traced = any(grounds.given.literally(form) for form in in_words(wanted)) or any(
        said.calendar.knows(wanted) or said.calendar.derives(wanted, grounds.today)
        for said in (grounds.told, grounds.given, grounds.proposed)  # the few words of people first
    )
    traced = traced or _whole_year(wanted, grounds)
    if not traced:
        return Fault.UNSOURCED_DATE
    return _time_of_day(int(match[4]), int(match[5]), grounds) if match[4] else None


def _whole_year(wanted: date, grounds: _Grounds) -> bool:
    """First or last day of a year that was named."""
    return (wanted.month, wanted.day) in ((1, 1), (12, 31)) and wanted.year in grounds.given.numbers()


def _time(match: re.Match[str], grounds: _Grounds) -> Fault | None:
    hour = int(match[1]) % 12 + (12 if match[3].lower() == "p" else 0) if match[3] else int(match[1])
    return _time_of_day(hour, int(match[2]), grounds)


def _time_of_day(hour: int, minute: int, grounds: _Grounds) -> Fault | None:
    edges = {(0, 0), (23, 59), (24, 0)}
    said = grounds.given.times() | grounds.proposed.times()
    if (hour, minute) in edges | said:
        return None
    if any(in_part_of_day(item.folded, hour, minute) for item in grounds.told.utterances):
        return None
    lengths = grounds.given.durations() | grounds.proposed.durations()
    return None if shifted((hour, minute), lengths) & said else Fault.UNSOURCED_TIME


def _address(text: str, tool: str, grounds: _Grounds) -> Fault | None:
    """An e-mail address or URL that was not said; one made of parts that were, or only looked up, is for the judge."""
    parts = [part for part in content_words(text) if part not in ("http", "https", "www", "com", "org", "net")]
    said = grounds.given.words(parts)
    return Fault.UNSOURCED_ADDRESS if reads(tool) or (parts and len(said) == len(parts)) else Fault.INVENTED_ADDRESS


def _identifier(leaf: Leaf, text: str, tool: str, grounds: _Grounds) -> Fault | None:
    """An identifier that was not said: no plain derivation leads to one.

    A rule may tell how to put one together from what was said (`ORD-4412` for order 4412), whoever creates a thing may
    choose its number, the user may have agreed to one that was proposed, and a code or reference that no result has
    shown may be of the assistant's own making.
    """
    if grounds.given.spelled(text):
        return None
    name, told = leaf.name, str(leaf.schema.get("description", ""))
    if not is_id_key(name) or is_traffic_key(name) or not (words(name)[-1] in _SURE_IDS or grounds.kinds.offered(name)):
        return Fault.UNSOURCED_CODE
    digits = [part for part in _RUNS.findall(text[:_LONGEST_CODE].casefold()) if part.isdecimal()]
    assembled = len(grounds.given.words(digits)) == len(digits)
    agreed = text in told or grounds.proposed.spelled(text)
    return Fault.ASSEMBLED_ID if assembled or agreed or _chooses(name, tool) else Fault.INVENTED_ID


def _chooses(name: str, tool: str) -> bool:
    """Whether a call creates what a field is the number of: `create_invoice(invoice_number)`."""
    return verb(tool) in _CREATES and set(words(name)[:-1]) <= set(words(tool)[1:])


def _token(text: str, grounds: _Grounds) -> Fault | None:
    """A word with digits: a code, a quantity with its unit, a file name."""
    if grounds.given.spelled(text) or grounds.proposed.spelled(text):
        return None
    if len(text) > _LONGEST_CODE:
        return Fault.UNSOURCED_CODE
    parts = _RUNS.findall(text)
    numbers = grounds.given.numbers()
    loose = [part for part in parts if not (grounds.given.words([part.casefold()]) or _is_number(part, numbers))]
    return None if not loose and len(parts) > 1 else Fault.UNSOURCED_CODE


def _quantity(digits: str, grounds: _Grounds) -> bool:
    try:
        value = float(digits.replace(",", ""))
    except ValueError:
        return False
    said = grounds.given.numbers()
    return known(value, said) or converted(value, said) or known(value, grounds.proposed.numbers())


def _is_number(part: str, said: set[float]) -> bool:
    return part.isdecimal() and len(part) < _MOST_DIGITS and float(part) in said


def _words(field_name: str, text: str, tool: str, grounds: _Grounds) -> Fault | None:
    """Words without digits, or prose."""
    if grounds.given.spelled(text) or grounds.proposed.literally(text):
        return None
    name, wanted = set(words(field_name)), content_words(text)
    letters = [word for word in wanted if not word.isdecimal()]
    said = grounds.given.words(letters)
    missing = len(letters) - len(said)
    if _invented_detail(text, grounds):
        return Fault.UNSOURCED_CODE
    if not missing or (name & _AUTHORED and (len(wanted) >= _LONG_ENOUGH or 2 * missing <= len(wanted))):
        return None
    if is_weekday(text) and (grounds.given.calendar.weekdays or grounds.given.calendar.dates):
        return None
    proposed = grounds.proposed.words([word for word in letters if word not in set(said)])
    if len(proposed) == missing or (len(wanted) >= _LONG and 2 * missing <= len(wanted)):
        return None
    return None if reads(tool) and (said or proposed or not _PROPER.fullmatch(text)) else Fault.UNSOURCED_WORDS


def _invented_detail(text: str, grounds: _Grounds) -> bool:
    """Whether prose contains an identifier or a long number that nobody gave."""
    for token in _ID_IN.findall(text):
        if not grounds.given.spelled(token) and token.casefold() not in STOP:
            return True
    long = [found for found in _NUMBER_IN.findall(text) if sum(sign.isdigit() for sign in found) >= _MIN_DIGITS]
    return any(not (grounds.given.spelled(found) or _quantity(found, grounds)) for found in long)
