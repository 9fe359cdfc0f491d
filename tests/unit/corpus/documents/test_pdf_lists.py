"""PDF: lists whose labels are only numbers or letters, and what looks like them."""

import io

import pytest

from gem_tasks.corpus.documents.pdf.document import read_pdf
from tests.made_files import Text, pdf

TEXTS = ("Search the catalogue for the part.", "Open the order form", "Enter the number of parts")


def markdown(*pages):
    return read_pdf(io.BytesIO(pdf(*pages)), 10**6).text.result()[0]


def listed(*labels, x=50, y=150, leading=16, hang=18, texts=TEXTS, size=10):
    return [
        part
        for at, (label, text) in enumerate(zip(labels, texts, strict=False))
        for part in (Text(x, y + leading * at, label, size), Text(x + hang, y + leading * at, text))
    ]


INTRO = Text(50, 130, "Do these steps in turn")


@pytest.mark.parametrize("labels", ["1 2 3", "a b c", "A B C", "i ii iii", "I II III", "8 9 10"])
@pytest.mark.parametrize("size", [10, 12])
def test_bare_labels_before_hanging_texts(labels, size):
    one, two, three = labels.split()
    page = [INTRO, *listed(one, two, three, size=size), Text(50, 194, "After this, stop.")]

    assert markdown(page) == (
        f"Do these steps in turn\n\n{one}. {TEXTS[0]}\n{two}. {TEXTS[1]}\n{three}. {TEXTS[2]}\n\nAfter this, stop."
    )


def test_a_step_of_two_lines_and_the_paragraph_right_below_the_last():
    page = [
        INTRO,
        *listed("1", "2", leading=30, texts=("Search the catalogue for the part and", "Press it and")),
        *[Text(68, y, "write down its number") for y in (162, 192)],
        Text(50, 204, "which is all."),
    ]

    assert markdown(page) == (
        "Do these steps in turn\n\n1. Search the catalogue for the part and write down its number\n"
        "2. Press it and write down its number\n\nwhich is all."
    )


def test_nested_lists_and_one_that_continues():
    page = [
        INTRO,
        *listed("1", "2"),
        *listed("a", "b", x=68, y=182),
        *listed("3", y=214),
        *listed("i", "ii", x=68, y=230),
    ]

    assert markdown(page) == (
        f"Do these steps in turn\n\n1. {TEXTS[0]}\n2. {TEXTS[1]}\n   a. {TEXTS[0]}\n   b. {TEXTS[1]}\n3. {TEXTS[0]}\n"
        f"   i. {TEXTS[0]}\n   ii. {TEXTS[1]}"
    )


def test_a_list_over_pages_with_labels_that_end_at_one_place():
    first = [Text(56, 700, "8"), Text(72, 700, TEXTS[0]), Text(56, 716, "9"), Text(72, 716, TEXTS[1])]
    second = [Text(50, 100, "10"), Text(72, 100, TEXTS[2]), Text(72, 150, "The text behind the list.")]

    assert markdown([INTRO, *first], second).endswith(
        f"8. {TEXTS[0]}\n9. {TEXTS[1]}\n10. {TEXTS[2]}\n\nThe text behind the list."
    )


@pytest.mark.parametrize(
    ("form", "written"), [("{}", "{}."), ("{}.", "{}."), ("{})", "{})"), ("({})", "({})"), ("Step {}", "Step {}")]
)
def test_labels_on_lines_of_their_own(form, written):
    page = [INTRO]
    for at, text in enumerate(TEXTS, start=1):
        page += [Text(50, 120 + 40 * at, form.format(at)), Text(50, 134 + 40 * at, text)]

    assert markdown(page) == "\n".join(
        ["Do these steps in turn", "", *(f"{written.format(at)} {text}" for at, text in enumerate(TEXTS, start=1))]
    )


def test_larger_labels_that_touch_their_texts():
    page = [INTRO, *listed("1.1", "1.2", "1.3", size=12)]

    assert markdown(page) == f"Do these steps in turn\n\n1.1 {TEXTS[0]}\n1.2 {TEXTS[1]}\n1.3 {TEXTS[2]}"


def test_a_raised_number_stays_at_its_word():
    assert markdown([INTRO, Text(50, 160, "The area is 12 m"), Text(125, 156, "2", 6)]).endswith("The area is 12 m2")


FULL = "and the machine that stands in the hall which the company has had since long ago"
NO_LISTS = {
    "sums": listed("100", "250", "300"),
    "years": listed("2019", "2020", "2021"),
    "words": [Text(50, 150, "2 years of warranty"), Text(50, 163, "3 months on the pump")],
    "lines": listed("1", "2", "3", texts=(FULL, FULL, FULL)),
    "others": listed("1", "b", "iii"),
}  # fmt: skip


@pytest.mark.parametrize("lines", NO_LISTS.values(), ids=NO_LISTS)
def test_numbers_that_begin_lines_are_no_labels(lines):
    found = markdown([INTRO, *lines])

    assert not any(f"{line.text}. " in found for line in lines)
    assert all(line.text in found for line in lines)


def test_numbers_of_pages_are_no_labels():
    pages = [[Text(50, 90, str(number)), Text(50, 103, f"{FULL} in {number}0.")] for number in (12, 13, 14)]

    assert "12. " not in markdown(*pages)


def test_numbered_rows_below_a_header_are_a_table():
    page = [INTRO, Text(50, 150, "No"), Text(90, 150, "Name"), *listed("1", "2", y=164, hang=40)]

    assert markdown(page) == (
        f"Do these steps in turn\n\n| No | Name |\n|---|---|\n| 1 | {TEXTS[0]} |\n| 2 | {TEXTS[1]} |"
    )


def test_a_title_and_a_heading_of_its_size_are_two_and_one_of_two_lines_is_one():
    page = [Text(235, 95, "Ordering parts", 18, "F2"), Text(50, 123, "How to order", 18, "F2"), INTRO]
    wrapped = [
        Text(50, 95, "How to order parts of", 18, "F2"),
        Text(50, 117, "the machine", 18, "F2"),
        INTRO._replace(y=150),
    ]

    assert markdown([*page[:2], INTRO._replace(y=150)]).startswith("# Ordering parts\n\n# How to order\n")
    assert markdown(wrapped).startswith("# How to order parts of the machine\n")
