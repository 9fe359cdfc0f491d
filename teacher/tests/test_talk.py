"""The parts of a dialogue: names become English, schemas become values, rules become wishes against them."""

import json
import random
import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_tasks.prompts.dialogue import parse_trajectory
from offline_teacher import generate
from offline_teacher.reading import english
from offline_teacher.reading.analyse import analyse
from offline_teacher.talk import pattern, rules
from offline_teacher.talk.grounding import Grounds, leaves
from offline_teacher.talk.shapes import fits
from offline_teacher.talk.tools import same_thing, toolbox
from offline_teacher.talk.values import Unfit, Values
from teacher_cases import ID, TOOLS, sections, tool


@pytest.mark.parametrize(
    ("name", "verb", "noun"),
    [
        ("post_sales_order", "post", "sales order"),
        ("searchCustomers", "search", "customer"),
        ("look_up_vendor", "look up", "vendor"),
        ("flight_search", "search", "flight"),
        ("weather", "run", "weather"),
        ("login", "login", ""),
    ],
)
def test_a_tools_name_gives_verb_and_noun(name, verb, noun):
    assert english.verb_and_noun(name) == (verb, noun)


@pytest.mark.parametrize(
    ("verb", "done"),
    [("post", "posted"), ("send", "sent"), ("apply", "applied"), ("sign in", "signed in"), ("close", "closed")],
)
def test_verbs_are_inflected(verb, done):
    assert english.past(verb) == done


def test_articles_follow_the_sound():
    phrases = [english.a(noun) for noun in ("order", "user", "invoice", "hour", "sales orders", "feedback")]
    assert phrases == ["an order", "a user", "an invoice", "an hour", "sales orders", "feedback"]


def test_an_order_is_a_sales_order_but_no_order_line():
    assert same_thing("order", "sales order")
    assert not same_thing("order", "order line")
    assert not same_thing("", "order")


def test_tools_that_no_call_can_be_written_for_are_left_aside():
    odd = tool("get_x", "d", [], **{"</func>": {"type": "string"}})
    broken = tool("get_y", "d", [], y={"type": "quantum"})
    assert set(toolbox([odd, broken, *TOOLS]).tools) == {item.name for item in TOOLS}


@given(
    st.sampled_from([r"^[A-Z]{2}-\d{4}$", r"^(red|green)(-x)?$", r"[^a-z]\w+\.", r"^[\d.-]{3,5}$", "a|b|", r"\\+"]),
    st.integers(),
)
def test_a_sampled_string_matches_its_pattern(expression, seed):
    assert re.search(expression, pattern.sample(expression, random.Random(seed)))


@given(st.text(alphabet=r"ab[](){}|?*+\d^$.,-0123456789", max_size=30), st.integers())
def test_odd_patterns_give_a_short_string_or_none(expression, seed):
    made = pattern.sample(expression, random.Random(seed))
    assert made is None or len(made) <= 60


def values(**own) -> Values:
    return Values(random.Random(1), date(2026, 3, 2), "Alder Works", "Mei Novak", own)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "pattern": "^[A-Z]{3}[0-9]{5}$"},
        {"type": "string", "format": "email", "maxLength": 60},
        {"type": "string", "minLength": 250},
        {"type": "string", "maxLength": 2},
        {"type": "integer", "exclusiveMinimum": 4, "exclusiveMaximum": 6},
        {"type": "number", "minimum": 0.1, "maximum": 0.2},
        {"type": "integer", "multipleOf": 7, "maximum": 50},
        {"type": ["null", "array"], "items": {"enum": ["a", "b"]}, "minItems": 2},
        {"allOf": [{"type": "string"}, {"maxLength": 5}]},
        {"anyOf": [{"type": "null"}, {"type": "integer", "minimum": 90}]},
    ],
)
def test_a_made_value_fits_its_schema(schema):
    assert fits({"type": "object", "properties": {"field": schema}}, {"field": values().make("field", schema, {})})


def test_a_schema_that_contradicts_itself_has_no_value():
    with pytest.raises(Unfit):
        values().make("field", {"type": "integer", "minimum": 9, "maximum": 1}, {})


def test_the_texts_own_value_comes_first_where_it_fits():
    assert values(slot=["Night drop"]).make("slot", {"type": "string"}, {}) == "Night drop"
    assert values(slot=["Night drop"]).make("slot", {"type": "string", "maxLength": 3}, {}) != "Night drop"


def grounded(value, *said, schema=None) -> bool:
    grounds = Grounds()
    for text in said:
        grounds.add(text)
    return all(grounds.holds(leaf) for leaf in leaves(value, schema or {}, {}))


def test_values_are_grounded_by_what_was_said_in_any_case_form_or_notation():
    assert grounded({"name": "alder works", "day": "2026-03-02", "amount": 1200.5}, "Alder  Works, 2 March, 1,200.50")
    assert grounded(["three", 3], "three of them")
    assert grounded({"note": 'the "blue" one'}, '{"note": "the \\"blue\\" one"}')


def test_part_of_a_word_or_number_grounds_nothing():
    assert not grounded("ab", "about")
    assert not grounded(12, "LO-4123")
    assert not grounded("LO-4124", "LO-4123")


def test_options_defaults_and_switches_need_no_grounds():
    known = {"a": {"enum": ["x1", "x2"]}, "b": {"default": 10}, "c": {"const": "k9"}}
    assert grounded({"a": "x2", "b": 10, "c": "k9", "d": True}, "", schema={"properties": known})
    assert not grounded({"b": 11}, "", schema={"properties": known})


@pytest.mark.parametrize(
    ("rule", "wish", "answer"),
    [
        (
            "Reserved books cannot be renewed.",
            "could you see to it that reserved books are renewed?",
            "cannot be renewed",
        ),
        ("If it is late, you must not close your loan.", "could you also close my loan?", "I may not close your loan"),
        (
            "The receipt must be printed.",
            "does the receipt really have to be printed?",
            "the receipt has to be printed",
        ),
        (
            "You must print the receipt first.",
            "do I really have to print the receipt first?",
            "you have to print the receipt",
        ),
    ],
)
def test_a_rule_becomes_a_wish_against_it(rule, wish, answer):
    (found,) = rules.conflicts([rules.Rule(4, rule)])
    assert found.wish.startswith(wish)
    assert answer in found.answer


@pytest.mark.parametrize(
    "rule", ["Learn more about what you must do.", "For you and must be sent.", "Only on Mondays."]
)
def test_a_rule_that_says_nothing_plain_is_left_alone(rule):
    assert rules.conflicts([rules.Rule(1, rule)]) == []


def test_rules_and_limits_are_numbered_once_in_the_order_of_the_text():
    text = "Loans last at most 3 weeks. You must show the card. The room is nice."
    assert [rule.text for rule in rules.numbered(analyse(text), ["House rule."])] == [
        "Loans last at most 3 weeks.",
        "You must show the card.",
        "House rule.",
    ]


def asked(tools, graph, seed):
    answer = generate.answer(sections(tools, execution_graph=graph, requires=[]), seed)
    return [call for message in parse_trajectory(answer, tools).messages for call in message.tool_calls]


def test_what_delivers_an_id_is_called_before_what_needs_it_even_if_the_graph_forgets_it():
    for seed in range(20):
        names = [call.name for call in asked(TOOLS, "(list_loans)->(close_loan)", seed)]
        assert names[0] == "search_readers"


def test_after_a_refused_date_another_one_is_used():
    close = tool(
        "close_loan", "d", ["loan_id", "returned_on"], loan_id=ID, returned_on={"type": "string", "format": "date"}
    )
    for seed in range(40):
        answer = generate.answer(sections((TOOLS[2], close), execution_graph="(close_loan)", requires=[]), seed)
        if "invalid_date" in answer:
            calls = [call for call in asked((TOOLS[2], close), "(close_loan)", seed) if call.name == "close_loan"]
            assert calls[0].arguments["returned_on"] != calls[1].arguments["returned_on"]
            return
    pytest.fail("no date was refused in 40 conversations")


def test_what_was_changed_in_the_conversation_stands_on_top_of_the_history():
    tools = (
        TOOLS[2],
        tool("list_loan_changes", "d", ["loan_id"], loan_id=ID),
        tool("update_loan", "d", ["loan_id", "shelf"], loan_id=ID, shelf={"type": "string"}),
    )
    for seed in range(20):
        graph = "(get_loan)->(update_loan)->(list_loan_changes)"
        answer = generate.answer(sections(tools, execution_graph=graph, requires=[]), seed)
        messages = parse_trajectory(answer, tools).messages
        histories = [json.loads(message.content) for message in messages if "loan_changes" in (message.content or "")]
        rows = [history["loan_changes"][0] for history in histories if "loan_changes" in history]
        assert rows
        assert all(row["action"] == "updated" and row["changed_by"] in messages[0].content for row in rows)
