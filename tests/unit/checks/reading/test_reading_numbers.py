"""Quantities in texts, as people and systems write them."""

import pytest

from gem_tasks.checks.reading.numbers import numbers


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("51x70, 2 x 3×\u00a04 and 5x y", {51, 70, 2, 3, 4, 5}),
        ("1,200.5 and 1 200 and 12.345,6", {1200.5, 1200, 12345.6}),
        ("2k, 3\u00a0M, 4 km and 5kg", {2, 2000, 3, 3_000_000, 4, 5}),
        ("Ticket RD-2647 at 10:30 on 2026-05-14, v12b, _7, 250ml", {250}),
        ("٣ or 1'000'000", {3, 1_000_000}),
    ],
)
def test_numbers_are_read_without_those_in_identifiers_dates_and_times(text, found):
    assert numbers(text) == found
