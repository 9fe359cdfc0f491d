"""Differences of states by table."""

from gem_tasks.worlds.diff import difference
from gem_tasks.worlds.steps import Snapshot


def changes(before, after):
    found = difference(Snapshot(tables=before), Snapshot(tables=after))
    return [(each.table, each.key, each.kind, each.before, each.after) for each in found]


def test_records_are_added_removed_and_changed():
    before = {"t": '{"a": {"n": 1}, "b": {"n": 2}, "d": {"n": 4}}', "now": '"9"', "same": "{}"}
    after = {"t": '{"b": {"n": 3}, "c": {}, "d": {"n":4}}', "now": '"10"', "same": "{}", "new": "[1]"}
    assert changes(before, after) == [
        ("new", None, "added", None, [1]),
        ("now", None, "changed", "9", "10"),
        ("t", "a", "removed", {"n": 1}, None),
        ("t", "b", "changed", {"n": 2}, {"n": 3}),
        ("t", "c", "added", None, {}),
    ]


def test_one_and_true_differ_and_the_order_of_keys_does_not():
    assert changes({"t": '{"a": 1}'}, {"t": '{"a": true}'}) == [("t", "a", "changed", 1, True)]
    assert changes({"t": '{"a": {"x": 1, "y": 2}}'}, {"t": '{"a": {"y": 2, "x": 1}}'}) == []
