"""Which operation a tool stands for, from names, words and parameters alone."""

import pytest

from gem_tasks.domain.workflow import ToolSpec
from gem_tasks.errors import UserError
from gem_tasks.live_apis.match import Matcher, match
from gem_tasks.live_apis.operation import Operation
from gem_tasks.live_apis.words import verb_of, without_prefix, words


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
def test_what_the_api_cannot_do_is_not_mapped(stranger):
    assert match(stranger, OPERATIONS).operation is None


@pytest.mark.parametrize(
    ("wanted", "operation"),
    [
        (tool("list_order_locations", "order_id"), None),  # of an order, but something else
        (tool("search_orders", "text"), "listOrders"),  # never what writes
        (tool("delete_customer", "customer_id"), None),  # can only be created
        (tool("get_summary", "order_id"), None),  # parameters alone prove nothing
    ],
)
def test_a_noun_of_the_tool_that_the_api_lacks_and_another_kind_of_action_prevent_a_match(wanted, operation):
    assert match(wanted, OPERATIONS).operation == operation


BOARDS = (
    Operation(name="getBoardLists", method="GET", path="/boards/{id}/lists", parameters=schema("id", "token")),
    Operation(name="addBoardLists", method="POST", path="/boards/{id}/lists", parameters=schema("id", "token")),
    Operation(name="closeList", method="PUT", path="/lists/{id}/closed", parameters=schema("id", "token")),
    Operation(
        name="boards.branches.get", method="GET", path="/branches/{branch}", parameters=schema("branch", "token")
    ),
    Operation(name="addTag", method="POST", path="/boards/{id}/addTag", parameters=schema("id", "tag", "token")),
    Operation(name="removeTag", method="POST", path="/boards/{id}/removeTag", parameters=schema("id", "tag", "token")),
)


@pytest.mark.parametrize(
    ("wanted", "operation"),
    [
        (tool("get_board_lists", "board_id"), "getBoardLists"),  # `list` is a thing here, and reading is not adding
        (tool("archive_list", "list_id"), "closeList"),
        (tool("get_branch", "branch"), "boards.branches.get"),
        (tool("kanban_get_branch", "branch"), "boards.branches.get"),  # named after the API
        (tool("add_board_tag", "tag"), "addTag"),
    ],
)
def test_words_that_may_be_actions_are_things_elsewhere_in_a_name(wanted, operation):
    assert Matcher(BOARDS, title="Kanban API").match(wanted).operation == operation


@pytest.mark.parametrize(
    ("name", "rest"),
    [
        ("calendar.calendarList.list", "calendarList.list"),
        ("calendar_get_event", "get_event"),
        ("calendar_get", "calendar_get"),  # nothing else is named
        ("calendars events", "calendars events"),
        ("", ""),
    ],
)
def test_only_whole_parts_at_the_beginning_repeat_the_name_of_the_api(name, rest):
    assert without_prefix(name, frozenset({"calendar"})) == rest


def test_a_parameter_that_all_operations_need_makes_no_difference():
    found = Matcher(BOARDS).match(tool("get_branch", "branch"))
    assert (found.operation, found.parameters) == ("boards.branches.get", 1)


def test_somebody_who_knows_better_decides_by_hand():
    found = Matcher(OPERATIONS, fixed={"dun": "cancelOrder", "fetch_order": None})
    assert found.match(tool("dun", "order_id")).arguments == {"order_id": "orderId"}
    assert found.match(tool("fetch_order", "order_id")).operation is None
    with pytest.raises(UserError, match="no operation 'nonsense'"):
        Matcher(OPERATIONS, fixed={"dun": "nonsense"})


def test_the_score_is_the_weighted_sum_of_its_parts():
    found = match(tool("fetch_order", "order_id"), OPERATIONS)
    assert found.action == 1
    assert found.score == pytest.approx(0.6 * found.name + 0.15 * found.description + 0.25 * found.parameters, abs=1e-3)
    assert found.arguments == {"order_id": "orderId"}


def test_each_parameter_is_paired_once_and_equal_names_first():
    operation = Operation(name="move", parameters=schema("from_date", "date"))
    assert match(tool("move", "date", "from_date"), [operation]).arguments == {"date": "date", "from_date": "from_date"}


def test_an_api_without_operations_maps_nothing():
    assert match(tool("fetch_order"), []).operation is None


def test_words_of_camel_snake_and_plural_are_alike():
    assert words("listHTTPOrders") == words("search_http_order")
    assert verb_of("showOrder") == ("get", True)
    assert verb_of("get_orders") == ("list", True)
    assert verb_of("finalize_order") == ("finalize", False)
