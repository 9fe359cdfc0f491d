"""The two-by-two table of checks and judge, and its kappa."""

import pytest

from gem_tasks.pipeline.judging.agreement import Agreement, Opinion


def table(both_pass, judge_refuses, checks_refuse, asked=0, refused=0):
    sample = {"check_grounding": Opinion(asked=asked, refused=refused)} if asked else {}
    return Agreement(
        both_pass=both_pass, judge_refuses=judge_refuses, checks_refuse=checks_refuse, by_reason={}, sample=sample
    )


@pytest.mark.parametrize(
    ("found", "kappa"),
    [
        (table(20, 5, 25, asked=25, refused=15), 0.4),  # the example of Cohen's kappa in textbooks
        (table(50, 0, 50, asked=10, refused=10), 1.0),
        (table(25, 25, 50, asked=10, refused=5), 0.0),
    ],
)
def test_kappa(found, kappa):
    assert found.kappa == pytest.approx(kappa)


def test_without_a_sample_or_without_variety_there_is_no_kappa():
    assert table(10, 2, 5).kappa is None
    assert table(0, 0, 5, asked=5, refused=5).kappa is None
