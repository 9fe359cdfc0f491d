"""What the source says of people is replaced; what a model made up is counted; placeholders are neither."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_tasks.dataset import privacy
from gem_tasks.dataset.privacy import personal, scrub
from gem_tasks.domain.trajectory import Message, ToolCall, Trajectory
from tests.factories import TOOLS, make_trajectory

TEXT = "Write to anna.schmidt@uni-muenster.de or call +49 251 8322000."


def spoken(*texts, **arguments):
    calls = (ToolCall(id="1", name="send", arguments=arguments),) if arguments else ()
    said = [Message(role="user", content=text) for text in texts]
    return Trajectory(tools=TOOLS, messages=(*said, Message(role="assistant", tool_calls=calls)))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("mail bob.o'hara+x@corp.co.uk now", "email"),
        ("call +49 30 901820", "phone"),
        ("call (212) 736-5000", "phone"),
        ("pay with 4539 1488 0343 6467", "card"),
        ("to DE89 3704 0044 0532 0130 00", "iban"),
        ("use ghp_" + "aB3" * 12, "key"),
        ("use AKIAIOSFODNN7EXAMPLE", "key"),
        ("-----BEGIN RSA PRIVATE KEY-----", "key"),
    ],
)
def test_kinds(text, kind):
    assert [found for found, _ in personal(text, "en")] == [kind]


@pytest.mark.parametrize(
    "text",
    [
        "", "user@example.com", "a@b.test", "555-0142", "(212) 555-0199", "4242 4242 4242 4242", "ORD-12345678",
        "2026-01-31T14:00:00", "$1,299.00", "12345678", "978-3-16-148410-0", "192.168.10.20", "v3.12.4-rc1",
        "shipment 1Z999AA10123456784", "L-7", "9781861972712", "2026-01-31", "10:30 - 11:45",
    ],
)  # fmt: skip
def test_placeholders_ids_dates_and_prices_are_none(text):
    assert list(personal(text, "en")) == []


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Ring 020 7183 8750 before noon.", "en"),
        ("Mobile: 07911 123456", "en"),
        ("Our office in Dublin: (01) 677 1234", "en"),
        ("Call our Sydney desk on (02) 9374 4000", "en"),
        ("The Mumbai branch answers on 022 2778 2778", "en"),
        ("Telefon 030 901820", "de"),
        ("Wien: 01 58858 0", "de"),
        ("Zürich: 044 668 18 00", "de"),
        ("Tél. 01 42 68 53 00", "fr"),
        ("電話 03-6384-9000", "ja"),
        ("Ligue (11) 2395-8400", "pt"),
        ("Llame en Bogotá al 601 742 9000", "es"),
    ],
)
def test_a_national_phone_number_is_found_by_the_language_or_a_country_that_the_text_names(text, language):
    assert [kind for kind, _ in personal(text, language)] == ["phone"]


def test_the_source_tells_the_country_for_its_trajectory():
    source = "Questions? Ring the Sydney desk on (02) 9374 4000."
    found = scrub(spoken("My number is (02) 9374 4000."), source, "en")
    assert found.replaced == {"phone": 1}
    assert "9374" not in found.trajectory.messages[0].content


def test_the_same_value_gets_the_same_replacement_everywhere():
    said = "I am ANNA.schmidt@uni-muenster.de"
    found = scrub(spoken(said, to="anna.schmidt@uni-muenster.de", phones=["+49 251 8322000", "+492518322000"]), TEXT)
    user, assistant = found.trajectory.messages
    arguments = assistant.tool_calls[0].arguments
    assert user.content == f"I am {arguments['to']}"
    assert re.fullmatch(r"user\d{6}@example\.com", arguments["to"])
    spaced, plain = arguments["phones"]
    assert spaced.replace(" ", "") == plain
    assert spaced != "+49 251 8322000"
    assert re.fullmatch(r"\+49 \d{3} \d{7}", spaced)
    assert (found.replaced, found.flagged) == ({"email": 1, "phone": 1}, {})


def test_what_the_source_does_not_have_is_counted_and_left():
    trajectory = spoken("I am carla@firm.io")
    found = scrub(trajectory, TEXT)
    assert found.trajectory == trajectory
    assert (found.replaced, found.flagged) == ({}, {"email": 1})


def test_another_source_gives_another_replacement():
    trajectory = spoken(TEXT)
    assert scrub(trajectory, TEXT).trajectory != scrub(trajectory, TEXT + " Thanks.").trajectory


def test_a_trajectory_without_any_is_the_same_object():
    trajectory = make_trajectory()
    assert scrub(trajectory, "Loans are renewed at most twice.").trajectory is trajectory


@given(st.text(max_size=300))
def test_any_text_can_be_looked_at(text):
    scrub(spoken(text), text)


def test_so_many_values_are_looked_at_and_the_others_count_as_real(monkeypatch):
    asked = []
    monkeypatch.setattr(privacy, "_is_phone", lambda value, countries: bool(asked.append(value)))
    numbers = [f"+49 30 {at:07}" for at in range(5000)]
    found = [value for kind, value in personal("; ".join([*numbers, *numbers]), "en") if kind == "phone"]
    assert asked == numbers[:3000]
    assert found == numbers[3000:]


def test_personal_data_in_a_thought_is_replaced_as_everywhere():
    said = spoken("I am anna.schmidt@uni-muenster.de")
    user, assistant = said.messages
    thinking = assistant.model_copy(update={"reasoning": "So it is anna.schmidt@uni-muenster.de."})
    found = scrub(said.model_copy(update={"messages": (user, thinking)}), TEXT).trajectory.messages
    assert found[1].reasoning == f"So it is {found[0].content.removeprefix('I am ')}."
