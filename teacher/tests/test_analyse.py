"""A text is read by form alone: lists, openings, quotation; whatever it is, reading it never fails."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_teacher.reading.analyse import analyse, instruction, named
from offline_teacher.reading.limits import limits
from offline_teacher.reading.sentences import sentences

HANDBOOK = """# Lending desk

A reader may have at most 20 items on loan. Fines above 10 euros cannot be waived at the desk.

## To renew a loan

1. Search the reader by **Card number** or name.
2. On the **Loans** page, set the **Period** to a number between 1 and 3 weeks. The period cannot be longer.
   - Choose **Renew**, enter the "Reason", and then print the receipt.

> [!NOTE]
> Select nothing here.

The library was founded in 1890.
"""


def verbs(text):
    return [step.verb for step in analyse(text).steps]


def test_instructions_are_found_in_order_with_where_they_stand():
    found = analyse(HANDBOOK)
    assert [step.verb for step in found.steps] == ["search", "set", "choose", "select"]
    first, second, nested, note = (step.sentence for step in found.steps)
    assert first.ordered and second.ordered and nested.ordered
    assert first.heading == "To renew a loan"
    assert note.note and not note.ordered


def test_prose_that_tells_is_no_instruction():
    assert verbs("The library was founded in 1890. Reports are printed daily. Order is important. Do you agree?") == []


@pytest.mark.parametrize(
    "text",
    [
        "In the **Table No.** field, enter 17.",
        "If the reader agrees, renew the loan.",
        "Then, on the next page, carefully select the branch.",
        ", enter **Companies**, and then choose the related link.",
        "You must print the receipt before you close the loan.",
        "Step 2: Choose the branch.",
    ],
)
def test_what_may_stand_before_the_verb_is_passed_over(text):
    assert instruction(sentences(text)[0])


def test_hard_wrapped_lines_are_one_sentence():
    text = "Open the settings of the shared calendar and add the partner's\naddress to the list of people.\n"
    assert [sentence.text for sentence in sentences(text)] == [" ".join(text.split())]


def test_a_numbered_heading_is_a_step():
    found = analyse("# Set up\n\n## Step 1: Create the account\n\nText.\n\n## 2. Verify the address\n\nMore.")
    assert [(step.verb, step.sentence.ordered) for step in found.steps] == [("create", True), ("verify", True)]


def test_rows_of_a_table_belong_to_the_sentence_above():
    found = sentences(
        "1. Fill in the fields.\n\n   | Field | Description |\n   |--|--|\n   | **Code** | A short code. |\n"
    )
    assert found[0].rows == [("Field", "Description"), ("Code", "A short code.")]


def test_code_is_not_read_as_instructions():
    found = analyse("```\nselect the rows\nupdate the table\n```\n\nThat was SQL.")
    assert found.steps == ()
    assert found.code_share > 0.5


def test_names_are_what_is_bold_quoted_or_code():
    assert named('Set **Visit type** to "First visit" or `follow_up`, *always*.') == [
        "Visit type", "First visit", "follow_up", "always",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "noun", "minimum", "maximum"),
    [
        ("A patient may have at most 3 open appointments.", "open", None, 3),
        ("A loan lasts no more than four weeks.", "week", None, 4),
        ("The amount is between 1 and 10 euros.", "euro", 1, 10),
        ("At least 2 reviewers must approve.", "reviewer", 2, None),
        ("Discounts of more than 15 percent are never granted.", "percent", None, 15),
        ("The duration must not exceed 48 hours.", "hour", None, 48),
    ],
)
def test_numbers_that_bound_something_become_limits(text, noun, minimum, maximum):
    (limit,) = limits(text)
    assert (limit.noun, limit.minimum, limit.maximum) == (noun, minimum, maximum)


def test_a_number_that_forbids_nothing_is_no_limit():
    assert list(limits("More than 15 people came.")) == []


def test_rules_are_sentences_that_oblige_or_forbid():
    rules = analyse(HANDBOOK).rules
    assert "A reader may have at most 20 items on loan." in rules
    assert not any("1890" in rule for rule in rules)


@given(st.text(max_size=600))
def test_any_text_can_be_read(text):
    found = analyse(text)
    assert 0 <= found.code_share <= 1 and 0 <= found.table_share <= 1


MARKS = st.sampled_from(
    ["**", "1. ", "- ", "> ", "\n", "|", "#", "```", "~~~", '"', "Select ", "the ", "A, ", "or ", "to "]
)


@given(st.lists(MARKS, max_size=200).map("".join))
def test_any_heap_of_markup_can_be_read(text):
    analyse(text)


@pytest.mark.parametrize(
    "unit", ["**", "(", "If a, ", "1. Select **A** or **B** in the **C** field.\n", ": a, b or ", "|a|\n"]
)
def test_time_grows_no_faster_than_the_text(unit):
    def seconds(count):
        text = unit * count
        started = time.process_time()
        analyse(text)
        return time.process_time() - started

    analyse(unit)
    assert seconds(20_000) < 30 * seconds(2_000) + 0.5
