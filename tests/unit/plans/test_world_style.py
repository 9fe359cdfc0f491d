"""What worlds look like: dates of several years, on every day of the week, and every style of errors and ids."""

from collections import Counter
from datetime import datetime

from gem_tasks.plans.world_style import WorldMenus, draw_style, shipped_worlds

MENUS = shipped_worlds()
STYLES = [draw_style(MENUS, f"segment {number}") for number in range(600)]


def test_the_same_text_gets_the_same_style_and_another_one_another():
    assert draw_style(MENUS, "segment 0") == STYLES[0]
    assert len({each.text for each in STYLES}) == len(STYLES)


def test_dates_are_spread_over_years_days_of_the_week_and_hours():
    moments = [datetime.fromisoformat(each.now) for each in STYLES]
    assert {each.year for each in moments} >= {2021, 2022, 2023, 2024, 2025, 2026}
    assert {each.weekday() for each in moments} == set(range(7))
    assert {each.hour for each in moments} == set(range(6, 21))


def test_every_option_is_drawn_about_as_often_as_it_weighs():
    for menu in WorldMenus.model_fields:
        options = getattr(MENUS, menu)
        drawn = Counter(each.choices[menu] for each in STYLES)
        for name, option in options.items():
            share = option.weight / sum(each.weight for each in options.values())
            assert abs(drawn[name] / len(STYLES) - share) < 0.06, name


def test_a_style_says_the_date_with_its_day_then_a_line_a_menu():
    style = STYLES[0]
    day = datetime.fromisoformat(style.now).strftime("%A")
    assert style.text.splitlines()[0] == f"- Date: `now` is {style.now}, a {day}."
    assert [line.partition(":")[0] for line in style.text.splitlines()[1:]] == ["- Errors", "- Ids", "- Place"]
