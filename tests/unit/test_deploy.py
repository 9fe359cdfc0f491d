"""The deployment files say what they should: nothing here can be run without containers, so it is read closely."""

import json
import re
import subprocess
import sys
from pathlib import Path

import compose_spec
import pytest
import yaml

ROOT = Path(__file__).parents[2]
COMPOSE = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")
_VARIABLE = re.compile(r"\$\{([A-Z_]+)(?:(:-|:\?)([^}]*))?\}")


def services():
    return yaml.safe_load(COMPOSE)["services"]


def test_the_compose_file_follows_the_specification():
    filled = _VARIABLE.sub(lambda match: match[3] if match[2] == ":-" else "2", COMPOSE)
    compose_spec.PyOptions(apply_merge=True).from_yaml(filled).validate()


def test_every_variable_is_in_the_example_and_none_of_the_example_is_unused():
    wanted = {match[1] for match in _VARIABLE.finditer(COMPOSE)}
    offered = set(re.findall(r"^(?:# )?([A-Z_]+)=", EXAMPLE, re.MULTILINE))
    assert wanted <= offered, wanted - offered
    assert offered - wanted <= {"COMPOSE_PROFILES", "GEM_BUDGET_USD"}, offered - wanted


def test_no_secret_has_a_default():
    for name, operator, default in _VARIABLE.findall(COMPOSE):
        if re.search("PASSWORD|SECRET|KEY|TOKEN", name):
            assert operator == ":?" or default == "", name
    assert not re.findall(r"^\w*(?:PASSWORD|SECRET|FERNET_KEY)\w*=.+", EXAMPLE, re.MULTILINE)


@pytest.mark.parametrize("name", sorted(services()))
def test_a_service_is_pinned_limited_watched_and_not_open_to_the_network(name):
    service = services()[name]
    assert re.search(r":[\w.-]*\d|:local$", service["image"]), "an image without a version"
    assert service["deploy"]["resources"]["limits"]["memory"] if name != "init" else True
    assert "healthcheck" in service or name == "init"
    for port in service.get("ports", []):
        assert port.startswith("127.0.0.1:"), port


def test_the_image_follows_the_linter_and_runs_without_root():
    linter = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([linter, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert re.search(r"^USER \d+$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize(
    ("told", "started"),
    [
        (["bash", "-c", "exec airflow scheduler"], "airflow scheduler"),  # as the chart starts services
        (["python", "-m", "airflow"], "python -m airflow"),  # as the Kubernetes executor starts tasks
        (["api-server"], "airflow api-server"),  # as compose does
        (["airflow", "db", "check"], "airflow db check"),
        ([], "airflow version"),
    ],
)
def test_the_image_starts_what_compose_and_the_chart_tell_it(tmp_path, told, started):
    for name in ("airflow", "python"):
        (tmp_path / name).write_text(f'#!/bin/sh\necho {name} "$@"\n', encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    path = f"{tmp_path}:/usr/bin:/bin"
    done = subprocess.run([ROOT / "deploy/entrypoint.sh", *told], env={"PATH": path}, capture_output=True, text=True)
    assert done.stdout.strip() == started, done.stderr


def test_the_chart_makes_no_user_and_reads_what_the_image_has():
    values = yaml.safe_load((ROOT / "deploy/helm-values.yaml").read_text("utf-8"))
    image = (ROOT / "Dockerfile").read_text("utf-8")
    assert values["createUserJob"]["defaultUser"]["enabled"] is False  # the chart's has the password admin
    assert f"AIRFLOW_HOME={values['airflowHome']}" in image
    assert f" {values['config']['core']['dags_folder']}" in image
    assert values["migrateDatabaseJob"]["args"][-1] == "/opt/gem/bin/init.sh"
    assert not values["postgresql"]["enabled"]
    assert not values["pgbouncer"]["enabled"]  # it would not know the connection, which comes from the Secret
    assert all(wanted is False for wanted in values["enableBuiltInSecretEnvVars"].values())


def test_every_folder_that_the_wheel_ships_is_copied_into_the_image():
    shipped = re.findall(r'^"(\w+)" = "gem_tasks/_shipped', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    copied = re.findall(r"^COPY (\w+) /src/", (ROOT / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    assert set(shipped) <= set(copied)


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
