"""Texts for the tests, and the partition they lie in."""

from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples" / "corpus"
PARTITION = "2026-01-31T14:00"
NAMES = ("library-loans.txt", "parcel-locker.md")
"""Two of the examples, where a whole run has to be short."""
PROCEDURE = "To return item {n}:\n1. Open the order.\n2. Select the line.\n3. Post the return receipt {n}.\n"
STORY = "The lake lay still, and {n} geese went over it while he thought of nothing but the woods.\n"
