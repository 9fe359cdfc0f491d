"""What the tests reach of the packages that decide what is kept.

`make test` runs pytest with `--cov --floors`: the tests of `MEASURED` are traced and the others are not, since tracing
makes Python about twice as slow. The table is printed above pytest's last line, and a run below a floor fails.
"""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest

FLOORS = {"pipeline": 90, "llm": 90, "checks": 90, "store": 90}
"""Percent of branches."""
MEASURED = tuple(
    f"tests/{place}"
    for place in """
    unit/checks/ unit/llm/ unit/pipeline/ unit/store/ integration/test_admission.py integration/test_batch.py
    integration/test_batch_costs.py integration/test_batch_dialects.py integration/test_batch_workers.py
    integration/test_estimate.py integration/test_gating.py integration/test_limits_of_sources.py
    integration/test_llm_client.py integration/test_pipeline.py integration/test_prompts.py
    integration/test_providers.py integration/test_quotas.py integration/test_rebuild.py
    integration/test_run_recipes.py integration/test_scans.py integration/test_second_chance.py
    integration/test_store.py integration/test_store_s3.py integration/test_store_s3_faults.py
    integration/test_synthesizer_line.py integration/test_transport.py integration/test_unanswered.py
    integration/test_upkeep_commands.py
    integration/test_versions.py integration/test_windows.py integration/test_worlds_line.py
    """.split()
)
"""The unit tests of these packages, and of the tests with Postgres or an endpoint the cheapest that reach the rest."""


class Reached(NamedTuple):
    """A package's statements and branches, and how many of them ran."""

    statements: int
    statements_run: int
    branches: int
    branches_run: int

    @property
    def share(self) -> float:
        """Percent of branches; 0 where nothing was measured."""
        return 100 * self.branches_run / self.branches if self.branches else 0.0


def reached(report: dict[str, Any], package: str) -> Reached:
    """The sums over a package's files.

    Args:
        report: as `coverage json` writes it.
        package: a folder of `gem_tasks`.
    """
    found = [each["summary"] for name, each in report["files"].items() if f"gem_tasks/{package}/" in name]
    names = ("num_statements", "covered_lines", "num_branches", "covered_branches")
    return Reached(*(sum(each[name] for each in found) for name in names))


def table(found: dict[str, Reached]) -> str:
    """In Markdown."""
    rows = [f"| {name} | {' | '.join(map(str, each))} | {each.share:.1f} % |" for name, each in found.items()]
    head = ["| package | statements | run | branches | run | branch coverage |", "|---|---|---|---|---|---|"]
    return "\n".join([*head, *rows])


def below(found: dict[str, Reached]) -> list[str]:
    """The packages that are below their floors."""
    return [name for name, each in found.items() if each.share < FLOORS[name]]


def measured() -> dict[str, Reached]:
    """What pytest-cov has saved, by package."""
    from coverage import Coverage

    saved = Coverage()
    saved.load()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "coverage.json"
        saved.json_report(outfile=str(path))
        report = json.loads(path.read_text(encoding="utf-8"))
    return {name: reached(report, name) for name in FLOORS}


_FOUND = pytest.StashKey[dict[str, Reached]]()


def pytest_addoption(parser):
    parser.addoption("--floors", action="store_true", help="with --cov: trace the measured tests only, and judge them")


def pytest_collection_modifyitems(config, items):
    if config.option.floors:
        for item in items:
            if not item.nodeid.startswith(MEASURED):
                item.add_marker("no_cover")


def pytest_sessionfinish(session, exitstatus):
    """After pytest-cov has combined what the workers measured, and before the summary."""
    if not session.config.option.floors or hasattr(session.config, "workerinput"):
        return
    if exitstatus not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        return  # A run that broke off, on a full disk for one, may have measured nothing.
    session.config.stash[_FOUND] = found = measured()
    if exitstatus == pytest.ExitCode.OK and below(found):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter, config):
    if found := config.stash.get(_FOUND, None):
        terminalreporter.section("branch coverage")
        terminalreporter.line(table(found))
        if low := below(found):
            terminalreporter.line(f"Below the floor: {', '.join(low)}. `coverage report -m` names the lines.", red=True)
