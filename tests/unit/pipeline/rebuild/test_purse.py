"""What is left of a partition keeps the budget that it was begun with, unless somebody says otherwise."""

from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from gem_tasks.lineage.announcements import Announcement
from gem_tasks.pipeline.options import RunOptions
from gem_tasks.pipeline.rebuild.plan import unpublished, within_budget


def work(options, last=None, **more):
    announcements = SimpleNamespace(last=lambda partition: last and Announcement(*last))
    ledger = SimpleNamespace(announcements=announcements, **more)
    return SimpleNamespace(options=options, ledger=lambda: nullcontext(ledger), variant=False)


PARTITION = "2026-01-31T14:00"
BEFORE = RunOptions(budget_usd=5.0).packed()


@pytest.mark.parametrize(
    ("options", "last", "scheduled", "kept"),
    [
        (RunOptions(), (BEFORE, "run-1"), True, (5.0, "run-1")),
        (RunOptions(), (RunOptions(budget_usd=5.0, purse="run-0").packed(), "run-1"), True, (5.0, "run-0")),
        (RunOptions(), (BEFORE, "run-1"), False, (None, None)),
        (RunOptions(budget_usd=9.0), (BEFORE, "run-1"), True, (9.0, None)),
        (RunOptions(), None, True, (None, None)),
        (RunOptions(), (RunOptions().packed(), "run-1"), True, (None, None)),
    ],
    ids=["begun with one", "drawn before", "by hand", "says itself", "never announced", "begun without"],
)
def test_a_scheduled_run_keeps_the_budget(options, last, scheduled, kept):
    found = within_budget(work(options, last), PARTITION, scheduled=scheduled)
    assert (found.budget_usd, found.purse or None) == kept


def test_a_variant_is_never_published():
    made = work(RunOptions())
    made.variant = True
    assert unpublished(made, PARTITION) is False
