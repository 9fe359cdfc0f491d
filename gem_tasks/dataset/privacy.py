"""Personal data and secrets: replaces values of the source text, and counts those that a model invented.

Replacements keep the form (length, separators, country code, key prefix), so that values still match their schemas.
Within a trajectory they depend on the value alone: user, arguments and results stay consistent. They are drawn with
a hash keyed by the source text: without the text, values cannot be guessed by trial.
"""

import hmac
import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, cast

from phonenumbers import Leniency, PhoneNumberMatcher
from stdnum import iban, luhn

from gem_tasks.domain.base import Value
from gem_tasks.domain.trajectory import Trajectory
from gem_tasks.patterns import IgnoringCase

_AT_DOMAIN = re.compile(r"@(?:[\w-]{1,63}\.){1,6}[A-Za-z]{2,24}\b")
_LOCAL_PART = re.compile(r"(?<![\w.+-])[\w.+-]++\Z")
_LONGEST_LOCAL_PART = 64
_RESERVED = IgnoringCase(r"(?:^|[@.])(?:example\.(?:com|net|org)|example|test|invalid|localhost)$")
_PHONE = re.compile(r"(?<![\w.,/-])\+?\(?\d[\d ()./-]{5,18}\d(?![\w-])")
_FICTIONAL = re.compile(r"555\D?01\d\d$")
_CARD = re.compile(r"(?<![\w-])\d(?:[ -]?\d){12,18}(?![\w-])")
_TEST_CARDS = re.compile(r"^(?:4242|41111|55555|37828|4000000|60111111)")
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}(?!\w)")
_REGIONS = {
    "en": "US GB", "de": "DE", "fr": "FR", "es": "ES", "it": "IT", "nl": "NL", "pt": "PT BR", "pl": "PL", "sv": "SE",
    "da": "DK", "nb": "NO", "no": "NO", "fi": "FI", "cs": "CZ", "sk": "SK", "hu": "HU", "ro": "RO", "el": "GR",
    "tr": "TR", "ru": "RU", "uk": "UA", "ja": "JP", "zh": "CN", "ko": "KR", "hi": "IN", "id": "ID", "vi": "VN",
    "th": "TH", "he": "IL",
}  # fmt: skip
"""Countries by language; GEM always searches for their national formats."""
_HINTS = {
    "GB": "Britain;England;Scotland;Wales;United Kingdom;.co.uk;.org.uk;£;+44",
    "IE": "Ireland;Dublin;.ie/;+353",
    "AU": "Australia;Sydney;Melbourne;.com.au;+61",
    "NZ": "New Zealand;Auckland;.co.nz;+64",
    "IN": "India;Mumbai;Delhi;Bengaluru;₹;.co.in;+91",
    "ZA": "South Africa;Johannesburg;.co.za;+27",
    "SG": "Singapore;.com.sg;+65",
    "DE": "Germany;Deutschland;Berlin;GmbH;+49",
    "AT": "Austria;Österreich;Wien;.co.at;+43",
    "CH": "Switzerland;Schweiz;Suisse;Svizzera;Zürich;CHF ;+41",
    "FR": "France;Paris;+33",
    "BE": "Belgium;Belgique;België;Brussel;Bruxelles;+32",
    "ES": "Spain;España;Madrid;+34",
    "MX": "Mexico;México;.com.mx;+52",
    "AR": "Argentina;Buenos Aires;.com.ar;+54",
    "CO": "Colombia;Bogotá;.com.co;+57",
    "IT": "Italy;Italia;+39",
    "PT": "Portugal;Lisbo;+351",
    "BR": "Brazil;Brasil;R$;.com.br;+55",
    "NL": "Netherlands;Nederland;Amsterdam;+31",
    "JP": "Japan;Tokyo;日本;+81",
}
"""Words and signs in a text that indicate a country; several may apply."""
_MOST_COUNTRIES = 6
_MOST_ASKED = 3000
"""Maximum number of distinct values of a kind to check closely, at 0.15 ms each; no text by a person has more. All
others in that text count as real, so nothing personal is missed."""
_APART = "\n\0\n"
"""Separates strings that are searched together; no pattern matches across it."""
_LETTERS, _DIGITS = "abcdefghijklmnopqrstuvwxyz", "0123456789"
_RUNS = (
    (r"\/\/.+\/:_authToken=", "//", re.compile(r"[^\n]+")),
    ("sk-[A-Za-z0-9-_]*[A-Za-z0-9]{20}T3", "sk-", re.compile(r"[A-Za-z0-9_-]+")),
    ("eyJ[A-Za-z0-9-_=]+", "eyJ", re.compile(r"[A-Za-z0-9_=-]+")),
)
"""Quadratic patterns of detect-secrets: their beginning, the beginning of a match, and the runs that contain it."""
_PREFIX = re.compile(r"(?:[A-Za-z]{2,10}[-_]){1,3}|AKIA|ASIA|AIza|eyJ")


class Scrubbed(Value):
    """A trajectory without the personal data of its source."""

    trajectory: Trajectory
    replaced: dict[str, int]
    """Distinct values by kind that occur in the source text."""
    flagged: dict[str, int]
    """Distinct values by kind that do not: most likely invented, and left unchanged."""


def scrub(trajectory: Trajectory, text: str, language: str | None = None) -> Scrubbed:
    """Replaces values that the trajectory took from its source text.

    Args:
        trajectory: the accepted trajectory.
        text: text of the segment.
        language: language of the text, ISO 639-1; determines the national phone numbers to search for.
    """
    dumped = trajectory.model_dump()
    countries = countries_of(text, language)
    found = set(_personal(_APART.join(dict.fromkeys(strings(dumped))), countries))
    if not found:
        return Scrubbed(trajectory=trajectory, replaced={}, flagged={})
    known = {(kind, _plain(value)) for kind, value in _personal(text, countries)}
    key = text.encode("utf-8", "surrogatepass")
    swaps = {value: _other(kind, value, key) for kind, value in found if (kind, _plain(value)) in known}
    replaced = _distinct(item for item in found if item[1] in swaps)
    flagged = _distinct(item for item in found if item[1] not in swaps)
    if swaps:
        longest_first = sorted(swaps.items(), key=lambda swap: len(swap[0]), reverse=True)
        trajectory = Trajectory.model_validate(_swapped(dumped, longest_first))
    return Scrubbed(trajectory=trajectory, replaced=replaced, flagged=flagged)


def takes(value: Any, text: str, language: str | None = None) -> bool:
    """Whether JSON has personal data of the text that it was made from; arguments as for `scrub`."""
    countries = countries_of(text, language)
    found = {(kind, _plain(each)) for kind, each in _personal(_APART.join(dict.fromkeys(strings(value))), countries)}
    return bool(found) and not found.isdisjoint((kind, _plain(each)) for kind, each in _personal(text, countries))


def countries_of(text: str, language: str | None = None) -> tuple[str, ...]:
    """Countries (ISO 3166) whose national phone numbers a text may hold: those of its language, and those it names."""
    named = (country for country, hints in _HINTS.items() if any(hint in text for hint in hints.split(";")))
    return tuple(dict.fromkeys([*_REGIONS.get(language or "en", "US").split(), *named]))[:_MOST_COUNTRIES]


def personal(text: str, language: str | None = None) -> Iterator[tuple[str, str]]:
    """`(kind, value)` for each e-mail address, phone, card or account number and key; reserved ones are left out."""
    return _personal(text, countries_of(text, language))


def _personal(text: str, countries: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    yield from (("email", value) for value in _addresses(text) if _is_address(value))
    kinds: list[tuple[str, re.Pattern[str], Callable[[str], bool]]] = [
        ("card", _CARD, _is_card),
        ("iban", _IBAN, lambda value: iban.is_valid(value)),
        ("phone", _PHONE, lambda value: _is_phone(value, countries)),
        *(("key", pattern, bool) for pattern in _key_patterns()),
    ]
    for kind, pattern, is_real in kinds:
        values = dict.fromkeys(match[0] for match in _matches(pattern, text))
        yield from ((kind, value) for at, value in enumerate(values) if at >= _MOST_ASKED or is_real(value))


def _addresses(text: str) -> Iterator[str]:
    """E-mail addresses, read backwards from the domain: `@` is rare, but nearly any character may be before one."""
    end = at = 0
    while found := _AT_DOMAIN.search(text, at):
        at = found.start()
        if local := _LOCAL_PART.search(text[max(end, at - _LONGEST_LOCAL_PART) : at]):
            yield local[0] + found[0]
            end = at = found.end()
        else:
            at += 1


def _matches(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """Like `finditer`, in linear time: if one start within a run fails, every later one in it would fail, too."""
    rule = next((each for each in _RUNS if pattern.pattern.startswith(each[0])), None)
    if rule is None:
        yield from pattern.finditer(text)
        return
    _, head, runs = rule
    for run in runs.finditer(text):
        at = run.start()
        while (at := text.find(head, at, run.end())) >= 0 and (match := pattern.match(text, at)):
            yield match
            at = match.end()


def _is_address(value: str) -> bool:
    return not _RESERVED.search(value)


def _is_card(value: str) -> bool:
    digits = _plain(value)
    return luhn.is_valid(digits) and not _TEST_CARDS.match(digits) and len(set(digits)) > len("00")


def _is_phone(value: str, countries: tuple[str, ...]) -> bool:
    """National numbers need separators: a bare run of digits is more often an order number."""
    if _FICTIONAL.search(value) or (not value.startswith("+") and value.isdecimal()):
        return False
    # A number with a country code needs no country.
    asked = countries[:1] if value.startswith("+") else countries
    return any(PhoneNumberMatcher(value, each, leniency=Leniency.VALID).has_next() for each in asked)


@cache
def _key_patterns() -> tuple[re.Pattern[str], ...]:
    """detect-secrets' patterns of keys; imported on first use, because the import is slow."""
    from detect_secrets.plugins import (
        aws,
        github_token,
        gitlab_token,
        jwt,
        npm,
        openai,
        private_key,
        pypi_token,
        sendgrid,
        slack,
        stripe,
        telegram_token,
        twilio,
    )

    detectors = (
        aws.AWSKeyDetector, github_token.GitHubTokenDetector, gitlab_token.GitLabTokenDetector, jwt.JwtTokenDetector,
        npm.NpmDetector, openai.OpenAIDetector, private_key.PrivateKeyDetector, pypi_token.PypiTokenDetector,
        sendgrid.SendGridDetector, slack.SlackDetector, stripe.StripeDetector, telegram_token.TelegramBotTokenDetector,
        twilio.TwilioKeyDetector,
    )  # fmt: skip
    patterns = (pattern for detector in detectors for pattern in cast("Any", detector).denylist)
    return tuple(re.compile(each.pattern, each.flags | re.MULTILINE) for each in patterns)  # some match whole lines


def _other(kind: str, value: str, key: bytes) -> str:
    """A value of the same form; equal values get equal replacements in any spelling."""
    plain = _plain(value)
    stream = hmac.digest(key, f"{kind}\0{plain}".encode("utf-8", "surrogatepass"), "sha512") * (len(value) // 64 + 1)
    if kind == "email":
        return f"user{int.from_bytes(stream[:3], 'big') % 10**6:06d}@example.com"
    kept = len(match[0]) if (match := _PREFIX.match(value)) and kind == "key" else 0
    if kind == "phone" and value.startswith("+"):
        kept = re.match(r"\+\d{1,3}(?=\D)|\+\d\d?", value).end()  # pyright: ignore[reportOptionalMemberAccess]
    if kind == "iban":
        kept = 2
    taken = iter(stream[len(_plain(value[:kept])) :])
    return value[:kept] + "".join(_drawn(sign, taken) for sign in value[kept:])


def _drawn(sign: str, stream: Iterator[int]) -> str:
    if sign.isdecimal():
        return _DIGITS[next(stream) % 10]
    if sign.isalpha():
        letter = _LETTERS[next(stream) % 26]
        return letter.upper() if sign.isupper() else letter
    return sign


def _plain(value: str) -> str:
    return "".join(sign for sign in value if sign.isalnum() or sign == "@").casefold()


def _distinct(found: Iterator[tuple[str, str]]) -> dict[str, int]:
    return dict(sorted(Counter(kind for kind, _ in {(kind, _plain(value)) for kind, value in found}).items()))


def strings(value: Any) -> Iterator[str]:
    """All texts in JSON, without the names of its fields."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in cast("dict[str, Any]", value).values():
            yield from strings(part)
    elif isinstance(value, list | tuple):
        for part in cast("list[Any]", value):
            yield from strings(part)


def _swapped(value: Any, swaps: list[tuple[str, str]]) -> Any:
    if isinstance(value, str):
        for old, new in swaps:
            value = value.replace(old, new)
        return value
    if isinstance(value, dict):
        return {name: _swapped(part, swaps) for name, part in cast("dict[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_swapped(part, swaps) for part in cast("list[Any]", value)]
    return value
