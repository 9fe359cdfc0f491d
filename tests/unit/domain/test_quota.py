"""What passes under quotas: shares of whole texts, the same for every order, and clear words for what is wrong."""

import random

import pytest

from gem_tasks.domain.quota import QuotaError, Quotas, Text, parse_quotas
from gem_tasks.errors import UserError
from gem_tasks.pipeline.quota_setting import quotas_of
from gem_tasks.settings import Settings

NAMES = {
    "domain": frozenset({"finance", "health", "games"}),
    "platform": frozenset({"phone"}),
    "task": frozenset("abcdef"),
}


def quotas(*given):
    return parse_quotas(given, NAMES) or Quotas()


def texts(**counts):
    return [Text(f"{name}{n}", (("domain", name),)) for name, count in counts.items() for n in range(count)]


def passed(decided):
    found = {name: 0 for name in sorted(NAMES["domain"])}
    for segment, held in decided.items():
        found[segment.rstrip("0123456789")] += held is None
    return found


def test_a_share_is_one_of_what_goes_on_not_of_what_there_is():
    decided = quotas("domain:health=40%").decide({}, 0, texts(health=800, finance=150, games=50))
    assert passed(decided) == {"finance": 150, "games": 50, "health": 134}
    assert 134 == -(-0.4 * 334 // 1)
    assert {held for segment, held in decided.items() if held} == {"domain:health=40%"}


def test_the_order_of_arrival_makes_no_difference():
    found = texts(health=70, finance=20, games=9)
    mixed = list(found)
    random.Random(3).shuffle(mixed)
    same = quotas("domain:*=50%", "domain:games=5")
    assert same.decide({}, 0, mixed) == same.decide({}, 0, found)
    assert passed(same.decide({}, 0, found)) == {"finance": 20, "games": 5, "health": 26}


def test_small_partitions_one_after_the_other_reach_the_share():
    counts, total, held = {}, 0, []
    for hour in range(40):
        new = [Text(f"{hour}-{n}", (("domain", "health" if n % 5 else "finance"),)) for n in range(5)]
        decided = quotas("domain:health=50%").decide(counts, total, held + new)
        for text in held + new:
            if decided[text.segment_id] is None:
                counts[text.counted[0]] = counts.get(text.counted[0], 0) + 1
                total += 1
        held = [text for text in held + new if decided[text.segment_id]]
        assert counts[("domain", "health")] <= -(-total // 2), "never more than the share, rounded up"
    assert counts == {("domain", "finance"): 40, ("domain", "health"): 41}


def test_the_first_text_goes_on_even_where_every_name_is_limited():
    assert passed(quotas("domain:*=40%").decide({}, 0, texts(finance=1))) == {"finance": 1, "games": 0, "health": 0}
    assert passed(quotas("domain:finance=0%").decide({}, 0, texts(finance=3, games=1)))["finance"] == 0


def test_a_text_with_two_domains_counts_for_both_and_is_held_by_either():
    both = [Text(f"b{n}", (("domain", "health"), ("domain", "games"))) for n in range(4)]
    decided = quotas("domain:games=2").decide({}, 0, both)
    assert sorted(held or "" for held in decided.values()) == ["", "", "domain:games=2", "domain:games=2"]


def test_what_went_on_before_stays_and_what_was_held_takes_the_room():
    before = [Text("a", (("domain", "games"),), kept=True), *texts(games=30)]
    assert quotas("domain:games=1").decide({}, 0, before)["a"] is None
    assert passed(quotas("domain:games=20%").decide({("domain", "health"): 40}, 40, texts(games=30)))["games"] == 11


def test_quotas_are_read_and_written():
    found = quotas("domain:finance=12.50%, task:*=25%;platform:phone=500\n")
    assert [str(each) for each in found.quotas] == ["domain:finance=12.5%", "task:*=25%", "platform:phone=500"]
    assert str(quotas("domain:games=100%").quotas[0]) == "domain:games=100%"
    assert parse_quotas([" "], NAMES) is None
    assert parse_quotas(["none"], NAMES) == Quotas()


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("domain:finanse=10%", r"no domain 'finanse'; the nearest is 'finance'"),
        ("domain:xyz=10%", "no domain 'xyz'; there are finance, games, health"),
        ("domian:finance=10%", r"no kind 'domian'; the nearest is 'domain'"),
        ("domain:finance=101%", "a share is at most 100%"),
        ("domain:finance=0.1", "write a share in per cent"),
        ("domain:finance=-1", "is no quota"),
        ("finance", "is no quota; write domain:finance=10%"),
        ("domain:games=10%,domain:games=5", "domain:games is given twice: domain:games=10% and domain:games=5"),
        ("domain:*=30%", "the shares of all 3 domains add up to 90%, and have to reach 100%"),
        ("none domain:games=1", "'none' contradicts 'domain:games=1'"),
    ],
)
def test_wrong_quotas_are_refused_in_words(given, why):
    with pytest.raises(QuotaError, match=why):
        parse_quotas([given], NAMES)


def test_a_setting_that_is_wrong_is_one_line(tmp_path):
    with pytest.raises(UserError, match=r"Quotas: .* no task 'customer_suport'; the nearest is 'customer_support'"):
        quotas_of(Settings(home=tmp_path, quotas="task:customer_suport=10%"))
