"""The code's severities are held to what was measured: no kind refuses that is not nearly always right."""

import tomllib
from importlib.resources import files

import pytest

from benchmarks.checks import table
from gem_tasks.checks import CHECKS, CHECKS_VERSION
from gem_tasks.checks.faults import CONSTRUCTED, Fault, finding
from gem_tasks.domain.finding import Finding, Severity

LEAST_PRECISION, LEAST_MEASURED = 0.95, 10
MEASURED = tomllib.loads(files("gem_tasks.checks").joinpath("severities.toml").read_text(encoding="utf-8"))


def test_the_measurements_are_of_these_checks():
    assert MEASURED["checks"] == CHECKS_VERSION
    assert set(MEASURED["kinds"]) == {fault.slug for fault in Fault}
    assert {fault.check for fault in Fault} == set(CHECKS)


def test_file_and_page_are_what_the_command_for_new_kinds_writes():
    kinds = table.kept(MEASURED)
    assert table.toml(kinds, MEASURED["conversations"]) == table.TOML.read_text(encoding="utf-8")
    page = table.DOC.read_text(encoding="utf-8")
    assert table.put(page, "severities", table.severity_table(kinds)) == page


def test_a_new_kind_is_added_as_not_measured():
    fewer = {slug: known for slug, known in MEASURED["kinds"].items() if slug != Fault.ECHO.slug}
    kinds = table.kept({"kinds": fewer})
    assert kinds[Fault.ECHO] == (0, 0, None)
    assert "| `realism.echo` | open | 0 | 0 | not measured |  |" in table.severity_table(kinds)


@pytest.mark.parametrize("fault", Fault, ids=lambda fault: fault.slug)
def test_an_error_is_proved_by_construction_or_by_measurement(fault):
    known = MEASURED["kinds"][fault.slug]
    assert known["severity"] == fault.severity
    if fault.severity is Severity.ERROR and fault.check not in CONSTRUCTED:
        assert known.get("precision", 0) >= LEAST_PRECISION
        assert known["right"] >= LEAST_MEASURED
    if fault.severity is Severity.ERROR:
        assert known["wrong"] == 0 or known["precision"] >= LEAST_PRECISION


def test_a_finding_has_the_severity_of_its_kind():
    made = finding(Fault.CHANGED, "x" * 1000, 3, "$.a")
    assert (made.check, made.kind, made.severity) == ("realism", "changed", Severity.OPEN)
    assert len(made.detail) < 1000


@pytest.mark.parametrize(
    ("stored", "severity"),
    [
        ({"severity": "error", "unsettled": False}, "error"),
        ({"severity": "warning", "unsettled": True}, "open"),
        ({"severity": "warning", "unsettled": False}, "warning"),
        ({"severity": "open"}, "open"),
    ],
)
def test_findings_stored_by_older_checks_stay_readable(stored, severity):
    read = Finding.model_validate({"check": "grounding", "detail": "d", "message_index": 2, **stored})
    assert read.severity == severity
    assert Finding.model_validate_json(read.model_dump_json()) == read
