"""`gem eval calls` over HTTP: what is sent, every figure, failing endpoints."""

import json

import pytest
from typer.testing import CliRunner

from gem_tasks.cli.main import app
from gem_tasks.domain.evaluation import Endpoint
from tests.oracles import server
from tests.unit.evals.calls.bakery import CAKE, OPTIONS, RYE, ran, values

ROWS = [{**row, "id": f"{row['id']} {at}"} for at in range(3) for row in (RYE, CAKE)]


def answers(body, headers):
    """Half right: finds bread, but orders the wrong number of another form, and speaks in the end."""
    last = body["messages"][-1]
    if last["role"] == "user" and "Rye" in last["content"]:
        return server.calls(("find_bread", {"name": "spelt", "size": "small"}), ("find_bread", {"name": "rye"}))
    if "cake" in last["content"]:
        return server.calls(("find_bread", {"name": "cake"}))
    if "Two" in last["content"]:
        return server.calls(("order_bread", {"bread_id": "B1", "count": 3, "on": "2026/3/5"}))
    return server.words("Which one?")


def test_every_figure_of_a_model_that_is_half_right(tmp_path):
    with server.serving(m=answers) as url:
        found = values(ran(Endpoint(base_url=url, model="m"), tmp_path, ROWS))
    assert found == {
        ("overall", "action"): 6 / 9,
        ("overall", "decision"): 1.0,
        ("call", "called"): 1.0,
        ("call", "functions"): 1.0,
        ("call", "exact"): 3 / 9,
        ("call", "equal"): 6 / 9,
        ("call", "arguments"): 6 / 9,
        ("call", "parallel"): 1.0,
        ("single", "called"): 1.0,
        ("single", "functions"): 1.0,
        ("single", "exact"): 0.5,
        ("single", "equal"): 0.5,
        ("parallel", "called"): 1.0,
        ("parallel", "functions"): 1.0,
        ("parallel", "exact"): 0.0,
        ("parallel", "equal"): 1.0,
        ("speak", "spoke"): 1.0,
        ("ask", "spoke"): 1.0,
        ("ask", "kind"): 1.0,
        ("refuse", "spoke"): 1.0,
        ("refuse", "kind"): 0.0,
        ("report", "spoke"): 1.0,
        ("report", "kind"): 0.0,
    }
    text = (tmp_path / "report.md").read_text()
    assert "| overall | action | 66.67 |" in text
    assert "| refuse | ask 3 |" in text


def test_what_is_sent_is_what_came_before_and_nothing_of_the_answer(tmp_path):
    seen = []

    def remember(body, headers):
        seen.append(body)
        return server.words("Well.")

    thinking = {**CAKE, "messages": [dict(each) for each in CAKE["messages"]]}
    thinking["messages"][1]["reasoning_content"] = "SECRET"
    with server.serving(m=remember) as url:
        ran(Endpoint(base_url=url, model="m"), tmp_path, [thinking], OPTIONS.model_copy(update={"seed": 4}))
    asked = sorted((body for body in seen if body.get("tools")), key=lambda body: len(body["messages"]))
    assert [[message["role"] for message in body["messages"]] for body in asked] == [
        ["user"],
        ["user", "assistant", "tool"],
    ]
    assert (asked[0]["temperature"], asked[0]["seed"], asked[0]["tools"]) == (0.0, 4, CAKE["tools"])
    assert "SECRET" not in json.dumps(seen)


def test_models_without_tool_calls_get_the_tools_in_the_system_message(tmp_path):
    def tagged(body, headers):
        assert "tools" not in body
        first = body["messages"][0]
        shown = first["role"] == "system" and '"find_bread"' in first["content"]
        return server.words('<func>{"name": "find_bread", "arguments": {"name": "cake"}}</func>' if shown else "?")

    options = OPTIONS.model_copy(update={"mode": "prompt"})
    with server.serving(m=tagged) as url:
        found = values(ran(Endpoint(base_url=url, model="m"), tmp_path, [CAKE], options))
    assert (found["single", "equal"], found["speak", "spoke"]) == (1.0, 0.0)


def test_a_turn_that_the_endpoint_fails_counts_as_wrong_and_is_asked_again(tmp_path):
    broken = True

    def failing(body, headers):
        return 400 if broken and len(body["messages"]) > 3 else answers(body, headers)

    with server.serving(m=failing) as url:
        model = Endpoint(base_url=url, model="m")
        first = ran(model, tmp_path, [RYE])
        assert first.errors == 3
        assert values(first)["overall", "action"] == 1 / 4
        broken = False
        again = ran(model, tmp_path, [RYE])
        assert again.errors == 0
        assert values(again)["overall", "action"] == 1 / 2
    assert len((tmp_path / "attempts.jsonl").read_text().splitlines()) == 4


def test_the_report_says_which_settings_the_endpoint_refused(tmp_path):
    with server.serving(m=server.strict(answers)) as url:
        endpoint = Endpoint(base_url=url, model="m")
        for _ in range(2):  # also if it is complete, and nothing is asked again
            settings = ran(endpoint, tmp_path, ROWS).settings
            assert (settings.temperature, settings.extra["not_sent"]) == (None, ["temperature"])
    assert "temperature: the server's default" in (tmp_path / "report.md").read_text()


@pytest.fixture
def command(tmp_path, monkeypatch):
    """Runs `gem eval calls` over one conversation without a database; returns its result and all requests."""
    monkeypatch.setenv("GEM_HOME", str(tmp_path / "home"))
    (tmp_path / "held-out.jsonl").write_text(json.dumps(RYE))
    seen = []

    def remember(body, headers):
        seen.append(body)
        return server.words("Well.")

    def run(*more):
        with server.serving(m=remember) as url:
            given = ("--on", str(tmp_path / "held-out.jsonl"), "--base-url", url, "--model", "m")
            return CliRunner().invoke(app, ["eval", "calls", *given, "--json", *more]), seen

    return run


@pytest.mark.parametrize(("asked", "sent"), [("server", None), ("0.7", 0.7)])
def test_the_temperature_is_the_servers_own_if_asked_for(command, asked, sent):
    found, seen = command("--temperature", asked)
    assert json.loads(found.stdout)["settings"]["temperature"] == sent
    assert {body.get("temperature") for body in seen if body.get("tools")} == {sent}


@pytest.mark.parametrize("odd", ["warm", "-1", "nan", "inf"])
def test_what_is_no_temperature_is_refused(command, odd):
    found, seen = command("--temperature", odd)
    assert "is not a temperature" in str(found.exception)
    assert seen == []
