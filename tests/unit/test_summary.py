"""The lines under a run's funnel."""

from gem_tasks.cli.summary import _spared


def stage(**fields):
    return {"stages": [{"accepted": 10, "rejected": 90, "failed": 0, "calls": 20, "usd": 0.4, "reasons": {}} | fields]}


def test_a_summary_says_what_the_prefilter_spared():
    assert _spared(stage()) == ""
    assert "80 of 100 filter calls spared, about $1.60 " in _spared(stage(reasons={"prefilter": 80}))
    assert "spared (gem" in _spared(stage(reasons={"prefilter": 80}, usd=None))
    assert "spared (gem" in _spared(stage(reasons={"prefilter": 80}, calls=0))
