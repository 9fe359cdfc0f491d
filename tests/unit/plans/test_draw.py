from collections import Counter
from statistics import mean, median

from gem_tasks.domain.plan import CHOICES, COLUMNS, columns_of
from gem_tasks.plans import draw, parse_menus, render, shipped

PLANS = [draw(shipped(), f"text {number}", 0, 0, "recipe") for number in range(4000)]


def share(holds):
    return mean(map(bool, map(holds, PLANS)))


def test_the_same_conversation_gets_the_same_plan_and_another_one_another():
    assert draw(shipped(), "a text", 0, 0, "recipe") == draw(shipped(), "a text", 0, 0, "recipe")
    others = [
        ("b text", 0, 0, "recipe"),
        ("a text", 1, 0, "recipe"),
        ("a text", 0, 1, "recipe"),
        ("a text", 0, 0, "r2"),
    ]
    assert len({draw(shipped(), *each).model_dump_json() for each in [("a text", 0, 0, "recipe"), *others]}) == 5


def test_a_plan_is_the_same_on_every_machine_and_version_of_python():
    length = "length: {l: {weight: 1, messages: [41, 56], user_turns: [4, 9], patterns: 4}}"
    found = draw(parse_menus(f"pattern_count: {{0: 0, 3: 1}}\n{length}"), "a text").facts
    assert list(found) == [*CHOICES, "patterns", "messages", "user_turns"]
    assert (found["temper"], found["messages"], found["user_turns"]) == ("calm", 55, 4)
    assert found["patterns"] == "limitation, error_recovery, false_premise"


def test_our_menus_have_the_lengths_of_the_paper():
    lengths = [plan.messages for plan in PLANS]
    assert 39 <= median(lengths) <= 43
    assert 44.5 <= mean(lengths) <= 47.5


def test_no_device_is_in_nearly_all_conversations_or_in_nearly_none():
    premise = {"false_premise", "rule_conflict", "domain_rules"}
    for holds in (
        lambda plan: plan.choices["look_alikes"] == "yes",
        lambda plan: "error_recovery" in plan.patterns,
        lambda plan: premise & set(plan.patterns),
        lambda plan: plan.choices["ending"] == "recap",
    ):
        assert 0.3 <= share(holds) <= 0.6
    assert set(Counter(len(plan.patterns) for plan in PLANS)) == {0, 1, 2, 3, 4}


def test_weights_are_kept_and_what_has_none_is_never_drawn():
    menus = parse_menus('temper: {a: {weight: 3, says: "A."}, b: {weight: 1, says: "B."}, c: {weight: 0, says: "C."}}')
    found = Counter(draw(menus, number).choices["temper"] for number in range(4000))
    assert set(found) == {"a", "b"}
    assert 0.72 < found["a"] / 4000 < 0.78


def test_patterns_are_distinct_and_fit_the_length():
    for plan in PLANS:
        assert len(set(plan.patterns)) == len(plan.patterns) <= shipped().length[plan.choices["length"]].patterns
    few = parse_menus('pattern_count: {4: 1}\npatterns: {a: {weight: 1, says: "A."}, b: {weight: 0, says: "B."}}')
    assert {draw(few, number).patterns for number in range(50)} == {("a",)}


def test_the_section_tells_what_was_drawn_and_nothing_of_the_rest():
    plan = next(plan for plan in PLANS if len(plan.patterns) == 2)
    told, drafted = render(plan), render(plan, draft=True)
    menus = shipped()
    for name, option in menus.patterns.items():
        assert (option.says in told) == (name in plan.patterns)
    for name, option in menus.temper.items():
        assert (option.says in told) == (name == plan.choices["temper"])
    assert f"about {plan.messages} messages" in told
    assert f"about {max(16, round(plan.messages * 2 / 3))} messages" in drafted
    assert f"User turns: {plan.user_turns}." in told
    assert "Patterns: none" in render(next(plan for plan in PLANS if not plan.patterns))


def test_columns_are_flat_and_the_same_for_a_conversation_without_a_plan():
    found = columns_of(PLANS[0].facts)
    assert list(found) == list(columns_of(None)) == list(COLUMNS)
    assert all(type(found[name]) is kind for name, kind in COLUMNS.items())
    assert set(columns_of(None).values()) == {None}
