"""A plausible value for any JSON Schema: valid first, then as close to its name as rules can get."""

import random
import re
from datetime import date, timedelta
from typing import Any, cast
from uuid import UUID

Schema = dict[str, Any]

_FIRST = "Amara Jonas Mei Priya Tomas Lena Kofi Sofia Malik Ingrid Rafael Noor Hanna Diego Yuki Elif".split()
_LAST = "Okafor Lindqvist Tanaka Novak Silva Haddad Brandt Moreau Kaya Petrov Castillo Nguyen Weber Rossi".split()
_COMPANIES = "Northwind Harbour|Alder & Finch|Kestrel Supplies|Bluefield Works|Juniper Hall|Marlow Freight".split("|")
_WORDS = "north spring blue annual regional standard priority spare follow-up quarterly urgent returned".split()
_PLACES = "Riverside Hall|Main Street 14|Dock 3|Building C|Room 212|Elm Road 9|Warehouse East".split("|")
_ORIGIN = date(2026, 3, 2)
_DEPTH = 6


def example(name: str, schema: Schema, rng: random.Random, depth: int = 0) -> Any:
    """A value that validates for the schemas that tools usually have.

    Args:
        name: of the parameter; decides among the valid ones.
        schema: JSON Schema.
        rng: the source of choice.
        depth: of nesting, to end recursive schemas.
    """
    for fixed in ("const", "default"):
        if fixed in schema:
            return schema[fixed]
    if schema.get("enum"):
        return rng.choice(schema["enum"])
    for branch in ("anyOf", "oneOf"):
        if schema.get(branch):
            return example(name, schema[branch][0], rng, depth + 1)
    return _of_type(name, schema, rng, depth)


def _of_type(name: str, schema: Schema, rng: random.Random, depth: int) -> Any:
    declared = schema.get("type", "string")
    kinds = cast("list[str]", declared) if isinstance(declared, list) else [str(declared)]
    match next((kind for kind in kinds if kind != "null"), "null"):
        case "integer":
            return _number(schema, rng, whole=True)
        case "number":
            return _number(schema, rng, whole=False)
        case "boolean":
            return True
        case "array":
            count = max(1, schema.get("minItems", 1)) if depth < _DEPTH else 0
            return [example(name, schema.get("items") or {}, rng, depth + 1) for _ in range(count)]
        case "object":
            return _object(schema, rng, depth)
        case "null":
            return None
        case _:
            return _string(name, schema, rng)


def _object(schema: Schema, rng: random.Random, depth: int) -> dict[str, Any]:
    properties: dict[str, Schema] = schema.get("properties") or {}
    wanted = schema.get("required", []) if depth >= _DEPTH else list(properties)
    return {key: example(key, properties.get(key, {}), rng, depth + 1) for key in wanted}


def _number(schema: Schema, rng: random.Random, *, whole: bool) -> float | int:
    low = schema.get("minimum", schema.get("exclusiveMinimum", 0) + (1 if "exclusiveMinimum" in schema else 0))
    high = schema.get("maximum", schema.get("exclusiveMaximum", low + 40) - (1 if "exclusiveMaximum" in schema else 0))
    low, high = (int(low), int(high)) if whole or high - low >= 2 else (low, high)
    if step := schema.get("multipleOf"):
        return int(-(-low // step) * step) if whole else -(-low // step) * step
    if whole or high - low >= 2:
        return rng.randint(int(low) + (low < high and low == 0), max(int(low), int(high)))
    return low


def _string(name: str, schema: Schema, rng: random.Random) -> str:
    value = _formatted(name, schema, rng)
    low, high = schema.get("minLength", 0), schema.get("maxLength", 10_000)
    value = value[:high] if len(value) > high else value + "a" * (low - len(value))
    pattern = schema.get("pattern")
    return _matching(pattern, value, rng) if pattern else value


def _formatted(name: str, schema: Schema, rng: random.Random) -> str:
    day = _ORIGIN + timedelta(days=rng.randint(1, 200))
    formats = {
        "date": day.isoformat(),
        "date-time": f"{day.isoformat()}T09:30:00Z",
        "time": "09:30:00Z",
        "email": f"{rng.choice(_FIRST)}.{rng.choice(_LAST)}@{rng.choice(_LAST)}-{rng.choice(_WORDS)}.org".lower(),
        "uri": f"https://{rng.choice(_LAST).lower()}.org/{rng.choice(_WORDS)}",
        "uuid": str(UUID(int=rng.getrandbits(128), version=4)),
    }
    return formats.get(str(schema.get("format"))) or _by_name(name.lower(), rng)


def _by_name(name: str, rng: random.Random) -> str:
    """By the last telling word of the parameter's name."""
    if re.search(r"(_id|_no|_number|_code|_key|^id)$", name):
        return new_id(name, rng)
    if re.search(r"company|vendor|supplier|organi", name):
        return rng.choice(_COMPANIES)
    if re.search(r"name|customer|contact|person|user|member|guest|patient|employee|query", name):
        return f"{rng.choice(_FIRST)} {rng.choice(_LAST)}"
    if re.search(r"address|location|place|site|room", name):
        return rng.choice(_PLACES)
    words = re.sub(r"_+", " ", name).strip()
    return f"{rng.choice(_WORDS)} {words}" if words else rng.choice(_WORDS)


def new_id(name: str, rng: random.Random) -> str:
    """`sales_order_id` → `SO-4821`: letters of the thing, digits from chance."""
    words = [word for word in name.lower().split("_") if word not in ("id", "no", "number", "code", "key") and word]
    letters = "".join(word[0] for word in words) if len(words) > 1 else (words[0][:2] if words else "rec")
    return f"{letters.upper()}-{rng.randint(1000, 9999)}"


def _matching(pattern: str, value: str, rng: random.Random) -> str:
    """A string for the commonest patterns; the plain value where none fits."""
    number = str(rng.randint(1000, 9999))
    candidates = (value, "09:30", new_id("id", rng), number, "ABC123", "A1", "abc", "+491701234567", "1.0")
    return next((text for text in candidates if re.search(pattern, text)), value)
