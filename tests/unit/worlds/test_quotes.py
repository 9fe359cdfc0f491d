"""Quotations found by letters and digits: markup, blanks, case and ellipses do not matter."""

import pytest

from gem_tasks.worlds.quotes import Quotes

TEXT = "## Limits\n\n1. A **host name** has\n   at most 63 characters (see _RFC 1035_).\n2. Straße und Ort: Pflicht."


@pytest.mark.parametrize(
    ("quote", "words"),
    [
        ("A host name has at most 63 characters", "A **host name** has\n   at most 63 characters"),
        ("a Host Name has … RFC 1035", "A **host name** has\n   at most 63 characters (see _RFC 1035"),
        ("“at most 63 characters.”", "at most 63 characters"),
        ("STRASSE und Ort", "Straße und Ort"),
        ("A host name has at most 64 characters", None),
        ("RFC 1035 … A host name", None),
        ("…", None),
        ("a", None),
        ("", None),
    ],
)
def test_a_quotation_is_found_by_its_letters_and_digits(quote, words):
    span = Quotes(TEXT).span(quote)
    assert (span and TEXT[slice(*span)]) == words
