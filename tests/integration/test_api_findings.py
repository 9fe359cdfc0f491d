"""What a live API wants from published tools is kept with their texts, shown there, and changes no verdict."""

import json

import pytest
from typer.testing import CliRunner

from gem_tasks.cli.main import app
from gem_tasks.dataset.export import published
from gem_tasks.errors import UserError
from gem_tasks.lineage.api_findings import ApiFinding
from tests.corpus import PARTITION


@pytest.fixture
def work(finished, monkeypatch):
    for module in ("ground", "inspect"):
        monkeypatch.setattr(f"gem_tasks.cli.{module}.load", lambda: finished[0].settings)
    return finished[0]


@pytest.fixture
def found(work):
    row = next(iter(published(work, PARTITION)))["metadata"]
    return ApiFinding(
        segment_id=row["segment_id"], trajectory_id=row["trajectory_id"], api="Payments", sha256="ab", mode="sandbox",
        tool="charge", operation="PostCharges", kind="needs", parameter="currency",
        detail="PostCharges needs `currency`", calls=3,
    )  # fmt: skip


def run(*arguments):
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output
    return " ".join(result.output.split())


def test_findings_stand_with_the_conversation_and_its_text_and_a_new_run_replaces_them(found, work):
    other = found.model_copy(update={"api": "Weather", "sha256": "cd"})
    namesake = found.model_copy(update={"sha256": "ef"})
    unknown = found.model_copy(update={"segment_id": "of another workspace"})
    with work.ledger() as ledger:
        before = ledger.reports.lineage(found.trajectory_id)
        ledger.api_findings.replace("Payments", "ab", [found.trajectory_id], [found, unknown])
        ledger.api_findings.replace("Weather", "cd", [found.trajectory_id], [other])
        ledger.api_findings.replace("Payments", "ab", [found.trajectory_id], [found])
        ledger.api_findings.replace("Payments", "ef", [found.trajectory_id], [namesake])
        assert [each.sha256 for each in ledger.api_findings.of(found.trajectory_id)].count("ab") == 1
        ledger.api_findings.replace("Payments", "ef", [found.trajectory_id], [])
        assert [each.api for each in ledger.api_findings.of(found.trajectory_id)] == ["Payments", "Weather"]
        after = ledger.reports.lineage(found.trajectory_id)
    said = run("show", found.trajectory_id)
    assert "Payments (sandbox), charge: needs (3 calls): PostCharges needs `currency`" in said
    assert "Payments (sandbox), charge: needs: PostCharges needs" in run("lineage", found.trajectory_id)
    (segment,) = [each for each in after.segments if each.segment_id == found.segment_id]
    assert len(segment.api_findings) == 2
    silent = after.model_copy(update={"segments": tuple(
        each.model_copy(update={"api_findings": ()}) for each in after.segments)})  # fmt: skip
    assert silent == before  # no outcome, no trajectory, no version differs
    with work.ledger() as ledger:
        ledger.api_findings.replace("Payments", "ab", [found.trajectory_id], [])
        ledger.api_findings.replace("Weather", "cd", [found.trajectory_id], [])
        assert ledger.reports.lineage(found.trajectory_id) == before


def test_the_command_records_what_it_found_of_published_tools_mapped_by_hand(found, work, tmp_path):
    row = next(each for each in published(work, PARTITION))
    called = row["tools"][0]["function"]["name"]
    spec, mapping = tmp_path / "api.json", tmp_path / "map.json"
    needs = {"name": "shop_id", "in": "query", "required": True, "description": "Which shop."}
    spec.write_text(json.dumps({"openapi": "3.0.0", "info": {"title": "Shops"}, "paths": {
        "/zz": {"get": {"operationId": "zz", "parameters": [needs]}}}}))  # fmt: skip
    mapping.write_text(json.dumps({called: "zz"}))
    options = ["ground-api", "--spec", str(spec), "--sample", "1000", "--mapping", str(mapping)]
    run(*options, "--no-record")
    with work.ledger() as ledger:
        assert not ledger.api_findings.of(row["metadata"]["trajectory_id"])
    run(*options)
    with work.ledger() as ledger:
        (one,) = [each for each in ledger.api_findings.of(row["metadata"]["trajectory_id"]) if each.kind == "needs"]
    assert (one.tool, one.detail, one.mode) == (called, "zz needs `shop_id`: Which shop.", "dry-run")


def test_what_may_be_called_must_be_said(tmp_path):
    spec = tmp_path / "api.json"
    spec.write_text('{"openapi": "3.0.0", "paths": {}}')
    base = ["ground-api", "--spec", str(spec), "--from", str(spec)]
    for wrong, said in (
        (["--mode", "sandbox"], "needs an address"),
        (["--mode", "sandbox", "--base-url", "https://api.example.com"], "another machine"),
        (["--mcp", "https://mcp.example.com/mcp?key=hush"], "Exactly one API"),
        (["--mode", "real"], "is unknown"),
    ):
        result = CliRunner().invoke(app, [*base, *wrong])
        assert isinstance(result.exception, UserError)
        assert said in str(result.exception)
