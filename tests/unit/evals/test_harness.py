"""What the harnesses share: which cases a run asks for, and how the report names them."""

import pytest

from gem_tasks.domain.evaluation import Endpoint
from gem_tasks.evals.bfcl import Bfcl
from gem_tasks.evals.options import BfclOptions, Tau2Options
from gem_tasks.evals.tau2 import Tau2

USER = Endpoint(base_url="http://127.0.0.1:9/v1", model="user")
BASE = {"categories": ("multi_turn_base",), "subset": "smoke"}


@pytest.mark.parametrize(
    ("harness", "options", "wanted"),
    [
        (Bfcl(), BfclOptions(), ()),
        (Bfcl(), BfclOptions(**BASE), tuple(f"multi_turn_base_{number}" for number in (0, 50, 100, 150))),
        (Bfcl(), BfclOptions(**BASE, ids=("multi_turn_miss_func_3",)), ("multi_turn_miss_func_3",)),
        (Tau2(), Tau2Options(user=USER), ()),
        (Tau2(), Tau2Options(user=USER, domains=("retail",), subset="smoke"), ("retail/0", "retail/2", "retail/4")),
        (Tau2(), Tau2Options(user=USER, ids=("airline/7",), subset="smoke"), ("airline/7",)),
    ],
)
def test_a_run_asks_for_its_ids_else_the_smoke_cases_of_its_categories_else_all(harness, options, wanted, tmp_path):
    assert harness.wanted(options) == wanted
    assert harness.job(USER, options, tmp_path)["ids"] == list(wanted)


def test_the_report_names_ids_by_a_digest_that_does_not_depend_on_their_order():
    one, other = (Tau2().settings(Tau2Options(user=USER, ids=ids)) for ids in (("a/1", "a/2"), ("a/2", "a/1")))
    assert one == other
    assert one.subset == "ids:104ff18f7722"
    assert Bfcl().settings(BfclOptions(subset="smoke")).subset == "smoke"
