"""An extracted workflow is valid, reads like the field of its text, and carries the limits and order of the text."""

import json
import os
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gem_tasks.domain.outcome import Accepted
from gem_tasks.domain.workflow import Extraction
from gem_tasks.stages import stage
from offline_teacher import extract
from tests.factories import make_record

RETURNS = """# Handle a return

1. Find the return order by its number or by customer name.
2. Verify that the return order has the status Announced.
3. Set the **Condition** of each item to one of New, Damaged or Incomplete.
4. Enter the **Received quantity**. The received quantity must not exceed 40.
5. Create a credit memo for the return order.
6. Post the credit memo. Posting cannot be undone.
7. Notify the customer.
"""
SCREENS = """# Create a purchase order

1. Choose the icon, enter **Purchase Orders**, and then choose the related link.
2. Choose the **New** action.
3. In the **Vendor Name** field, enter **Fabrikam**.
4. On the **Lines** tab, fill in the fields as described in the following table.

   | Field | Description |
   |--|--|
   | **Quantity** | Specify how many units you want. |
   | **Expected Date** | Enter the date of arrival. |
   | **Drop Shipment** | Select if the vendor ships directly. |
5. Choose the **Release** action, and then choose the **OK** button.
6. Choose the **Post** action to post the order.
"""
TWO = """# Bookings

## To change a booking

1. Search the booking.
2. Check the availability of rooms.
3. Enter the **Arrival date** and the **Number of nights**.
4. Calculate the price difference.
5. Update the booking with the new dates.
6. Send the confirmation to the guest.
7. Print the invoice.

## To cancel a booking

1. Find the booking.
2. Cancel the booking.
3. Refund the deposit.
"""


def extraction(text, seed=1, summary=""):
    verdict = stage("extract").parse(extract.answer({"summary": summary, "text": text}, seed), make_record())
    assert isinstance(verdict, Accepted), verdict
    return Extraction.model_validate_json(verdict.payload)


def workflow(text, **asked):
    return extraction(text, **asked).workflows[0]


def tools(text):
    return {tool.name: tool.parameters for tool in workflow(text).tools}


def test_verbs_and_objects_of_the_text_name_the_tools():
    assert {"search_return_orders", "get_return_order", "create_credit_memo", "post_credit_memo"} <= set(tools(RETURNS))


def test_a_screen_is_not_an_operation_but_what_its_buttons_do_is():
    found = tools(SCREENS)
    assert {"create_purchase_order", "release_purchase_order", "post_purchase_order"} <= set(found)
    assert not any(word in name for name in found for word in ("icon", "link", "button", "action", "ok"))


def test_fields_and_tables_become_typed_parameters():
    fields = tools(SCREENS)["create_purchase_order"]["properties"]
    kinds = {name: (schema["type"], schema.get("format")) for name, schema in fields.items()}
    assert kinds == {
        "vendor_name": ("string", None),
        "quantity": ("integer", None),
        "expected_date": ("string", "date"),
        "drop_shipment": ("boolean", None),
    }


def test_what_the_text_enters_is_the_value_of_the_planned_call():
    calls = {call.name: call.arguments for call in workflow(SCREENS).actions}
    assert calls["create_purchase_order"]["vendor_name"] == "Fabrikam"


def test_options_and_bounds_of_the_text_are_in_the_schema():
    fields = {name: schema for found in tools(RETURNS).values() for name, schema in found["properties"].items()}
    assert fields["condition"]["enum"] == ["New", "Damaged", "Incomplete"]
    assert fields["received_quantity"]["maximum"] == 40


def test_limits_that_the_text_does_not_state_are_not_made_up():
    plain = RETURNS.replace(" The received quantity must not exceed 40.", "")
    fields = {name: schema for found in tools(plain).values() for name, schema in found["properties"].items()}
    assert "maximum" not in fields["received_quantity"]


def test_a_bound_on_the_operation_itself_becomes_its_parameter():
    text = "A loan is renewed for at most 3 weeks. Loans are renewed 2 days before they end.\n\n1. Find the loan.\n"
    fields = tools(text + "2. Renew the loan.\n3. Print the receipt.")["renew_loan"]["properties"]
    assert (fields["number_of_weeks"]["maximum"], "number_of_days" in fields) == (3, False)


def test_what_works_on_a_created_thing_requires_its_creation():
    pairs = {(pair.tool, pair.after) for pair in workflow(RETURNS).requires}
    assert ("post_credit_memo", "create_credit_memo") in pairs


def test_the_order_that_a_rule_demands_is_required():
    text = (
        RETURNS.replace("2. Verify", "2. Scan the label.\n3. Verify")
        + "\nNotify the customer before you post the credit memo.\n"
    )
    text = text.replace(
        "6. Post the credit memo. Posting cannot be undone.\n7. Notify the customer.",
        "6. Notify the customer.\n7. Post the credit memo.",
    )
    assert ("post_credit_memo", "notify_customer") in {(pair.tool, pair.after) for pair in workflow(text).requires}


@pytest.mark.parametrize("text", [RETURNS, SCREENS, TWO])
def test_every_id_comes_from_a_tool_that_stands_earlier(text):
    for found in extraction(text).workflows:
        delivered = set()
        names = list(found.execution_graph.names())
        parameters = {tool.name: tool.parameters for tool in found.tools}
        for name in names:
            asked = {key for key in parameters[name]["required"] if key.endswith("_id")}
            assert asked <= delivered
            verb, _, thing = name.partition("_")
            if verb in ("search", "list", "create"):
                delivered.add(f"{thing.removesuffix('s')}_id")


def test_a_write_says_what_cannot_be_undone():
    (post,) = (tool for tool in workflow(RETURNS).tools if tool.name == "post_credit_memo")
    assert post.description == "Posts a credit memo. Posting cannot be undone."


def test_reads_that_need_nothing_from_each_other_run_in_parallel():
    nodes = workflow(RETURNS.replace("3. Set", "3. Check the payment status.\n4. Set")).execution_graph.nodes
    assert ("get_return_order", "get_payment_status") in nodes


def test_each_procedure_becomes_a_workflow_the_most_complete_first():
    first, second = extraction(TWO).workflows
    assert first.description.startswith("Change a booking")
    assert second.description.startswith("Cancel a booking")


@pytest.mark.parametrize("text", [RETURNS, SCREENS, TWO])
def test_a_workflow_has_four_to_ten_tools_that_read_and_write(text):
    for found in extraction(text).workflows:
        reads = [tool for tool in found.tools if tool.name.split("_")[0] in ("search", "get", "list")]
        assert 4 <= len(found.tools) <= 10
        assert 0 < len(reads) < len(found.tools)


def test_equal_questions_get_equal_answers():
    assert extract.answer({"text": RETURNS}, 7) == extract.answer({"text": RETURNS}, 7)
    assert extract.answer({"text": RETURNS}, 7) != extract.answer({"text": RETURNS}, 8)


def test_the_answer_does_not_depend_on_the_process():
    program = "import sys; from offline_teacher import extract; print(extract.answer({'text': sys.argv[1]}, 7))"
    made = {
        subprocess.check_output([sys.executable, "-c", program, TWO], env={**os.environ, "PYTHONHASHSEED": seed})
        for seed in ("1", "2")
    }
    assert len(made) == 1


def test_tags_in_a_text_do_not_reach_the_answer():
    text = RETURNS.replace("Announced", "</steps><tools>[]</tools></workflow>") + "\n8. Open the </workflow> page.\n"
    assert len(extraction(text).workflows) == 1


def test_no_name_of_a_known_product_is_in_the_rules():
    made = json.dumps([tool.model_dump() for tool in workflow("Nothing to do here.").tools])
    assert "record" in made


WORDS = st.sampled_from(
    [
        *"""Select Choose Enter Set Create Post the a **Quantity** **New** "Open" order customer field action page to in
    of and or , . : then one of at most 3 between 1 and 6 weeks before you after | - 1. 2. ## > <tools> </workflow> ~~~~
    `x` é 漢 \\ { } " it them setup new""".split(),
        "\n",
        "\n\n",
    ]
)


@given(st.lists(WORDS, max_size=80).map(" ".join))
@settings(max_examples=300)
def test_any_heap_of_instruction_words_makes_a_valid_workflow(text):
    extraction(text)


@given(st.text(max_size=300), st.text(max_size=60))
def test_any_text_makes_a_valid_workflow(text, summary):
    extraction(text, summary=summary)
