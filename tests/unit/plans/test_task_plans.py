"""What tasks are like: drawn separately, by weight, the same for the same request."""

from collections import Counter

from gem_tasks.plans import shipped
from gem_tasks.plans.task_plans import USER, draw_assistant, draw_tasks, shipped_tasks

MENUS = shipped_tasks()
PLANS = [draw_tasks(MENUS, shipped(), 3, f"segment {number}", "world") for number in range(400)]
OF = ("plot", "fault", "meanwhile", "ending", "leaving")


def test_the_same_request_gets_the_same_plans_and_another_world_others():
    assert draw_tasks(MENUS, shipped(), 3, "segment 0", "world") == PLANS[0]
    assert draw_tasks(MENUS, shipped(), 3, "segment 0", "other") != PLANS[0]


def test_the_tasks_of_a_request_have_different_plots():
    assert all(len({plan.choices["plot"] for plan in plans}) == 3 for plans in PLANS)
    only = MENUS.model_copy(update={"plot": {"depends": MENUS.plot["depends"]}})
    assert [each.choices["plot"] for each in draw_tasks(only, shipped(), 2, "s")] == ["depends"] * 2


def test_every_option_is_drawn_about_as_often_as_it_weighs():
    for menu in ("fault", "meanwhile", "ending", "leaving"):
        options = getattr(MENUS, menu)
        drawn = Counter(plan.choices[menu] for plans in PLANS for plan in plans)
        for name, option in options.items():
            share = option.weight / sum(each.weight for each in options.values())
            assert abs(drawn[name] / 1200 - share) < 0.05, name


def test_a_plan_says_one_line_a_menu():
    plan = PLANS[0][0]
    assert list(plan.choices) == [*OF, *USER]
    assert [line.partition(":")[0] for line in plan.text.splitlines()] == [
        "- Plot", "- Fault", "- Meanwhile", "- Ending", "- Leaving", "- The user's temper", "- Expertise",
        "- Wordiness", "- Tone", "- Details",
    ]  # fmt: skip


def test_the_tasks_of_a_request_share_an_assistant():
    drawn = [draw_assistant(MENUS, shipped(), f"segment {number}", "world") for number in range(400)]
    assert {each.choices["consent"] for each in drawn} == MENUS.consent.keys()
    assert [line.partition(":")[0] for line in drawn[0].text.splitlines()] == ["- Consent", "- The assistant's voice"]
    assert not any("consent" in plan.choices for plans in PLANS for plan in plans)
