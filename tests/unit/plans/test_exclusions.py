"""Options that contradict each other are never in one plan, and menus without `not_with` are what they always were."""

import json
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gem_tasks.domain.plan import CHOICES
from gem_tasks.plans import MenusError, clashes, draw, parse_menus, shipped

TWO = {"a": {"weight": 3, "says": "A."}, "b": {"weight": 1, "says": "B."}}
WHOLE = {
    **{menu: TWO for menu in CHOICES},
    "length": {
        "s": {"weight": 1, "messages": [10, 20], "user_turns": [2, 4], "patterns": 2},
        "l": {"weight": 1, "messages": [30, 60], "user_turns": [2, 4], "patterns": 4},
    },
    "pattern_count": {0: 1, 2: 1, 4: 2},
    "patterns": {f"p{number}": {"weight": number, "says": f"P{number}."} for number in range(1, 6)},
}
"""Every menu, so that no weight of ours matters."""
NAMES = [f"{menu}.{name}" for menu, options in WHOLE.items() if menu != "pattern_count" for name in options]
STAYS = [name for name in NAMES if not name.endswith((".a", ".s"))]
"""Whatever is excluded among these, every menu of choices has an option left."""


def menus_with(*pairs):
    menus = json.loads(json.dumps(WHOLE))
    for name, other in pairs:
        menu, option = name.split(".")
        menus[menu][option].setdefault("not_with", []).append(other)
    return parse_menus(json.dumps(menus))


def held(plan):
    return {f"{menu}.{name}" for menu, name in plan.choices.items()} | {f"patterns.{name}" for name in plan.patterns}


def test_menus_without_exclusions_have_the_digest_and_the_plans_that_they_had_before_there_were_any():
    menus = menus_with()
    plans = "\n".join(draw(menus, number).model_dump_json() for number in range(200))
    assert menus.sha256 == "0f49a934a28e39abc40d2b6a3e5a6adbd04809079081b065cb31b82403ae4d19"
    assert sha256(plans.encode()).hexdigest() == "ca51bf289e877218bc25e9ed870a8394503e1e3d6204029c1fff26b4398c6cfd"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.sampled_from(STAYS), min_size=2, max_size=2, unique=True), max_size=12))
def test_no_plan_holds_a_pair_that_either_excludes(pairs):
    menus, turned = menus_with(*pairs), menus_with(*(pair[::-1] for pair in pairs))
    for number in range(20):
        plan = draw(menus, number)
        assert not any(held(plan) >= set(pair) for pair in pairs)
        assert plan == draw(turned, number)


def test_none_of_our_plans_contradicts_itself():
    told = [draw(shipped(), number) for number in range(2000)]
    for name, others in {
        "disclosure.all_at_once": {"patterns.clarification", "verbosity.terse", "verbosity.brief"},
        "register.formal": {"verbosity.terse"},
        "register.jargon": {"expertise.newcomer"},
        "voice.explaining": {"expertise.expert"},
        "ending.recap": {"length.short"},
    }.items():
        plans = [held(plan) for plan in told if name in held(plan)]
        assert plans
        assert not any(plan & others for plan in plans)


def test_what_is_drawn_first_keeps_its_share_and_the_other_one_gives_way():
    menus = menus_with(("temper.a", "look_alikes.a"), ("voice.a", "patterns.p5"))
    plain = menus_with()
    for number in range(300):
        plan, before = draw(menus, number), draw(plain, number)
        assert plan.patterns == before.patterns
        assert plan.choices["look_alikes"] == before.choices["look_alikes"]
        assert plan.choices["temper"] == ("b" if plan.choices["look_alikes"] == "a" else before.choices["temper"])
        assert plan.choices["voice"] == ("b" if "p5" in plan.patterns else before.choices["voice"])


def test_an_exclusion_that_leaves_a_menu_nothing_is_ignored_there_and_patterns_are_left_out():
    none_left = menus_with(*(("length." + length, "temper." + temper) for length in "sl" for temper in "ab"))
    for number in range(50):
        assert draw(none_left, number) == draw(menus_with(), number)
        assert clashes(none_left, draw(none_left, number))
    no_patterns = menus_with(
        *(("length." + length, f"patterns.p{number}") for length in "sl" for number in range(1, 6))
    )
    assert {draw(no_patterns, number).patterns for number in range(50)} == {()}
    assert not any(clashes(no_patterns, draw(no_patterns, number)) for number in range(50))


def test_a_menu_of_the_file_may_lack_what_ours_exclude():
    found = parse_menus('expertise: {novice: {weight: 1, says: "N."}, expert: {weight: 1, says: "E."}}')
    assert found.register_["jargon"].not_with == ()
    assert found.voice["explaining"].not_with == ("expertise.expert",)
    assert parse_menus(found.text) == found


def test_order_and_repeats_of_exclusions_make_no_other_menus_but_an_exclusion_does():
    pairs = [("temper.a", "voice.b"), ("temper.a", "patterns.p1")]
    assert menus_with(*pairs).sha256 == menus_with(*pairs[::-1], pairs[0]).sha256 != menus_with().sha256


@pytest.mark.parametrize(
    ("reference", "complaint"),
    [
        (
            "expertise.newcommer",
            "temper.calm.not_with: there is no 'expertise.newcommer'; the nearest is 'expertise.newcomer'",
        ),
        ("patern.guidance", "temper.calm.not_with: there is no 'patern.guidance'; the nearest is 'patterns.guidance'"),
        ("guidance", "the nearest is 'patterns.guidance'"),
        ("pattern_count.2", "there is no 'pattern_count.2'"),
        ("temper.calm", "temper.calm.not_with: it excludes itself"),
        ("", "there is no ''"),
    ],
)
def test_a_reference_that_cannot_hold_is_named_with_its_place(reference, complaint):
    with pytest.raises(MenusError) as raised:
        parse_menus(f'temper: {{calm: {{weight: 1, says: "x", not_with: ["{reference}"]}}}}')
    assert complaint in str(raised.value)
