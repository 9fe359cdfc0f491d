"""Platform, domain and task category by counting words that go with each."""

from collections import Counter
from collections.abc import Mapping

_PLATFORM = {
    "phone": "phone mobile app tap swipe android iphone smartphone sms notification",
    "machine": "machine elevator robot printer thermostat valve sensor motor pump conveyor lift boiler camera engine lever",
    "operator": "guest patient reader customer counter desk clinic hotel caller reception visitor clerk hotline member loan",
    "computer": "page field window browser file folder server software button dialog website report setup database system",
}

_DOMAIN = {
    "business_and_industrial": "order vendor warehouse purchase sales inventory shipment item assembly supplier production",
    "finance": "invoice payment ledger bank account currency tax vat amount posting journal credit fiscal refund budget",
    "computers_and_electronics": "software server repository code file device install branch database api developer printer",
    "internet_and_telecom": "email website browser network online internet domain router phone call",
    "jobs_and_education": "employee training school course student library job salary leave timesheet hire",
    "health": "patient clinic doctor medical appointment medicine health hospital",
    "travel_and_transportation": "travel hotel flight booking room train guest trip passenger ticket airport",
    "home_and_garden": "thermostat heating kitchen garden house furniture lamp boiler",
    "shopping": "cart shop product price discount delivery return parcel store checkout",
    "law_and_government": "permit government regulation legal contract compliance policy public federal",
    "food_and_drink": "recipe oven butter salt sauce onion cook dough",
    "people_and_society": "team meeting community volunteer member family",
    "books_and_literature": "book loan reader library author shelf",
    "real_estate": "tenant rent apartment lease building elevator property",
}

_TASK = {
    "enterprise_business_intelligence": "report dashboard ledger dimension journal budget analysis posting account fiscal",
    "ecommerce_and_retail": "order item customer sales invoice price cart return refund shop purchase discount",
    "transportation_logistics": "shipment warehouse pick delivery parcel inventory location carrier locker bin",
    "customer_support": "support ticket complaint guest member desk caller help appointment loan reader",
    "developer_tools": "code api build debug script compile developer test package environment",
    "version_control": "repository branch commit merge git pull fork",
    "security_and_iam": "permission password role user login access security authentication sign",
    "calendar_management": "appointment calendar meeting schedule slot reschedule",
    "travel_and_transportation": "flight hotel booking room trip travel train guest",
    "smart_home": "thermostat lamp sensor heating home scene",
    "robot_control": "robot elevator arm gripper conveyor lift machine",
    "communication": "email message chat call notify",
    "file_systems": "file folder directory drive disk upload document",
    "website_control": "website browser page form click cookie",
    "databases": "database table query record field sql",
    "education_elearning": "course student lesson training exam",
    "marketing": "campaign contact segment lead newsletter",
    "monitoring": "alert metric log monitor threshold alarm",
    "search": "search filter find result query",
    "note_taking": "note notebook page section",
}


def platform(words: list[str]) -> str:
    """One of the paper's five; `computer` where nothing speaks for another."""
    return _best(words, _PLATFORM, "computer")[0]


def domains(words: list[str]) -> list[str]:
    """The one or two that fit best."""
    return _best(words, _DOMAIN, "business_and_industrial")[:2]


def task_category(words: list[str]) -> str:
    """The one of the paper's 38 that fits best."""
    return _best(words, _TASK, "customer_support")[0]


def _best(words: list[str], table: Mapping[str, str], default: str) -> list[str]:
    """Names by score, best first; a runner-up needs at least half of the winner's score."""
    counts = Counter(words)
    scores = {name: sum(counts[word] for word in hints.split()) for name, hints in table.items()}
    ranked = sorted(scores, key=lambda name: -scores[name])
    most = scores[ranked[0]]
    return [name for name in ranked if scores[name] * 2 >= most] if most else [default]
