"""A harness that never ends, lies about what it does, or leaves odd things is an error of the harness."""

import sys

import pytest

from gem_tasks.confine.job import Job
from gem_tasks.confine.results import TamperedError
from gem_tasks.errors import UserError
from gem_tasks.evals.child import HarnessError, events, planned, reading


def running(folder, code, timeout_s=60):
    return events(Job(command=(sys.executable, "-I", "-c", code), folder=folder), folder / "harness.log", timeout_s)


def test_events_are_passed_on_and_everything_else_goes_into_the_log(tmp_path):
    code = """
import sys
print('{"event": "case"}'); print("words"); print('{"no": 1}'); print("[" * 100000); print("trouble", file=sys.stderr)
"""
    assert list(running(tmp_path, code)) == [{"event": "case"}]
    log = (tmp_path / "harness.log").read_text()
    assert "words" in log
    assert "trouble" in log


def test_one_that_does_not_end_is_ended_and_one_that_fails_says_why(tmp_path):
    with pytest.raises(UserError, match="did not finish within 2 s"):
        list(running(tmp_path, "import time; time.sleep(1000)", timeout_s=2))
    with pytest.raises(HarnessError, match=r"(?s)exited with code 3; .*no such thing"):
        list(running(tmp_path, "import sys; print('no such thing', file=sys.stderr); sys.exit(3)"))


def test_one_that_leaves_a_link_is_not_read_and_its_log_is_never_a_link_s_target(tmp_path):
    target = tmp_path / "target"
    target.write_text("ours")
    folder = tmp_path / "work"
    code = f"import os; os.remove('harness.log'); os.symlink({str(target)!r}, 'harness.log'); print('x' * 10)"
    with pytest.raises(TamperedError):
        list(running(folder, code))
    with pytest.raises(TamperedError):
        list(running(folder, "print('more')"))
    assert target.read_text() == "ours"


@pytest.mark.parametrize(
    "said", [None, [], {"../../x": ["a"]}, {"base": "a"}, {"base": [1]}, {"other": ["a"]}, {1: ["a"]}]
)
def test_cases_that_were_not_asked_for_are_none(said):
    assert planned({"base": ["a"]}, ("base", "long")) == {"base": ["a"]}
    with pytest.raises(HarnessError):
        planned(said, ("base", "long"))


@pytest.mark.parametrize("read", ["{}['a']", "int('x')", "None.a", "1 + 'a'"])
def test_results_that_are_not_what_they_should_be_are_the_harness_s_error(tmp_path, read):
    with pytest.raises(HarnessError, match="cannot be read"), reading(tmp_path, 100):
        eval(read)
