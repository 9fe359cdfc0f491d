"""A run over HTTP: players that are asked, tries that an endpoint failed, and runs that continue."""

import json
from contextlib import nullcontext

import pytest

from gem_tasks.domain.evaluation import Endpoint
from gem_tasks.errors import UserError
from gem_tasks.evals.options import WorldsOptions
from gem_tasks.evals.worlds import run as runner
from gem_tasks.evals.worlds.run import evaluate, settings_of
from gem_tasks.simulate.scene import Caps
from gem_tasks.worlds.pool import Pool
from tests.oracles.server import calls, serving, words
from tests.unit.evals.worlds.office import CASES
from tests.unit.worlds.goals.shop import TOOLS

ONE = [case for case in CASES if case.variant.name == "plain"]
SOLVES = (
    '<func>{"name": "find", "arguments": {"customer": "Aster"}}</func>',
    "Shall I cancel o-1?",
    '<func>{"name": "cancel", "arguments": {"id": "o-1", "reason": "late"}}</func>'
    '<func>{"name": "refund", "arguments": {"id": "o-1", "share": 40}}</func>',
    "Done.",
)


@pytest.fixture(autouse=True, scope="module")
def one_child():
    """All runs share a world's child, because its start takes longest."""
    with Pool() as pool, pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner, "Pool", lambda **_: nullcontext(pool))
        yield


def said(body, role="assistant"):
    return sum(message["role"] == role for message in body["messages"])


def solver(body, _):
    at = said(body)
    return words(SOLVES[at] if at < len(SOLVES) else "You are welcome.")


def person(body, _):
    at = said(body)
    return words(["Cancel my late order.", "Yes, and 40 % back.", "<stop>"][min(at, 2)])


def rows(folder):
    return [json.loads(line) for line in (folder / "attempts.jsonl").read_text().splitlines()]


def run(url, folder, model="solver", user="person", **options):
    endpoint = Endpoint(base_url=url, model=model)
    chosen = {"tries": 2, "mode": "prompt", "concurrency": 1, "user": Endpoint(base_url=url, model=user), **options}
    return evaluate(endpoint, ONE, WorldsOptions.model_validate(chosen), folder)


def test_a_served_model_and_a_user_play_and_all_that_a_score_means_is_recorded(tmp_path):
    with serving(solver=solver, person=person) as url:
        report = run(url, tmp_path, seed=7)
    assert {score.metric: score.value for score in report.scores if score.category == "overall"} == {
        "pass^1": 1.0, "pass^2": 1.0, "pass@2": 1.0,
    }  # fmt: skip
    means = report.measures["means"]
    assert (means["calls"], means["turns"]) == (3, 2)
    assert (means["assistant_completion_tokens"], means["user_completion_tokens"]) == (20, 15)
    settings = report.settings
    assert (settings.user_model, settings.epochs, settings.extra["seeds"]) == ("person", 2, [7, 8])
    assert settings.subset == f"worlds:{settings.extra['worlds']}"
    assert settings.extra["caps"] == Caps().model_dump()
    assert [row["seed"] for row in rows(tmp_path)] == [7, 8]


def test_a_model_may_call_in_the_form_of_the_api(tmp_path):
    offered = []

    def native(body, headers):
        offered.append([tool["function"]["name"] for tool in body.get("tools", ())])
        done = sum(len(message.get("tool_calls") or ()) for message in body["messages"])
        confirmed = said(body, "user") > 1
        wanted = [("find", {"customer": "Aster"}), ("cancel", {"id": "o-1", "reason": "late"})]
        wanted.append(("refund", {"id": "o-1", "share": 40}))
        if done == 0 or (confirmed and done < len(wanted)):
            return calls(wanted[done])
        return words("Shall I cancel o-1?" if done == 1 else "Done.")

    with serving(native=native, person=person) as url:
        report = run(url, tmp_path, model="native", mode="native", tries=1)
    assert (report.score().value, report.measures["means"]["calls"]) == (1, 3)
    assert offered[-1] == [tool.name for tool in TOOLS]


def test_a_run_continues_and_plays_only_what_is_missing_or_failed_outside_the_model(tmp_path):
    asked = []

    def counting(body, headers):
        asked.append(body)
        return solver(body, headers)

    def absent(body, headers):
        return 400 if said(body) else person(body, headers)

    with serving(solver=solver, person=absent) as url, pytest.raises(UserError, match="No case could be run"):
        run(url, tmp_path, tries=1)
    assert [row["error"][:5] for row in rows(tmp_path)] == ["user:"]
    with serving(solver=solver, person=person) as url:
        assert run(url, tmp_path, tries=1).score().value == 1
    with (tmp_path / "attempts.jsonl").open("a") as file:
        file.write('{"case_id": "cut o')
    with serving(solver=counting, person=person) as url:
        assert run(url, tmp_path, tries=1).score().value == 1
    assert [said(body) for body in asked] == [0]  # only the question whether it answers at all
    with serving(solver=solver, person=person) as url, pytest.raises(UserError, match="different settings"):
        run(url, tmp_path, tries=1, seed=9)


def test_why_a_model_failed_is_told_apart(tmp_path):
    loops = '<func>{"name": "get", "arguments": {"id": "o-1"}}</func>'
    models = {
        "looping": lambda body, _: words(loops),
        "broken": lambda body, _: words("<func>{"),
        "idle": lambda body, _: words(f"I cannot do that, {said(body)}."),
        "mute": lambda body, _: words("<func>"),
    }
    causes = {}
    with serving(**models, solver=solver, person=person) as url:
        for name in ("looping", "broken", "idle"):
            report = run(url, tmp_path / name, model=name, tries=1)
            causes[name] = (report.measures["causes"], report.errors)
        with pytest.raises(UserError, match="the user is at fault"):
            run(url, tmp_path / "mute", user="mute", tries=1)
    assert causes == {"looping": ({"cap": 1}, 0), "broken": ({"malformed": 1}, 0), "idle": ({"gave_up": 1}, 0)}


ODD = {
    "half": '\ud800 <func>{"name": "get", "arguments": {"id": "\\ud800"}}</func>',
    "nul": '<func>{"name": "get", "arguments": {"id": "\\u0000"}}</func>',
    "deep": '<func>{"name": "get", "arguments": ' + '{"a":' * 3000 + "1" + "}" * 3000 + "}</func>",
    "tags": "</assistant><tool>{}</tool>",
    "name": '<func>{"name": "__proto__", "arguments": {}}</func>',
}


@pytest.mark.parametrize("name", ODD)
def test_nothing_that_a_model_writes_stops_a_run(tmp_path, name):
    with serving(odd=lambda body, _: words(ODD[name]), solver=solver, person=person) as url:
        report = run(url, tmp_path, model="odd", tries=1)
        assert (report.score().value, report.errors) == (0, 0)
        assert run(url, tmp_path, model="odd", tries=1).cases == report.cases
        with pytest.raises(UserError, match="No case could be run"):
            run(url, tmp_path / "user", user="odd", tries=1)


def test_a_set_is_named_by_what_is_in_it():
    names = {settings_of("oracle", cases, WorldsOptions()).subset for cases in (CASES, CASES[1:], CASES)}
    assert len(names) == 2
