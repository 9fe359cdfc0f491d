"""Persons are found by their given names and signs around them; what only looks like a name is not."""

import pytest

from gem_tasks.dataset.names import named, names
from gem_tasks.domain.trajectory import Message, Trajectory
from tests.factories import TOOLS


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Author: Holger Krekel <holger@merlinux.example>", "Holger Krekel"),
        ("Copyright © 2015 - 2020 Hideki Yamane", "Hideki Yamane"),
        ("This part was written by Guido van Rossum in 1995.", "Guido van Rossum"),
        ("Please ask Michaela Brandstetter in the office.", "Michaela Brandstetter"),
        ("If it fails, call Katarzyna Wiśniewska at the desk.", "Katarzyna Wiśniewska"),
        ("Ansprechpartnerin ist Frau Jürgen-Meier, Vertretung: Jürgen Benvenuti.", "Jürgen Benvenuti"),
        ("Traduction : Jean-Luc Coulon", "Jean-Luc Coulon"),
        ("Перевод: Екатерина Герасимова", "Екатерина Герасимова"),
        ("Contact Eric S. Raymond about it.", "Eric S. Raymond"),
        ("Thanks to Adam Di Carlo for the first edition.", "Adam Di Carlo"),
        ("As Donald Knuth's book says, measure first.", "Donald Knuth"),
        ("The form goes to Alexandra Sabbers, who is head of facilities.", "Alexandra Sabbers"),
        (
            "The request for elevation to supervisor status goes to Alexandra\n   Sabbers in facilities.",
            "Alexandra Sabbers",
        ),
    ],
)
def test_persons_are_found(text, wanted):
    assert names(text) == [wanted]


@pytest.mark.parametrize(
    "text",
    [
        "", "Mark Complete", "Choose **Edit Journal** and then **Add Comments**.", "Will Be Sent", "Bill Customers",
        "The Washington Post wrote about it.", "We met in Virginia Beach and San Jose.", "Add 1 cup Brown Sugar.",
        "Write to Jane Doe or Max Mustermann.", "John Smith, 12 High Street", "Arch Linux and Red Hat",
        "Santa Clara Street 12", "Johnson Foundation", "Victoria Station", "See Georgia Tech University",
        "Ändern Sie die Lage der Achse.", "Wählen Sie Format – An der Seite.", "Jan Feb Mar Apr May Jun Jul Aug",
        "Microsoft Dynamics 365 Business Central", "GNOME Documentation Project", "Debian QA Group <qa@debian.example>",
        "Grant Access To Group Members", "The Jordan River", "By Bill-to Info",
        "April Fools", "June Report", "Free Software Foundation",
    ],
)  # fmt: skip
def test_what_only_looks_like_a_name_is_none(text):
    assert names(text) == []


def test_in_a_list_each_name_is_a_sign_for_the_next():
    alone, listed = "Then came Mark Korenberg.", "Written by Georg Brandl, Mark Korenberg and Neil Girdhar."
    assert names(alone) == []
    assert names(listed) == ["Georg Brandl", "Mark Korenberg", "Neil Girdhar"]


def test_an_address_beside_a_name_is_a_sign():
    assert names("Will Lowe") == []
    assert names("Will Lowe <lowe@debian.example>") == ["Will Lowe"]


def said(text):
    return Trajectory(
        tools=TOOLS, messages=(Message(role="user", content=text), Message(role="assistant", content="Ok"))
    )


def test_only_persons_of_the_source_that_the_conversation_names_count():
    text = "Loans longer than a month need a signature of the head of the library, Michaela\nBrandstetter."
    assert named(said("I have spoken to Michaela Brandstetter. My name is Holger Krekel."), text) == (
        "Michaela Brandstetter",
    )
    assert named(said("Michaela Brandstetters Nachfolgerin"), text) == ()
    assert named(said("My name is Holger Krekel."), text) == ()
