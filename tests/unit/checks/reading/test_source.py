"""Rules of a system turn, with the numbers that are part of their text."""

import pytest

from gem_tasks.checks.reading.source import rules


@pytest.mark.parametrize(
    "marker", ["1.1 ", "2.14. ", "A3.2 ", "B7: ", "(4) ", "- ", "## 3.1 ", "  2.1.4 ", "> # - *1. (a) "]
)
def test_the_number_of_a_rule_is_no_number_of_its_text(marker):
    (rule,) = rules(f"{marker}Loaner laptops go out for three days at most.")
    assert (rule.text, rule.numbers) == ("Loaner laptops go out for three days at most.", {3.0})


def test_a_number_that_begins_a_sentence_stays():
    (rule,) = rules("2.5 percent of the price is kept as a fee.")
    assert rule.numbers == {2.5}
