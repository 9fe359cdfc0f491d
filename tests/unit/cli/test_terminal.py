"""Nothing of others acts on a terminal, whichever command prints it."""

import ast
import json
import os
from pathlib import Path

import pytest
import typer
from rich.markup import escape
from rich.panel import Panel
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from gem_tasks import redaction
from gem_tasks.cli import failures, inspect, main, services, terminal
from gem_tasks.cli.terminal import Terminal, echo, echo_exact, echo_json
from gem_tasks.visible import visible, visible_json, visible_lines

CLI = Path(terminal.__file__).parent
ACTS = "\x1b]0;TITLE\x07\x1b[31mRED\x1b[2J\x9b31m\x1b]52;c;aGk=\x07\x1b]8;;http://e\x07x\u202eOV\u2066I\u061cA\u200eM\x7f\x85\u2028"
SIGNS = set("\x07\x9b\x7f\x85\u202e\u2066\u061c\u200e\u2028\ud800")
STAYS = "می\u200cخواهم क्\u200dष 👨\u200d👩\u200d👧 ❤\ufe0f\tü"


def obeyed(text):
    """What of it a terminal would obey, but for colours of our own."""
    return (set(text) & SIGNS) | {part[:6] for part in text.split("\x1b")[1:] if not part.startswith("[")}


def test_what_acts_is_shown_and_what_writes_stays():
    assert visible("a\x1b]0;x\x07\u202eb\nc\u061c") == "a\\x1b]0;x\\x07\\u202eb\\nc\\u061c"
    assert visible_lines(f"1\n2\u2028{STAYS}") == f"1\n2\\u2028{STAYS}"
    assert visible_lines("a\U000e0041\ufe01\ufe02\ud800") == "a\\U000e0041\\ufe01\\ufe02\\ud800"
    assert visible_lines("a\U0001bca0\U0001d173") == "a\\U0001bca0\\U0001d173"
    data = {"a\x9b": [ACTS, STAYS, "\U000e0041", "\ud800"]}
    shown = visible_json(json.dumps(data, ensure_ascii=False))
    assert not set(shown) & SIGNS
    assert json.loads(shown) == data


@pytest.mark.parametrize(
    "made",
    [
        lambda text: text,
        escape,
        Text,
        lambda text: Text(text, style="bold"),
        lambda text: Panel(escape(text), title=escape(text), subtitle=Text(text)),
        lambda text: Syntax(json.dumps({"a": text}, ensure_ascii=False), "json", word_wrap=True),
        lambda text: Syntax(text, "diff"),
        lambda text: f"[link=http://evil.example]{escape(text)}[/link]",
        lambda text: f"{text} [/] [/red] [bold",
    ],
)
@pytest.mark.parametrize("colours", [True, False])
def test_a_console_shows_texts_of_any_kind_without_obeying_them(capsys, monkeypatch, made, colours):
    monkeypatch.setenv("FORCE_COLOR" if colours else "NO_COLOR", "1")
    table, tree = Table(escape(ACTS), title=escape(ACTS)), Tree(escape(ACTS))
    table.add_row(made(ACTS))
    tree.add(made(ACTS))
    console = Terminal()
    for each in (made(ACTS), table, tree):
        console.print(each)
    console.rule(escape(ACTS))
    shown = capsys.readouterr().out
    assert obeyed(shown) == set()
    assert "]8;" not in shown.replace("\\x1b]8;", "")
    assert "TITLE" in shown


def test_lines_and_json_are_safe_too_and_a_pipe_gets_what_was_asked_for(capsys):
    echo(ACTS)
    echo("half \ud800", err=True)
    echo_json(json.dumps({"a": ACTS}, ensure_ascii=False))
    found = capsys.readouterr()
    assert obeyed(found.out) == set()
    assert found.err == "half \\ud800\n"
    assert json.loads(found.out.partition("\n")[2]) == {"a": ACTS}
    echo_exact("x\u200ey\n")
    assert capsys.readouterr().out == "x\u200ey\n"


def test_secrets_in_force_are_printed_by_nothing_but_the_login(capsys):
    redaction.know("k", "Printed-key-0123456789")
    try:
        echo("a Printed-key-0123456789")
        echo_json('{"a": "Printed-key-0123456789"}')
        Terminal().print("a Printed-key-0123456789")
        found = capsys.readouterr().out
        terminal.echo_login("Printed-key-0123456789")
        assert capsys.readouterr().out == "Printed-key-0123456789\n"
    finally:
        redaction.IN_FORCE.forget()
    assert "Printed" not in found
    assert json.loads(found.splitlines()[1]) == {"a": "[redacted]"}


@pytest.mark.parametrize("path", sorted(CLI.glob("*.py")), ids=lambda path: path.stem)
def test_no_command_prints_in_another_way(path):
    if path.stem == "terminal":
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {alias.name for alias in node.names} | {getattr(node, "module", None) or ""}
            if names <= {"rich.console", "Group", "RenderableType"}:  # what is shown, not where
                continue
            assert not names & {"rich.console", "rich.print", "Console", "click"}, f"{path.name}:{node.lineno}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"print", "Console", "input"}, f"{path.name}:{node.lineno}"
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
            said = ast.unparse(node)
            forbidden = ("typer.echo", "typer.secho", "typer.prompt", "typer.confirm", "sys.stdout.", "sys.stderr.")
            assert not said.startswith(forbidden) or said.endswith("isatty"), f"{path.name}:{node.lineno} {said}"


def run(monkeypatch, capsys, *arguments):
    for name in [each for each in os.environ if each.startswith("GEM_") and each != "GEM_HOME"]:
        monkeypatch.delenv(name)  # what other tests in this process left
    monkeypatch.setattr("sys.argv", ["gem", *arguments])
    with pytest.raises(SystemExit) as ended:
        main.main()
    return ended.value.code, capsys.readouterr()


@pytest.fixture(autouse=True)
def as_before():
    import logging

    from typer import rich_utils

    console, factory = rich_utils.Console, logging.getLogRecordFactory()
    yield
    rich_utils.Console = console
    logging.setLogRecordFactory(factory)


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", ACTS), ("synth", ACTS), (ACTS,), ("export", f"--{ACTS}"), ("show", ACTS),
        ("failures", "--class", ACTS), ("check", "--format", ACTS, "x"),
    ],
)  # fmt: skip
def test_arguments_and_errors_are_repeated_as_text(monkeypatch, capsys, tmp_path, arguments):
    monkeypatch.setenv("GEM_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    code, found = run(monkeypatch, capsys, *arguments)
    assert code == 2, found
    assert obeyed(found.out + found.err) == set()


def test_a_bug_shows_its_traceback_without_secrets_or_escapes(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("GEM_HOME", str(tmp_path))
    redaction.know("k", "Traced-key-0123456789")

    def broken():
        raise LookupError(f"Traced-key-0123456789 {ACTS}")

    monkeypatch.setattr(main, "app", broken)
    try:
        code, found = run(monkeypatch, capsys)
    finally:
        redaction.IN_FORCE.forget()
    assert code == 1
    assert "LookupError: [redacted]" in found.err
    assert obeyed(found.err) == set()


def test_names_of_models_and_words_of_endpoints_are_text(monkeypatch, capsys):
    from gem_tasks.local.doctor import Diagnosis

    said = [Diagnosis(name=f"endpoint {ACTS}", ok=False, detail=f"offers {ACTS} [/] [bold]", fix=ACTS)]
    monkeypatch.setattr(services.examination, "examine", lambda settings, told: said)
    with pytest.raises(typer.Exit):
        services.doctor(as_json=False)
    with pytest.raises(typer.Exit):
        services.doctor(as_json=True)
    assert obeyed(capsys.readouterr().out) == set()


def test_conversations_and_failures_are_text(monkeypatch, capsys):
    message = {"role": "assistant", "content": ACTS}
    call = {"function": {"name": ACTS, "arguments": json.dumps({"a": ACTS}, ensure_ascii=False)}}
    for each in (message, message | {"role": "tool"}, message | {"tool_calls": [call]}):
        inspect._message(Terminal(), each)

    class Failed:
        stage, error_class, set_aside, uri, detail, raw, segment_id = ACTS, ACTS, False, ACTS, ACTS, ACTS, ACTS

    Terminal().print(failures._table([Failed()]))
    assert obeyed(capsys.readouterr().out) == set()
