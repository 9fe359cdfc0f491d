"""README and docs name what the code has, and the code's settings, checks and decisions are all in them."""

import re
from functools import cache

import pytest
import typer

from gem_tasks.checks import CHECKS
from gem_tasks.cli.main import app
from gem_tasks.domain.request_options import RequestOptions
from gem_tasks.domain.stage import EVERY_STAGE, SIMULATED_USER, STAGE_NAMES
from gem_tasks.local.state import SERVICES
from gem_tasks.settings import Settings
from tests.pages import GENERATED, PAGES, ROOT, page, pages

every_page = pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
STAGES = "|".join(name.upper() for name in (SIMULATED_USER, *EVERY_STAGE))
SOURCES = [
    path
    for folder in ("gem_tasks", "dags", "plugins", "deploy", "teacher", "tests", "benchmarks", "envs", "sql")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in {".py", ".yaml", ".yml", ".toml", ".sh", ".html", ".sql", ".txt", ".in"}
] + [ROOT / name for name in ("Makefile", "Dockerfile", "docker-compose.yml", "pyproject.toml", ".ci/run")]


@cache
def code():
    """All that is no page."""
    return "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in SOURCES if path.is_file())


def built():
    """Variables whose names the code puts together."""
    return {f"GEM_{name.upper()}_PORT" for name in SERVICES}


def settings():
    """The variables that set something for all stages."""
    fields = {re.sub(rf"_({STAGES})$", "", f"GEM_{name.upper()}") for name in Settings.model_fields}
    options = {f"GEM_LLM_{name.upper()}" for name in RequestOptions.model_fields}
    return (fields | options) - {"GEM_LLM_REQUESTS", "GEM_LLM_STAGES", "GEM_S3"}


# Links


@every_page
def test_every_relative_link_leads_somewhere(path):
    broken = []
    for link in page(path).links:
        target, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", link):
            continue
        found = (path.parent / target).resolve() if target else path
        if found in GENERATED:
            continue
        if not found.exists() or (anchor and found.suffix == ".md" and anchor not in page(found).anchors):
            broken.append(link)
    assert broken == []


# Settings


@pytest.mark.parametrize("name", sorted(settings()))
def test_every_setting_is_documented(name):
    assert any(re.search(rf"{name}(?![A-Z0-9])|{name}_({STAGES})\b", each.text) for each in pages())


@every_page
def test_every_variable_that_a_page_names_is_read_somewhere(path):
    named = {name.rstrip("_") for name in re.findall(r"\bGEM_[A-Z0-9_]+(?![A-Z0-9_*{])", page(path).text)}
    unknown = {
        name
        for name in named - settings() - built()
        if re.sub(rf"_({STAGES})$", "", name) not in settings() and not re.search(rf"\b{name}\b", code())
    }
    assert unknown == set()


# Commands


def commands(text):
    """Command lines that begin with `gem`, without comments, prompts and what stands before them."""
    joined = re.sub(r"\\\n\s*", " ", text)
    for line in joined.splitlines():
        for part in re.split(r"&&|\|\||[|;]", re.sub(r"\s+#.*", "", line)):
            if match := re.match(r"(?:\$ )?(?:[A-Z_0-9]+=\S+ )*(?:\.venv/bin/)?gem ([a-z][\w-]*.*)", part.strip()):
                yield match[1]


def fault_of(line):
    """Why there is no such command; None if there is one."""
    command, options = typer.main.get_command(app), set()
    words = line.split()
    while True:
        options |= {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
        if not (hasattr(command, "commands") and words and re.fullmatch(r"[a-z][a-z0-9-]*", words[0])):
            break
        name = words.pop(0)
        if name not in command.commands:
            return f"no command {name}"
        command = command.commands[name]
    options |= {"--help"}
    used = {re.split(r"[=\]]", word.lstrip("["))[0] for word in words if word.lstrip("[").startswith("--")}
    return f"no option {', '.join(sorted(used - options))}" if used - options else None


@every_page
def test_every_command_that_a_page_shows_exists_with_its_options(path):
    shown = [text for language, text in page(path).blocks if language in ("", "bash", "sh", "console", "shell")]
    faults = {line: why for text in (*shown, *page(path).spans) for line in commands(text) if (why := fault_of(line))}
    assert faults == {}


@every_page
def test_every_target_of_make_that_a_page_names_exists(path):
    targets = set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    texts = (*page(path).spans, *(text for _, text in page(path).blocks))
    named = {name for text in texts for name in re.findall(r"^make ([a-z][\w-]*)", text, re.MULTILINE)}
    assert named - targets == set()


# Names of files, modules and tests

FOLDERS = "gem_tasks|dags|plugins|sql|deploy|docs|examples|envs|tests|benchmarks|teacher"
FILE = re.compile(rf"(?:{FOLDERS})/[\w./-]*[\w/]")
MODULE = re.compile(r"(?:gem_tasks|tests|offline_teacher)(?:\.\w+)+")


def exists(name):
    """A module, or something that a module has."""
    root = ROOT / "teacher" if name.startswith("offline_teacher") else ROOT
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        found = root.joinpath(*parts[:length])
        module = found.with_suffix(".py") if not found.is_dir() else found / "__init__.py"
        if found.is_dir() or module.exists():
            rest = parts[length:]
            return not rest or (module.exists() and re.search(rf"\b{rest[0]}\b", module.read_text("utf-8")) is not None)
    return False


def exists_below(span):
    """As a file; `ID` and `NAME` stand for any name."""
    return any(ROOT.glob(re.sub(r"\b[A-Z]{2,}\b(?=\.|/|$)", "*", span)))


@every_page
def test_every_file_and_module_that_a_page_names_is_there(path):
    files = {span for span in page(path).spans if FILE.fullmatch(span) and not exists_below(span)}
    modules = {
        name
        for text in (*page(path).spans, *(text for _, text in page(path).blocks))
        for name in MODULE.findall(text)
        if not exists(name) and not (ROOT / name).exists()
    }
    assert (files, modules) == (set(), set())


PIPELINE = re.compile(r"`(?:gem_tasks[./])?pipeline([./][a-z_]+(?:[./][a-z_]+)*?)(?:\.py)?(?:\.[A-Z]\w*)?`")


@pytest.mark.parametrize(
    "path",
    [path for path in (*SOURCES, *PAGES) if path.suffix in (".py", ".md") and PIPELINE.search(path.read_text("utf-8"))],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_every_module_of_the_pipeline_that_is_named_is_there(path):
    root = ROOT / "gem_tasks" / "pipeline"
    named = {name.strip("./").replace(".", "/") for name in PIPELINE.findall(path.read_text("utf-8"))}
    assert [name for name in named if not any((root / found).exists() for found in (f"{name}.py", name))] == []


def test_every_test_that_a_page_names_exists():
    named = [
        (path, name)
        for each in pages()
        for path, name in re.findall(r"`(?:tests/)?((?:\w+/)+test_\w+\.py)(?:::(\w+))?`", each.text)
    ]
    assert len(named) > 45
    for path, name in named:
        text = (ROOT / ("" if path.startswith("teacher/") else "tests") / path).read_text(encoding="utf-8")
        assert not name or re.search(rf"^(async )?def {name}\(", text, re.MULTILINE), f"{path}::{name}"


# Checks, stages, decisions


def test_the_table_of_checks_lists_the_checks_in_their_order():
    text = page(ROOT / "docs" / "validation.md").text
    table = text.partition("| id | errors |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| (\w+) \|", table, re.MULTILINE) == list(CHECKS)


@every_page
def test_every_reason_that_names_a_check_names_one_that_there_is(path):
    named = {name for span in page(path).spans for name in re.findall(r"^check_(\w+)$", span)}
    assert named <= set(CHECKS)


def test_the_first_page_lists_every_stage():
    text = page(ROOT / "docs" / "index.md").text
    assert {name for name in STAGE_NAMES if not re.search(rf"^\|[^|]*\b{name}\b", text, re.MULTILINE)} == set()


DECISIONS = {path.name[:4]: path for path in (ROOT / "docs" / "adr").glob("[0-9]*.md")}


def test_the_index_lists_every_decision_and_says_why_numbers_are_missing():
    text = page(ROOT / "docs" / "adr" / "README.md").text
    links = page(ROOT / "docs" / "adr" / "README.md").links
    assert [link for link in links if link[:4].isdigit()] == [DECISIONS[number].name for number in sorted(DECISIONS)]
    missing = {number for number in range(1, int(max(DECISIONS)) + 1) if f"{number:04}" not in DECISIONS}
    assert {int(number) for number in re.findall(r"^(\d+)\. +\*\*not used", text, re.MULTILINE)} == missing


@pytest.mark.parametrize("number", sorted(DECISIONS))
def test_a_decision_has_the_number_of_its_file(number):
    assert DECISIONS[number].read_text(encoding="utf-8").startswith(f"# {int(number)}. ")


def test_every_decision_that_is_cited_exists():
    texts = [code(), *(each.text for each in pages())]
    cited = {
        int(number)
        for text in texts
        for number in re.findall(r"\bADR (\d+)|adr/0*(\d+)-", text)
        for number in number
        if number
    }
    assert {number for number in cited if f"{number:04}" not in DECISIONS} == set()
