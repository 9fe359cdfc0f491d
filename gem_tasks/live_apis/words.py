"""Words of names and descriptions, and what kind of action a verb stands for."""

import re

LONGEST = 20_000
"""Maximum characters of a text to read."""
_VERBS = {
    word: verbs[0]
    for verbs in (
        ("get", "fetch", "retrieve", "read", "show", "view", "lookup", "check", "describe", "display", "download"),
        ("list", "search", "find", "query", "browse", "filter"),
        (
            "create",
            "add",
            "new",
            "make",
            "book",
            "place",
            "submit",
            "register",
            "open",
            "insert",
            "post",
            "start",
            "attach",
            "draft",
            "upload",
        ),
        (
            "update",
            "modify",
            "edit",
            "change",
            "set",
            "patch",
            "put",
            "adjust",
            "amend",
            "move",
            "rename",
            "archive",
            "assign",
        ),
        ("delete", "remove", "cancel", "revoke", "drop", "close"),
        ("send", "notify", "email", "message"),
    )
    for word in verbs
}
READS = frozenset(("get", "list"))
_STOP = frozenset(
    "a an the of for to by in on with and or from as is are be its this that it all one api v1 v2 v3 rest"
    " you your will can if not no this tool return endpoint".split()
)
_FILLERS = frozenset(("detail", "info", "information", "data", "id"))
"""Nouns that add nothing to another one: `get_order_details`, `getCardsByIdCard`."""
_ES = re.compile(r"(?:ch|sh|ss|x|tus)es$")
"""Plurals in `es`: branches, addresses, statuses; not warehouses."""
_PART = re.compile(r"[^._/ -]+")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def words(text: str) -> tuple[str, ...]:
    """Lower-case words of an identifier or a sentence, singular, with common verbs made one."""
    found = (_singular(word.lower()) for word in _WORD.findall(text[:LONGEST]))
    return tuple(_VERBS.get(word, word) for word in found if word not in _STOP)


def verb_of(text: str) -> tuple[str, bool]:
    """The first word of a name or its first known verb, and whether it is a known one; "" if there are no words."""
    found, raw = words(text), _WORD.findall(text[:LONGEST])
    known = next((word for word in found if word in _VERBS), "")
    if known == "get" and raw[-1].lower() != _singular(raw[-1].lower()):
        return "list", True  # `get_orders`
    return (known, True) if known else (found[0] if found else "", False)


def nouns(text: str) -> frozenset[str]:
    """The words of a sentence that are not verbs."""
    found = frozenset(word for word in words(text) if word not in _VERBS)
    return found - _FILLERS or found


def nouns_named(name: str) -> frozenset[str]:
    """The words of an identifier or a path except a verb at one of its ends, which `archive_list` has at the first."""
    raw = [word.lower() for word in _WORD.findall(name[:LONGEST])]
    if len(raw) > 1 and raw[0] in _VERBS:
        del raw[0]
    elif len(raw) > 1 and raw[-1] in _VERBS and _singular(raw[-1]) == raw[-1]:
        del raw[-1]
    found = frozenset(_singular(word) for word in raw if word not in _STOP)
    return found - _FILLERS or found


def without_prefix(name: str, prefix: frozenset[str]) -> str:
    """An identifier or a path without its first parts if these are in the prefix, unless no noun would be left.

    `calendarList` is one part: it is something else than a calendar.
    """
    for part in _PART.finditer(name[:LONGEST]):
        if part[0].lower() not in prefix:
            rest = name[part.start() :]
            return rest if nouns_named(rest) - _VERBS.keys() else name
    return name


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if _ES.search(word):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us")) and len(word) > 3 else word
