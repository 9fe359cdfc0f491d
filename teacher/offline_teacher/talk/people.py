"""Names, firms and small talk of invented worlds. Nothing here is about any document."""

import random
import re
from dataclasses import dataclass
from datetime import date, timedelta

_FIRST = (
    "Amara Jonas Mei Priya Tomas Lena Kofi Sofia Malik Ingrid Rafael Noor Hanna Diego Yuki Elif Marta Oskar Leila "
    "Pavel Nadia Samuel Ines Viktor Aisha Bruno Clara Dario Esther Farid Greta Hugo Irina Joana Karim Lucia"
).split()
_LAST = (
    "Okafor Lindqvist Tanaka Novak Silva Haddad Brandt Moreau Kaya Petrov Castillo Nguyen Weber Rossi Adeyemi Bergman "
    "Costa Dvorak Eriksen Ferrari Gupta Horvat Ito Jensen Kowalski Larsen Mbeki Nakamura Olsen Park Quispe Romano"
).split()
_COMPANY = (
    "Alder Bluefield Cedar Delta Eastgate Fairview Granite Harbour Ironbridge Juniper Kestrel Larkspur Marlow "
    "Northgate "
    "Orchard Pinewood Quayside Redstone Silverlake Thornhill Underwood Valley Westbrook Yarrow"
).split()
_TRADE = "Supplies|Works|Freight|Partners|Trading|Services|Interiors|Systems|Foods|Logistics|Printing|Tools".split("|")
_CITY = "Porto Lyon Gdansk Leeds Bergen Turin Graz Malmo Utrecht Cork Bilbao Leipzig Tampere Split Aarhus Ghent".split()
_ROLES = "office assistant|team lead|coordinator|new colleague|department manager|clerk|project manager".split("|")
_STYLES = ("plain", "chatty", "hurried", "polite")


@dataclass(frozen=True, slots=True)
class Persona:
    """Who talks to the assistant."""

    name: str
    role: str
    number: str
    email: str
    style: str
    """One of `plain`, `chatty`, `hurried`, `polite`: decides the wording."""


@dataclass(frozen=True, slots=True)
class Setting:
    """The small world of one conversation."""

    organisation: str
    today: date
    user: Persona


def setting(rng: random.Random) -> Setting:
    """A firm, a day and a user."""
    organisation = company(rng)
    name = person(rng)
    domain = re.sub(r"\W+", "-", organisation.lower()).strip("-")
    email = f"{name.lower().replace(' ', '.')}@{domain}.com"
    user = Persona(name, rng.choice(_ROLES), f"E-{rng.randint(1100, 9899)}", email, rng.choice(_STYLES))
    today = date(2026, 1, 12) + timedelta(weeks=rng.randint(0, 36), days=rng.randint(0, 4))
    return Setting(organisation, today, user)


def person(rng: random.Random) -> str:
    """First and last name."""
    return f"{rng.choice(_FIRST)} {rng.choice(_LAST)}"


def company(rng: random.Random) -> str:
    """A firm's name."""
    return f"{rng.choice(_COMPANY)} {rng.choice(_TRADE)}"


def city(rng: random.Random) -> str:
    """A town."""
    return rng.choice(_CITY)


def place_name(rng: random.Random) -> str:
    """A proper name for a thing or place."""
    return rng.choice(_COMPANY)
