"""Word lists of the offline teacher. General English for instructions; nothing about any product or source."""

import re

# Verbs that begin an instruction. Left: as written; right: the operation a system would offer for it.
OPERATIONS: dict[str, str] = {
    "accept": "accept", "activate": "activate", "add": "add", "adjust": "adjust", "allocate": "allocate",
    "apply": "apply", "approve": "approve", "archive": "archive", "arrange": "arrange", "assign": "assign",
    "attach": "attach", "authorize": "authorize", "block": "block", "book": "book", "calculate": "calculate",
    "call": "call", "cancel": "cancel", "capture": "capture", "change": "update", "charge": "charge",
    "check": "check", "clean": "clean", "clear": "clear", "close": "close", "collect": "collect", "combine": "combine",
    "compare": "compare", "complete": "complete", "configure": "configure", "confirm": "confirm",
    "connect": "connect", "contact": "contact", "convert": "convert", "copy": "copy", "correct": "correct",
    "create": "create", "deactivate": "deactivate", "define": "define", "delete": "delete", "deliver": "deliver",
    "deploy": "deploy", "disable": "disable", "disconnect": "disconnect", "download": "download", "edit": "update",
    "email": "send", "enable": "enable", "exclude": "exclude", "export": "export", "extend": "extend", "file": "file",
    "filter": "filter", "find": "find", "finish": "complete", "generate": "generate", "give": "grant",
    "grant": "grant", "group": "group", "hand": "hand_over", "identify": "identify", "import": "import",
    "include": "include", "inform": "notify", "insert": "insert", "inspect": "inspect", "install": "install",
    "invite": "invite", "issue": "issue", "keep": "keep", "label": "label", "link": "link", "list": "list",
    "load": "load", "locate": "locate", "lock": "lock", "log": "log", "look": "look_up", "make": "make",
    "mark": "mark", "match": "match", "measure": "measure", "merge": "merge", "modify": "update", "monitor": "monitor",
    "move": "move", "notify": "notify", "order": "order", "pay": "pay", "place": "place", "plan": "plan",
    "post": "post", "prepare": "prepare", "press": "press", "preview": "preview", "print": "print",
    "process": "process", "publish": "publish", "purchase": "purchase", "reactivate": "reactivate",
    "receive": "receive", "reconcile": "reconcile", "record": "record", "refund": "refund", "register": "register",
    "reject": "reject", "release": "release", "remove": "remove", "rename": "rename", "renew": "renew",
    "reopen": "reopen", "replace": "replace", "report": "report", "request": "request",
    "reserve": "reserve", "reset": "reset", "resolve": "resolve", "restart": "restart", "restore": "restore",
    "return": "return", "reverse": "reverse", "review": "review", "run": "run", "save": "save", "scan": "scan",
    "schedule": "schedule", "search": "search", "send": "send", "set": "set", "share": "share", "ship": "ship",
    "show": "show", "sign": "sign", "sort": "sort", "specify": "set", "split": "split", "start": "start",
    "stop": "stop", "store": "store", "submit": "submit", "suspend": "suspend", "switch": "switch", "sync": "sync",
    "test": "test", "track": "track", "transfer": "transfer", "turn": "switch", "unblock": "unblock",
    "undo": "undo", "uninstall": "uninstall", "unlock": "unlock", "unplug": "unplug", "update": "update",
    "upgrade": "upgrade", "upload": "upload", "use": "use", "validate": "validate", "verify": "verify",
    "view": "view", "write": "write", "tell": "notify", "ask": "ask", "weigh": "weigh", "offer": "offer",
    "escalate": "escalate", "void": "void", "extract": "extract", "refer": "refer", "open": "open",
    "select": "select", "choose": "choose", "click": "click", "tap": "tap", "enter": "enter", "type": "type",
    "fill": "fill", "go": "go", "navigate": "navigate", "sign-in": "sign_in", "follow": "follow", "wait": "wait",
    "hold": "hold", "put": "put", "take": "take", "pick": "pick", "drag": "drag", "scroll": "scroll", "expand": "expand",
    "repair": "repair", "read": "read", "get": "get", "provide": "set", "determine": "determine",
    "repeat": "repeat", "access": "open", "login": "sign_in", "detail": "set", "reschedule": "reschedule", "unpack": "unpack", "pack": "pack", "ensure": "verify", "double-click": "click", "right-click": "click", "hover": "hover",
    "browse": "browse", "visit": "visit", "launch": "open", "paste": "paste", "leave": "leave", "describe": "set",
    "name": "rename", "map": "map", "design": "design", "distribute": "distribute", "assemble": "assemble",
    "plug": "plug", "detach": "detach", "subscribe": "subscribe", "unsubscribe": "unsubscribe", "continue": "continue",
    "proceed": "proceed", "toggle": "switch", "swipe": "swipe", "hit": "press", "indicate": "set", "state": "set",
    "check-in": "check_in", "evaluate": "evaluate", "estimate": "estimate", "forward": "forward", "reply": "reply",
    "respond": "reply", "withdraw": "withdraw", "deposit": "deposit", "initiate": "start", "begin": "start",
    "execute": "run", "perform": "run", "carry": "run", "implement": "implement", "mount": "mount",
    "power": "switch", "raise": "raise", "lower": "lower", "rotate": "rotate", "align": "align", "calibrate": "calibrate",
    "empty": "empty", "refill": "refill", "recalculate": "recalculate", "summarize": "summarize", "rate": "rate",
    "tag": "tag", "pin": "pin", "mute": "mute", "join": "join", "host": "host", "attend": "attend", "discuss": "discuss",
    "obtain": "get", "retrieve": "get", "fetch": "get", "acquire": "get", "trigger": "start",
    "decide": "decide", "substitute": "replace", "outline": "outline", "draft": "draft", "finalize": "complete",
}  # fmt: skip

# Words that are nouns as often: only a determiner after them makes an instruction of them.
NOUN_VERBS = frozenset(
    """book charge file group issue label log note order plan process purchase record refund report request return
    schedule test transfer use void release report review search sort store track update upgrade post print name map design access detail power rate tag pin host draft state raise lower
    estimate deposit visit launch""".split()
)
DETERMINER = re.compile(
    r"(?:the|a|an|this|that|these|all|any|each|every|your|their|one|both|to|it|them|\W)\b", re.IGNORECASE
)

# Verbs of handling a screen: they say how, not what; the operation is in their object.
SCREEN_VERBS = frozenset(
    """open select choose click tap enter type fill go navigate press scroll expand drag pick use follow look show view
    access double-click right-click hover browse visit launch paste swipe hit toggle""".split()
)

# Verbs with a particle, and the operation they name; an empty one is no operation of a system.
PARTICLES: dict[tuple[str, str], str] = {
    ("set", "up"): "configure", ("turn", "on"): "enable", ("turn", "off"): "disable", ("switch", "on"): "enable",
    ("switch", "off"): "disable", ("fill", "in"): "fill", ("fill", "out"): "fill", ("look", "up"): "search",
    ("look", "for"): "search", ("search", "for"): "search", ("sign", "in"): "", ("log", "in"): "", ("sign", "out"): "",
    ("log", "on"): "", ("log", "out"): "", ("log", "into"): "", ("sign", "into"): "", ("log", "off"): "",
    ("sign", "up"): "register", ("hand", "over"): "hand_over", ("pick", "up"): "collect", ("carry", "out"): "run",
    ("write", "down"): "record", ("print", "out"): "print", ("check", "in"): "check_in", ("check", "out"): "check_out",
    ("roll", "back"): "revert", ("shut", "down"): "shut_down", ("take", "out"): "remove", ("send", "back"): "return",
    ("clean", "up"): "clean_up", ("make", "sure"): "verify", ("move", "on"): "", ("go", "to"): "go", ("plug", "in"): "connect",
    ("power", "on"): "enable", ("power", "off"): "disable", ("start", "by"): "", ("begin", "by"): "", ("ask", "for"): "ask",
    ("call", "back"): "call", ("back", "up"): "back_up", ("close", "out"): "close", ("open", "up"): "open",
    ("select", "from"): "select", ("click", "on"): "click", ("tap", "on"): "tap", ("decide", "on"): "", ("point", "to"): "",
    ("refer", "to"): "", ("reply", "to"): "reply", ("respond", "to"): "reply", ("log", "a"): "log", ("apply", "for"): "request",
    ("sign", "off"): "approve", ("wait", "for"): "", ("connect", "to"): "connect", ("add", "up"): "calculate",
    ("split", "up"): "split", ("give", "back"): "return", ("put", "on"): "put", ("opt", "in"): "enable",
}  # fmt: skip

# Words that make a text be about a system, device or organisation.
SYSTEM_WORDS = frozenset(
    """account action admin administrator agent app application appointment batch booking browser button card catalog
    checkbox claim client clinic code computer console controller counter customer dashboard database dialog document
    elevator email employee entry field file folder form guest host icon invoice inventory item journal key keyboard
    ledger library license line link list locker log login machine manager member menu message meter mobile mode module
    network number office operator option order package page panel parcel password patient payment permission phone
    policy portal printer profile project record refund register report repository request reservation robot role room
    scanner schedule screen sensor server service session setting settings setup shipment shop site software staff
    status stock store system tab table tablet team technician template tenant terminal thermostat ticket tool user
    vendor version warehouse web website window workflow workspace""".split()
)

# What a sentence that states a rule contains.
RULE_MARKS = (
    "must", "may not", "cannot", "can't", "must not", "only", "at most", "at least", "no more than", "not allowed",
    "required", "never", "always", "unless", "no later than", "within", "up to", "before you", "maximum", "minimum",
    "not possible", "do not", "don't", "exceed", "mandatory", "limit", "need to", "prerequisite",
)  # fmt: skip

_WORD = re.compile(r"[a-z][a-z'-]+")


def words_of(text: str) -> list[str]:
    """Lower-case words, plurals reduced to the singular in the simplest way."""
    return [singular(word) for word in _WORD.findall(text.lower())]


def singular(word: str) -> str:
    """`boxes` to `box`, `entries` to `entry`, `lines` to `line`; leaves what does not look like a plural."""
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is", "ous")):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "xes", "sses", "zes")):
        return word[:-2]
    return word[:-1]


def plural(word: str) -> str:
    """The inverse, as simply."""
    if word.endswith("s"):
        return word
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return word[:-1] + "ies"
    return word + ("es" if word.endswith(("ch", "sh", "x", "z")) else "s")


# Words of doing something by hand in kitchen, garden, gym or workshop; no system answers to them.
HAND_WORDS = frozenset(
    """bake blender boil bowl bread broth butter cheese chicken chop cook cookie cup dish dough dressing drizzle egg
    exercise flour fry garlic garnish gram heat inhale ingredient knead knit lemon marinate meat minute mixture muscle oil
    onion oven paste pan pasta pepper pinch pot potato recipe rice roast salad salt sauce sauté sew simmer skillet slice
    soak soup spice spoon spoonful sprinkle stir stove stretch sugar tablespoon taste teaspoon tomato vegetable vinegar
    water whisk yarn yoga""".split()
)

# The past tense of stories and reports.
PAST_WORDS = frozenset(
    """was were had did said went came saw told knew thought felt stood looked seemed became began lived wrote found
    made took gave asked proposed decided introduced rejected added used could would""".split()
)


def third_person(action: str) -> str:
    """`post` to `posts`, `hand_over` to `hands over`."""
    verb, _, particle = action.partition("_")
    if verb.endswith(("s", "sh", "ch", "x", "z", "o")):
        verb += "es"
    else:
        verb = verb[:-1] + "ies" if verb.endswith("y") and verb[-2:-1] not in "aeiou" else verb + "s"
    return f"{verb} {particle}".strip().replace("_", " ")
