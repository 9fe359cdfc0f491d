"""What recurs between conversations, in sets that can be worked out by hand."""

import random

import pytest

from gem_tasks.cli.summary import alike_lines
from gem_tasks.dataset.alike import Alike
from gem_tasks.dataset.card import _alike
from gem_tasks.plans import draw, parse_menus
from tests.factories import make_trajectory, say


def measured(*conversations, **options):
    found = Alike(**options)
    for number, (user, assistant) in enumerate(conversations):
        found.add(f"{number:020x}", make_trajectory(say("user", user), say("assistant", assistant)), None)
    return found.measures()


def test_a_phrase_counts_once_for_each_conversation_and_by_who_says_it():
    found = measured(
        ("Can you look it up? Can you look it up?", "Shall I go on?"),
        ("And can you look IT up, please", "Shall I go on with it?"),
        ("Nothing of the kind at all", "Done with all of it."),
        ("Renew it", "Shall, I: go on"),
    )["phrases"]
    assert found["user"] == {"can you look it": 0.5, "you look it up": 0.5}
    assert found["assistant"] == {"shall i go on": 0.75}


def test_an_opening_is_the_first_words_of_the_first_turn():
    found = measured(
        ("Hello, Anna here from sales. Hi.", "Of course, Anna."),
        ("hello ANNA here from support", "Let me see."),
        ("Well. Hello, Anna here from sales", "of course anna"),
        ("Renew it", "…"),
    )["openings"]
    assert found == {"user": {"hello anna here from": 0.5}, "assistant": {"of course anna": 0.5}}
    card = "\n".join(_alike({"diversity": {"openings": found}, "trajectories": 4}))
    assert "| first four words, said by users | share of conversations |" in card


def test_no_phrase_reaches_over_two_turns():
    found = Alike()
    for key in "ab":
        turns = [say("user", "one two"), say("assistant", "well"), say("user", "three four")]
        found.add(key, make_trajectory(*turns), None)
    assert found.measures()["phrases"] == {"user": {}, "assistant": {}}


def test_common_phrases_survive_when_rare_ones_are_forgotten():
    rng = random.Random(1)
    noise = [" ".join(f"w{rng.randrange(10**6)}" for _ in range(30)) for _ in range(200)]
    many = measured(*((f"tell me the rest of it. {words}", words) for words in noise), most_kept=300)
    assert many["phrases"]["user"]["tell me the rest"] == pytest.approx(1, abs=0.1)


def test_spread_is_low_for_copies_and_high_for_strangers():
    rng = random.Random(1)

    def letters():
        return "".join(rng.choice("abcdefghijklmnopqrstuvwxyz ") for _ in range(2000))

    same = letters()
    assert measured(*[(same, same)] * 10)["spread"] < 0.2
    assert measured(*[(letters(), letters()) for _ in range(10)])["spread"] > 0.95
    assert measured((same, same))["spread"] is None
    assert measured()["spread"] is None


def test_the_sample_is_the_same_in_any_order():
    rng = random.Random(1)
    talks = [(f"{number:020x}", make_trajectory(say("user", f"number {number}"))) for number in range(150)]
    turned = rng.sample(talks, len(talks))
    first, second = Alike(), Alike()
    for found, order in ((first, talks), (second, turned)):
        for key, trajectory in order:
            found.add(key, trajectory, None)
    assert first.measures() == second.measures()


def test_plans_are_counted_and_shown_with_names_made_harmless():
    menus = parse_menus('temper: {calm: {weight: 1, says: "Calm."}}\npattern_count: {0: 1}')
    found = Alike()
    found.add("a", make_trajectory(), draw(menus, "a"))
    found.add("b", make_trajectory(), None)
    measures = found.measures()
    assert measures["plans"]["temper"] == {"calm": 1}
    assert measures["plans"]["patterns"] == {"none": 1}
    text = "\n".join(_alike({"diversity": measures, "trajectories": 2}))
    assert "| temper | calm 50% |" in text
    assert "said by users | share of conversations |" in text
    assert "Spread: " in text


def test_the_summary_names_the_most_common_phrases_or_nothing_for_older_versions():
    found = measured(("Can you look it up", "Ja"), ("Can you look it over", "Nein"))
    assert next(iter(alike_lines(found))) == (
        '  100% of conversations: the user says "can you look it", the most common four words'
    )
    assert list(alike_lines({"tools": {}})) == []
