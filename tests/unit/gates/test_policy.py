"""`gates.toml`: defaults, overrides, and one line for every mistake."""

import pytest

from gem_tasks.domain.gate import Bound
from gem_tasks.domain.stage import EVERY_STAGE
from gem_tasks.errors import UserError
from gem_tasks.gates import parse_policy
from gem_tasks.pipeline.policy_file import policy
from gem_tasks.settings import Settings


def test_the_policy_that_comes_with_gem_bounds_every_stage():
    found = policy(Settings())
    assert set(found.bounds) == {*EVERY_STAGE, "diversity"}
    assert all("failed_share" in found.bounds[stage] for stage in EVERY_STAGE)
    assert "failed_share" not in found.bounds["diversity"], "that is of stages"
    assert found.sha256


def test_a_stage_overrides_the_default_and_may_lift_it():
    found = parse_policy(
        "[default]\nfailed_share = {max = 0.2}\n[filter]\nfailed_share = []\n[refine]\nmean_calls = {min = 3}", "g"
    )
    assert found.bounds["filter"]["failed_share"] == ()
    assert found.bounds["refine"] == {"failed_share": (Bound(max=0.2),), "mean_calls": (Bound(min=3),)}
    assert found.bounds["extract"] == {"failed_share": (Bound(max=0.2),)}


def test_a_metric_may_have_several_bounds_and_failures_a_class():
    found = parse_policy('[generate]\n"failed_share.malformed" = [{max=0.1, action="review"}, {max=0.3}]', "g")
    assert [bound.action for bound in found.bounds["generate"]["failed_share.malformed"]] == ["review", "halt"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[filter", "gates.toml: "),
        ("[filtre]\n", r"\[filtre\] is not a stage"),
        ("filter = 3", "filter must be a table"),
        ("[filter]\nyield = {min = 1}", "filter.yield is not a metric"),
        ("[diversity]\nmean_calls = {min = 1}", "diversity.mean_calls is not a metric; use user_phrase_share, "),
        ("[filter]\naccepted_share = 0.1", "filter.accepted_share"),
        ("[filter]\naccepted_share = {action = 'review'}", "give min, max or both"),
        ("[filter]\naccepted_share = {min = 0.5, max = 0.1}", "min 0.5 is above max 0.1"),
        ("[filter]\naccepted_share = {min = 0.5, action = 'stop'}", "filter.accepted_share.action"),
        ("[filter]\naccepted_share = {min = 'much'}", "filter.accepted_share.min"),
        ("[filter]\naccepted_share = {min = 0.5, samples = 3}", "filter.accepted_share.samples"),
        ("[agreement]\nsample = 3", "agreement.min_precision: Field required"),
        ("[agreement]\nmin_precision = 80", "agreement.min_precision: Input should be less than or equal to 1"),
        ("[agreement]\nmin_precision = 0.8\nsamples = 3", "agreement.samples"),
        ("agreement = 0.8", "agreement: "),
    ],
)
def test_a_mistake_is_one_line_that_names_its_place(text, problem):
    with pytest.raises(UserError, match=problem) as refused:
        parse_policy(text, "gates.toml")
    assert "\n" not in str(refused.value).partition("\n")[0]


def test_agreement_with_people_is_asked_for_only_where_the_policy_says_so():
    assert policy(Settings()).agreement is None
    found = parse_policy("[agreement]\nmin_precision = 0.8", "g")
    assert (found.agreement.min_precision, found.agreement.sample) == (0.8, 12)
    assert set(found.bounds) == {*EVERY_STAGE, "diversity"}, "it is not a stage"


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UserError, match="GEM_GATES"):
        policy(Settings(gates=tmp_path / "none.toml"))
