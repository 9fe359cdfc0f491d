"""The lines under a run's funnel."""

from gem_tasks.cli.summary import _cached, _spared, excluded_line, failure_lines
from gem_tasks.lineage.failures import FailedCount
from gem_tasks.lineage.reports import StageCounts


def stage(name="filter", **fields):
    counts = {"accepted": 10, "rejected": 90, "calls": 20, "usd": 0.4, "reasons": {}}
    tokens = {"prompt_tokens": 100, "cached_tokens": 0, "completion_tokens": 9}
    return StageCounts(stage=name, model="m", **(counts | tokens | fields))


def test_a_summary_says_what_the_prefilter_saved():
    assert _spared(stage()) == ""
    assert "80 of 100 filter calls saved, about $1.60 " in _spared(stage(reasons={"prefilter": 80}))
    assert "saved (gem" in _spared(stage(reasons={"prefilter": 80}, usd=None))
    assert "saved (gem" in _spared(stage(reasons={"prefilter": 80}, calls=0))


def test_failures_come_with_their_class_what_was_said_and_the_commands_to_type():
    assert failure_lines("p", []) == ""
    rows = [
        FailedCount("generate", "malformed", "p", segments=2, set_aside=0, example="no tags\nat all"),
        FailedCount("filter", "server_error", "p", segments=3, set_aside=1, example=""),
    ]
    assert failure_lines("2026-01-31T14:00", rows).splitlines() == [
        "3 failed in filter (server_error) [1 set aside]",
        "2 failed in generate (malformed): no tags",
        "Show them:    gem failures --partition 2026-01-31T14:00",
        "Retry them:   gem retry --partition 2026-01-31T14:00",
    ]


def test_a_summary_says_what_came_from_the_endpoints_cache():
    stages = [stage()]
    assert _cached(stages) == ""
    stages.append(stage("generate", prompt_tokens=200, cached_tokens=124))
    assert _cached(stages) == "Cached generate 62% of prompt tokens"


def test_a_summary_says_why_trajectories_are_not_in_the_dataset():
    assert excluded_line({}) == ""
    assert excluded_line({"vetoed": 1, "near_duplicate": 2}) == "  3 left out: vetoed 1, near_duplicate 2"
