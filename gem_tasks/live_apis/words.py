"""Words of names and descriptions, and what kind of action a verb stands for."""

import re

LONGEST = 20_000
"""Maximum characters of a text to read."""
_VERBS = {
    word: verbs[0]
    for verbs in (
        ("get", "fetch", "retrieve", "read", "show", "view", "lookup", "check", "describe", "display"),
        ("list", "search", "find", "query", "browse", "filter"),
        ("create", "add", "new", "make", "book", "place", "submit", "register", "open", "insert", "post", "start"),
        ("update", "modify", "edit", "change", "set", "patch", "put", "adjust", "amend"),
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
_FILLERS = frozenset(("detail", "info", "information", "data"))
"""Nouns that add nothing to another one: `get_order_details`."""
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
    """The words that are not verbs."""
    found = frozenset(word for word in words(text) if word not in _VERBS)
    return found - _FILLERS or found


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 3 else word
