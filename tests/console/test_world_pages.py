"""What pages and API say about a world and about a conversation that happened in it."""

import pytest

from gem_tasks.console.prompts import prompts, used_recipes
from gem_tasks.console.worlds import execution, world
from gem_tasks.console.worlds.changes import Changes
from gem_tasks.lineage.console import ConsolePool
from gem_tasks.lineage.console.trajectories import Trajectories
from gem_tasks.pipeline.run_recipes import register_recipes
from gem_tasks.pipeline.workspace import Workspace
from tests.console import hostile_world
from tests.console.hostile import ALL, PAYLOADS


@pytest.fixture(scope="module")
def recipes(work):
    return {name: recipe.recipe_id for name, recipe in hostile_world.chain(work.chain.id_of("extract")).items()}


@pytest.fixture(scope="module")
def segment(work, recipes):
    with work.ledger() as ledger:
        found = ledger.pg.execute("SELECT segment_id FROM stage_results WHERE stage = 'verify'").fetchone()
    return found["segment_id"]


@pytest.fixture
def get(client):
    def ask(path):
        answer = client("viewer").get(path)
        assert answer.status_code == 200, answer.text
        return answer

    return ask


def test_a_world_has_tables_code_by_tool_rules_with_their_words_and_its_conversations(get, recipes, segment):
    view = get(f"api/worlds/{recipes['world']}/{segment}").json()
    assert [(table["name"][:6], table["records"]) for table in view["tables"]] == [
        ("now", 0), (ALL[:6], 0), ("orders", len(PAYLOADS)), ("list", 2),
    ]  # fmt: skip
    orders = view["tables"][2]
    assert orders["columns"] == ["note", "status"]  # the id says what the key says
    assert orders["rows"][0][0] == PAYLOADS[0] and orders["rows"][0][2] == "open"
    assert [(piece["tool"], piece["rules"]) for piece in view["code"]] == [(None, []), ("cancel", [1]), ("look", [])]
    start, end = view["spans"]["rule 1"]
    assert view["text"][start:end] == "Renew it, at most twice."
    conversations = view["conversations"]
    assert [(one["outcome"], one["why"], one["variant"]) for one in conversations] == [
        ("accepted", "", PAYLOADS[2]), ("rejected", "simulate: goal_missed", PAYLOADS[2]),
    ]  # fmt: skip
    page = get(f"worlds/{recipes['world']}/{segment}").text
    assert '<li id="rule-1">' in page and 'href="#text-rule-1"' in page and 'id="text-rule-1"' in page
    assert 'id="code-cancel"' in page and "<script>window" not in page
    assert f'href="../../made/{recipes["verify"]}/{segment}"' in page


def test_a_conversation_tells_its_world_and_goal(get, recipes, segment):
    view = get(f"api/made/{recipes['verify']}/{segment}").json()
    told = view["execution"]
    assert (told["world_recipe"], told["task"], told["seed"], told["attempt"]) == (recipes["world"], 0, 7, 1)
    assert told["reached"] and told["ending"] == "impossible"
    assert view["talk"]["size"]["calls"] == 2 and view["rules"]["R1"] is None
    assert [one["outcome"] for one in view["others"]] == ["simulate: goal_missed"]
    missed = get(f"made/{recipes['missed']}/{segment}").text
    assert "The goal was missed" in missed and "what each call changed" in missed


def test_what_each_call_changed_comes_from_a_replay(get, recipes, segment, monkeypatch):
    changes = get(f"api/made/{recipes['verify']}/{segment}/changes").json()
    turn, look, cancel = changes["turns"]["1"], changes["calls"]["call_1"], changes["calls"]["call_2"]
    assert (turn["deeds"], [change["key"] for change in turn["changes"]]) == (["deed"], ["made"])
    assert look["changes"] == [] and not look["differs"]
    assert [(change["key"], change["kind"]) for change in cancel["changes"]] == [
        (PAYLOADS[1], "changed"), ("late", "added"),
    ]  # fmt: skip
    assert cancel["changes"][0]["fields"] == [{"name": "status", "before": "open", "after": ALL[:400] + "…"}]
    assert not cancel["differs"] and changes["note"] == ""
    monkeypatch.setattr(execution, "changes", lambda *_: Changes.model_validate(changes))
    page = get(f"made/{recipes['verify']}/{segment}?show=changes").text
    assert '<td class="removed">open</td>' in page and "The user did <b>deed</b>" in page


def test_nothing_is_replayed_unless_asked(get, recipes, segment, monkeypatch):
    monkeypatch.setattr(execution, "changes", lambda *_: pytest.fail("replayed"))
    assert "executed" in get(f"made/{recipes['verify']}/{segment}").text


def test_a_world_that_was_not_made_has_a_page_that_says_why(get, recipes, segment, monkeypatch):
    monkeypatch.setattr(world, "output_of", lambda *_: None)
    row = {"outcome": "rejected", "reason": "tool_name", "detail": ALL}
    results = Trajectories.results
    monkeypatch.setattr(
        Trajectories, "results",
        lambda self, key: [each._replace(**row) for each in results(self, key) if each.stage == "world"],
    )  # fmt: skip
    page = get(f"worlds/{recipes['world']}/{segment}").text
    assert "tool_name" in page and 'id="code"' not in page and "None yet." in page


def test_tabs_on_runs_and_tasks_of_the_line_in_worlds_show_and_link_what_they_wrote(get, recipes, segment):
    run = get(f"api/run?run_id={hostile_world.RUN.run_id}").json()
    stages = [(one["stage"], one["take"], one["accepted"], one["rejected"]) for one in run["stages"]]
    assert stages == [
        ("world", "workflow 1", 1, 0), ("task", "workflow 1", 1, 0),
        ("simulate", "workflow 1, task 1, attempt 1", 1, 0), ("simulate", "workflow 1, task 2, attempt 1", 0, 1),
        ("verify", "workflow 1, task 1, attempt 1", 1, 0),
    ]  # fmt: skip
    page = get("run?run_id=nobody&dag_id=gem_worlds").text
    assert "This run wrote no results" in page and "write none" not in page
    page = get(f"task?run_id={hostile_world.RUN.run_id}&task_id=world.run&map_index=0").text
    for name in ("simulate", "missed", "verify"):
        assert f'href="made/{recipes[name]}/{segment}"' in page
    assert f'href="worlds/{recipes["world"]}/{segment}"' in page


def test_a_document_page_tells_conversations_by_task_and_links_the_dag_that_made_them(get, work, recipes, segment):
    with work.ledger() as ledger:
        query = "SELECT document_id FROM segments WHERE segment_id = %s"
        document = ledger.pg.execute(query, [segment]).fetchone()["document_id"]
    page = get(f"documents/{document}").text
    assert (
        "simulate <small>workflow 1, task 2, attempt 1</small>" in page and "verify <small>workflow 1, task 1" in page
    )
    assert f"dags/gem_worlds/runs/{hostile_world.RUN.run_id}/tasks/world.run/mapped/0" in page
    assert page.count("/tasks/world.run/") == page.count("dags/gem_worlds/runs/")
    assert "dags/gem_synthesize/runs/" in page


def test_prompts_of_the_line_in_worlds_are_current_where_worlds_are_on(work):
    on = Workspace.open(work.settings.model_copy(update={"worlds": "on"}))
    register_recipes(on.in_worlds())
    with ConsolePool(work.settings.database).rows() as db:
        found = [{one.name for one in prompts(db, each).prompts if one.current} for each in (work, on)]
        recipes = {one.stage for one in used_recipes(db, on) if one.current}
    assert found[1] - found[0] == {"world", "task", "simulate", "simulate.user"}
    assert recipes >= {"validate", "world", "verify"}
