"""Which operation a tool stands for, from names, words and parameters alone."""

import pytest

from gem_tasks.domain.workflow import ToolSpec
from gem_tasks.live_apis.match import dice, match, words
from gem_tasks.live_apis.operation import Operation


def schema(*names):
    return {"type": "object", "properties": {name: {"type": "string"} for name in names}, "required": list(names)}


def tool(name, *parameters, description=""):
    return ToolSpec(name=name, description=description, parameters=schema(*parameters))


OPERATIONS = (
    Operation(name="getOrderById", method="GET", path="/orders/{orderId}", parameters=schema("orderId")),
    Operation(
        name="cancelOrder", method="POST", path="/orders/{orderId}/cancel", parameters=schema("orderId", "reason")
    ),
    Operation(name="listOrders", method="GET", path="/orders", parameters=schema("customer_id")),
    Operation(
        name="op17", method="POST", path="/customers", description="Registers a customer.", parameters=schema("name")
    ),
)


@pytest.mark.parametrize(
    ("wanted", "operation"),
    [
        (tool("fetch_order", "order_id"), "getOrderById"),
        (tool("retrieve_order_details", "order_id"), "getOrderById"),
        (tool("delete_order", "order_id", "reason"), "cancelOrder"),
        (tool("search_orders", "customer_id"), "listOrders"),
        (tool("create_customer", "name", description="Registers a new customer."), "op17"),
    ],
)
def test_other_words_for_the_same_thing_find_it(wanted, operation):
    assert match(wanted, OPERATIONS).operation == operation


@pytest.mark.parametrize("stranger", [tool("water_plants", "minutes"), tool("send_invoice", "invoice_id"), tool("x")])
def test_what_the_api_cannot_do_is_not_mapped_but_names_the_nearest(stranger):
    found = match(stranger, OPERATIONS)
    assert found.operation is None
    assert found.runner_up


def test_the_score_is_the_weighted_sum_of_its_parts():
    found = match(tool("fetch_order", "order_id"), OPERATIONS)
    assert found.score == pytest.approx(0.5 * found.name + 0.2 * found.description + 0.3 * found.parameters, abs=1e-3)
    assert found.arguments == {"order_id": "orderId"}


def test_each_parameter_is_paired_once_and_equal_names_first():
    operation = Operation(name="move", parameters=schema("from_date", "date"))
    assert match(tool("move", "date", "from_date"), [operation]).arguments == {"date": "date", "from_date": "from_date"}


def test_an_api_without_operations_maps_nothing():
    assert match(tool("fetch_order"), []).operation is None


def test_words_of_camel_snake_and_plural_are_alike():
    assert words("listHTTPOrders") == words("search_http_order")
    assert dice(words("getOrder"), words("showOrders")) == 1
