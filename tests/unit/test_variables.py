"""A variable that nothing reads is named, with the one that was probably meant; all that something reads pass."""

import logging
import os
import re

import pytest
from typer.testing import CliRunner

import gem_tasks
from gem_tasks import variables
from gem_tasks.cli.main import app
from gem_tasks.errors import UserError
from gem_tasks.local.doctor import examine
from gem_tasks.local.state import SERVICES
from gem_tasks.settings import Settings, load
from gem_tasks.variables import unread
from tests.pages import ROOT

FOLDERS = ("gem_tasks", "dags", "plugins", "teacher", "deploy", "docs", "benchmarks")
KINDS = {".py", ".sh", ".md", ".yaml"}
FILES = ("docker-compose.yml", ".env.example", "Makefile", ".ci/run", "README.md")
EXAMPLES = r"GEM_LLM_(MODEL|TEMPERATURE|BASE_URL)_POEM|GEM_LLM_CONCURRENCY_FILTER|GEM_LLM_X\w*"
"""Of a stage and a setting that a developer might add."""


@pytest.fixture(autouse=True)
def empty(monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.upper().startswith("GEM_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GEM_HOME", str(tmp_path))
    monkeypatch.setattr(variables, "_said", set())


def found(*names):
    return [(each.name, each.nearest) for each in unread(names, Settings.model_fields)]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("GEM_LM_MODEL", "GEM_LLM_MODEL"),
        ("GEM_LLM_MODLE", "GEM_LLM_MODEL"),
        ("GEM_MODEL", "GEM_LLM_MODEL"),
        ("GEM_LLM_MODEL_FILTR", "GEM_LLM_MODEL_FILTER"),
        ("GEM_LLM_TEMPERATURE_EXTRAKT", "GEM_LLM_TEMPERATURE_EXTRACT"),
        ("GEM_LLM_MODEL_REVISE", "GEM_LLM_MODEL_REFINE"),  # the revising stage asks like the refining one
        ("GEM_BUDGET", "GEM_BUDGET_USD"),
        ("gem_buget_usd", "GEM_BUDGET_USD"),
        ("GEM_POSTGRES_DNS", "GEM_POSTGRES_DSN"),
        ("GEM_ALERTS_URL", "GEM_ALERT_URL"),
        ("GEM_TEAM", ""),
    ],
)
def test_a_name_that_nothing_reads_is_named_with_the_one_that_was_meant(name, meant):
    assert found("PATH", name, "GEM_HOME") == [(name, meant)]


def test_services_of_kubernetes_variables_of_tests_and_of_ports_are_none_of_them():
    services = ("GEM_POSTGRES_SERVICE_HOST", "GEM_POSTGRES_SERVICE_PORT_PG", "GEM_UI_PORT_8080_TCP_ADDR")
    ports = [f"GEM_{name.upper()}_PORT" for name in SERVICES]
    assert found(*services, *ports, "GEM_TEST_ANYTHING", "GEM_COMPOSE_FILES", "gem_llm_model") == []


def test_every_variable_that_code_deployment_or_docs_name_is_known():
    paths = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.*") if path.suffix in KINDS]
    names = set()
    for path in (*paths, *(ROOT / name for name in FILES)):
        text = re.sub(EXAMPLES, "", path.read_text(encoding="utf-8"))
        names.update(re.findall(r"\bGEM_[A-Z0-9]+(?:_[A-Z0-9]+)*(?![A-Z0-9_*{(\\])", text))
    assert found(*sorted(names - {"GEM_LLM"})) == []


def test_reading_the_settings_says_it_once(monkeypatch, caplog):
    monkeypatch.setenv("GEM_LLM_MODLE", "large")
    caplog.set_level(logging.WARNING)
    load()
    load()
    assert [each.getMessage() for each in caplog.records] == [
        "GEM_LLM_MODLE is not a setting of GEM and does nothing. Did you mean GEM_LLM_MODEL?"
    ]


def test_a_line_that_a_person_added_to_services_env_counts_too(tmp_path, caplog):
    (tmp_path / "services.env").write_text("GEM_LLM_MODLE='large'\nAIRFLOW_HOME='x'\n", encoding="utf-8")
    load()
    assert "GEM_LLM_MODLE" in caplog.text


def test_a_command_says_it_before_it_begins(monkeypatch, tmp_path):
    monkeypatch.setenv("GEM_PREFILTR", "off")
    (tmp_path / "rows.jsonl").write_text("", encoding="utf-8")
    shown = CliRunner().invoke(app, ["check", str(tmp_path / "rows.jsonl")])
    assert "gem: GEM_PREFILTR is not a setting of GEM and does nothing. Did you mean GEM_PREFILTER?" in shown.stderr
    assert "GEM_PREFILTR" not in shown.stdout


@pytest.mark.parametrize(("name", "ok"), [("GEM_PREFILTR", False), ("GEM_TEAM", True)])
def test_gem_doctor_counts_what_looks_mistyped_as_a_fault(monkeypatch, name, ok):
    monkeypatch.setenv(name, "off")
    diagnosis = next(examine(Settings()))
    assert (diagnosis.name, diagnosis.ok) == ("settings", ok)
    assert diagnosis.detail == f"{name} is not a setting of GEM and does nothing"


def test_an_argument_that_is_no_setting_is_refused():
    with pytest.raises(UserError, match=r"Settings has no 'lm_model'\. Did you mean 'llm_model'\?"):
        gem_tasks.Settings(lm_model="large")
    assert gem_tasks.Settings(llm_model="large").llm_model == "large"


def test_unknown_lines_of_services_env_are_no_arguments(tmp_path):
    (tmp_path / "services.env").write_text("GEM_LLM_MODEL='large'\nGEM_TEACHER_PORT=1\nOTHER=2\n", encoding="utf-8")
    assert Settings(_env_file=tmp_path / "services.env").llm_model == "large"
