"""Just enough English to turn names of tools and fields into sentences."""

import re
from collections.abc import Sequence

from offline_teacher.reading.words import OPERATIONS, plural, singular

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_PARTICLES = frozenset("up in out on off over down back".split())
_VOWEL_SOUND = re.compile(
    r"(?!(?:uni|use|usa|usu|user|euro|one\b|once|uk\b|url|usb|utc))(?:[aeiou]|hour|honest|honou?r)", re.I
)
_PAST = {
    "set": "set", "send": "sent", "find": "found", "make": "made", "put": "put", "take": "taken", "pay": "paid",
    "choose": "chosen", "give": "given", "write": "written", "hold": "held", "run": "run", "read": "read",
    "get": "fetched", "undo": "undone", "reset": "reset", "split": "split", "go": "gone", "tell": "told",
    "sell": "sold", "keep": "kept", "withdraw": "withdrawn", "show": "shown", "hide": "hidden", "upload": "uploaded",
    "build": "built", "begin": "begun", "buy": "bought", "bring": "brought", "draw": "drawn", "cut": "cut",
    "put in": "put in", "log": "logged", "plan": "planned", "ship": "shipped", "stop": "stopped", "scan": "scanned",
    "submit": "submitted", "refer": "referred", "transfer": "transferred", "drag": "dragged", "tap": "tapped",
    "unplug": "unplugged", "swap": "swapped", "drop": "dropped", "map": "mapped", "tag": "tagged", "flag": "flagged",
    "commit": "committed", "permit": "permitted", "control": "controlled", "cancel": "cancelled", "label": "labelled",
    "format": "formatted", "sync": "synced", "rerun": "rerun", "override": "overridden", "debug": "debugged",
}  # fmt: skip

READ_MANY = frozenset("search find list query browse lookup look locate identify filter".split())
READ_ONE = frozenset(
    "get check view show read fetch retrieve inspect review preview track calculate compare verify validate monitor "
    "measure test determine count estimate describe scan weigh see match".split()
)
CREATE = frozenset(
    "create add register book make request generate reserve schedule insert open submit file issue order record log "
    "place prepare import define invite upload write start copy plan report new draft purchase raise capture".split()
)
FINAL = frozenset(
    "post delete cancel remove submit send pay publish release refund issue transfer archive close approve complete "
    "deactivate merge void reset reject ship deliver terminate purge reverse process finalize charge sign revoke "
    "disable uninstall deploy return purchase escalate suspend block combine convert replace reconcile".split()
)
VERBS = (
    READ_MANY | READ_ONE | CREATE | FINAL | set(OPERATIONS)
    | frozenset(word.split("_")[0] for word in OPERATIONS.values())
    | frozenset("set assign attach confirm manage execute perform login authenticate allocate mark".split())
)  # fmt: skip


def split_name(name: str) -> list[str]:
    """Lower-case words of a snake_case, kebab-case or camelCase name."""
    parts = re.split(r"[^A-Za-z0-9]+", _CAMEL.sub("_", name))
    return [part.lower() for part in parts if part]


def spoken(name: str) -> str:
    """A field's name as one says it: `posting_date` to `posting date`, `item_no` to `item number`."""
    words = split_name(name)
    if len(words) > 1 and words[-1] in ("id", "no", "nr", "num"):
        words[-1] = "ID" if words[-1] == "id" else "number"
    return " ".join(words) or "value"


def verb_and_noun(name: str) -> tuple[str, str]:
    """`post_sales_order` to `("post", "sales order")`; a name without a verb gets `run`."""
    words = split_name(name)
    if len(words) > 1 and words[0] not in VERBS and words[-1] in VERBS:
        words = [words[-1], *words[:-1]]
    if not words or words[0] not in VERBS:
        return "run", " ".join(words) or "request"
    particle = 2 if len(words) > 2 and words[1] in _PARTICLES else 1
    noun = words[particle:]
    return " ".join(words[:particle]), " ".join([*noun[:-1], singular(noun[-1])] if noun else [])


def past(verb: str) -> str:
    """The past participle: `post` to `posted`, `sign in` to `signed in`."""
    if verb in _PAST:
        return _PAST[verb]
    head, _, particle = verb.partition(" ")
    if head in _PAST:
        done = _PAST[head]
    elif head.endswith("e"):
        done = head + "d"
    elif head.endswith("y") and head[-2:-1] not in "aeiou":
        done = head[:-1] + "ied"
    else:
        done = head + "ed"
    return f"{done} {particle}".strip()


def a(noun: str) -> str:
    """With the indefinite article: `an order`, `a unit`; a plural or a mass noun stays bare."""
    last = noun.split(" ")[-1] if noun else ""
    if not noun or last in _MASS or (last.endswith("s") and singular(last) != last):
        return noun
    return f"{'an' if _VOWEL_SOUND.match(noun) else 'a'} {noun}"


_MASS = frozenset(
    "information data equipment software access availability feedback stock money mail inventory history research "
    "advice progress work credit storage compliance content permission approval cash".split()
)


def many(noun: str) -> str:
    """The plural of a noun phrase: `sales order` to `sales orders`."""
    head, _, last = noun.rpartition(" ")
    return noun if last in _MASS else f"{head} {plural(last)}".strip()


def counted(number: int, noun: str) -> str:
    """`1 order`, `3 orders`."""
    return f"{number} {noun if number == 1 else many(noun)}"


def join(items: Sequence[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {last} {items[-1]}" if items else ""


def sentence(text: str) -> str:
    """First letter large, one stop at the end."""
    body = " ".join(text.split())
    if not body:
        return ""
    body = body[0].upper() + body[1:]
    return body if body[-1] in ".!?" else body.rstrip(":;,") + "."
