"""The dashboard, the alert rules and their runbooks name metrics that exist."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.pages import page

ROOT = Path(__file__).parents[2]


def test_the_dashboard_asks_for_metrics_that_exist():
    mapped = {
        rule["name"] for rule in yaml.safe_load((ROOT / "deploy/statsd-mapping.yml").read_text("utf-8"))["mappings"]
    }
    board = json.loads((ROOT / "deploy/grafana-dashboard.json").read_text("utf-8"))
    for panel in board["panels"]:
        for target in panel["targets"]:
            for metric in re.findall(r"\b(?:gem|airflow)_\w+", target["expr"]):
                if not metric.startswith("gem_llm"):
                    assert metric.removesuffix("_bucket") in mapped, metric


def alerts():
    rules = yaml.safe_load((ROOT / "deploy/alerts.yml").read_text("utf-8"))
    return [rule for group in rules["groups"] for rule in group["rules"]]


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule["alert"])
def test_an_alert_asks_for_metrics_that_exist_and_has_a_runbook(rule):
    mappings = yaml.safe_load((ROOT / "deploy/statsd-mapping.yml").read_text("utf-8"))["mappings"]
    labels = {each["name"]: set(each["labels"]) | {"le"} for each in mappings}
    asked = re.findall(r"\b((?:gem|airflow)_\w+)(?:\{(\w+))?", rule["expr"].replace('"gem_llm.*"', '""'))
    assert asked
    for metric, label in asked:
        assert not label or label in labels[metric.removesuffix("_bucket")], (metric, label)
        assert metric.removesuffix("_bucket") in labels, metric
    where = rule["annotations"]["runbook_url"].removeprefix("{{ $externalLabels.docs_url }}/")
    name, _, anchor = where.partition("#")
    runbook = page(ROOT / "docs" / name.replace(".html", ".md"))
    assert anchor in runbook.anchors
    assert f"`{rule['alert']}`" in runbook.text, "the section names its alert"


def test_every_runbook_has_its_alert():
    named = set(re.findall(r"^`(Gem\w+)`: ", (ROOT / "docs/runbooks.md").read_text("utf-8"), re.MULTILINE))
    assert named == {rule["alert"] for rule in alerts()}


def test_alerts_fire_when_they_should():
    """By Prometheus's own checker, where it is installed."""
    if not (promtool := shutil.which("promtool")):
        pytest.skip("no promtool here")
    done = subprocess.run(
        [promtool, "test", "rules", "alerts-test.yml"], cwd=ROOT / "deploy", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
