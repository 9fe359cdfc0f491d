"""What pages and API say about one lineage."""

import json
import re
from contextlib import contextmanager

import pytest

from gem_tasks.domain.plan import CHOICES
from gem_tasks.domain.realised import Kept, Realised
from gem_tasks.domain.stage import STAGE_NAMES
from gem_tasks.llm.dialects.dialect import PLAIN
from gem_tasks.llm.dialects.memory import Memory
from tests.console.hostile import PARTITION, PAYLOADS, PLAN


@pytest.fixture
def api(client):
    viewer = client("viewer")

    def get(path, status=200):
        answer = viewer.get(f"api/{path}")
        assert answer.status_code == status, answer.text
        return answer.json()

    return get


def test_the_funnel_is_the_lineage_s(api, work):
    steps = {step["name"]: step for step in api("overview?range=all")["funnel"]}
    with work.ledger() as ledger:
        recipes = list(work.chain.by_stage.values())
        summary = ledger.reports.summary(PARTITION, recipes, None)
    assert steps["documents"]["taken"] == summary.documents.total == len(PAYLOADS) + 1
    assert steps["segments"]["taken"] == summary.segments
    for stage in summary.stages:
        shown = steps[stage.stage]
        assert {name: shown[name] for name in ("accepted", "rejected", "failed", "calls")} == {
            name: getattr(stage, name) for name in ("accepted", "rejected", "failed", "calls")
        }
        assert shown["usd"] == pytest.approx(stage.usd)


def test_partitions_show_what_is_left(api):
    (state,) = api("overview?range=all")["partitions"]
    stages = {stage["stage"]: stage for stage in state["stages"]}
    assert stages["refine"]["expected"] == stages["generate"]["accepted"]
    assert api(f"partitions/{PARTITION}")["shards"]


def test_lists_go_on_where_they_stopped_without_gaps_or_repeats(api):
    everything = [one["document_id"] for one in api("documents?limit=200")["documents"]]
    found, cursor = [], ""
    while cursor is not None:
        page = api(f"documents?limit=5&cursor={cursor}")
        found += [one["document_id"] for one in page["documents"]]
        cursor = page["next"]
    assert found == everything
    assert len(set(found)) == len(PAYLOADS) + 1


@pytest.mark.parametrize("cursor", ["nonsense", "WyJ4Il0=", "%00", "W10="])
def test_a_broken_cursor_is_said_to_be_one(api, cursor):
    assert "cursor" in api(f"documents?cursor={cursor}", 400)["detail"]


def test_documents_are_found_by_words_status_domain_and_id(api):
    assert len(api("documents?q=meta refresh")["documents"]) == 1
    assert api("documents?q=nothing-like-it")["documents"] == []
    assert [one["reason"] for one in api("documents?status=empty")["documents"]] == ["empty"]
    assert {one["failed"] > 0 for one in api("documents?status=failed")["documents"]} == {True}
    published = api("documents?domain=finance")["documents"]
    assert published and all(one["trajectories"] for one in published)
    one = published[0]
    assert api(f"documents?q={one['document_id']}")["exact"]


@pytest.mark.parametrize(
    "q", ["'", "a & | !b:*", "\\", "%", "\u0000x", "<->", ":*", pytest.param("x" * 5000, id="long")]
)
def test_no_search_breaks_the_query(client, q):
    assert client("viewer").get("api/documents", params={"q": q}).status_code == 200


def test_trajectories_are_found_by_what_is_in_them(api):
    every = api("trajectories")["trajectories"]
    assert every
    tool = every[0]["called"][0]
    viewer_args = {"tool": tool, "domain": "finance", "platform": "operator", "finding": "claims: odd", "least": 5}
    assert every[0]["findings"] == ["claims: odd"]
    path = "trajectories?" + "&".join(f"{name}={value}" for name, value in viewer_args.items() if name != "tool")
    assert len(api(path)["trajectories"]) == len(every)
    assert api("trajectories?finding=other")["trajectories"] == []
    assert api("trajectories?audit=yes")["trajectories"] == []
    assert api("trajectories?least=1000")["trajectories"] == []


def by_validation(api):
    """The newest conversation that a check refused; the list has those of worlds as well."""
    return api("refused?reason=check_grounding")["refused"][0]


def test_findings_stand_at_their_messages_and_a_refused_one_is_checked_anew(api):
    view = api(f"trajectories/{api('trajectories')['trajectories'][0]['trajectory_id']}")
    at = {message["index"]: message for message in view["talk"]["messages"]}
    assert at[1]["notes"][0]["check"] == "claims"
    assert at[2]["calls"][1]["notes"][0]["check"] == "claims"  # message 4 is the answer to the second call
    assert view["notes"][0]["check"] == "claims"
    assert view["rules"]["R1"]["detail"] and view["rules"]["R2"] is None
    assert [result["stage"] for result in view["results"]] == ["filter", "extract", "generate", "refine", "validate"]
    refused = by_validation(api)
    made = api(f"made/{refused['recipe_id']}/{refused['segment_id']}")
    assert made["trajectory_id"] is None
    assert made["results"][-1]["why"] == "check_grounding"
    assert made["notes"] or any(message["notes"] for message in made["talk"]["messages"])


def test_a_plan_stands_beside_its_conversation_with_the_words_that_the_writer_got(api, client):
    key = api("trajectories")["trajectories"][0]["trajectory_id"]
    assert api(f"trajectories/{key}")["plan"] == PLAN.model_dump(mode="json")
    page = client("viewer").get(f"trajectories/{key}").text
    for menu in (*CHOICES, "patterns", "messages", "user_turns"):
        assert f'<th scope="row">{menu.replace("_", " ")}</th>' in page
    assert page.split("as the writer was told")[1].split("</ul>")[0].count("<li>") == len(PAYLOADS)


def test_a_revised_conversation_stands_beside_the_refused_one_with_what_was_found(api, work):
    refused = by_validation(api)
    made = api(f"made/{work.chain.id_of('revalidate')}/{refused['segment_id']}")
    assert [result["stage"] for result in made["results"]][-3:] == ["validate", "revise", "revalidate"]
    assert made["faults"], "why it was refused"
    assert made["refused"]["size"] == made["talk"]["size"]
    assert any(message["notes"] for message in made["refused"]["messages"])
    assert api(f"made/{refused['recipe_id']}/{refused['segment_id']}")["refused"] is None


def test_failures_have_their_raw_answers(api):
    page = api("failures?range=all&raw=true")
    assert page["classes"][0]["error_class"] == "malformed"
    assert page["classes"][0]["retriable"] == page["classes"][0]["segments"] == sum(page["classes"][0]["trend"])
    assert PAYLOADS[0] in page["failures"][0]["raw"]


def test_a_retry_marks_the_failures_and_starts_runs_as_the_user(client, calls, work):
    before = len(calls)
    asked = {"which": {"stage": "generate", "error_class": "malformed"}}
    answer = client("op").post("api/failures/retry", json=asked).json()
    assert [(run["partition"], run["problem"]) for run in answer["runs"]] == [(PARTITION, None)]
    dag, body, headers = calls[before]
    assert (dag, body["partition_key"]) == ("gem_synthesize", PARTITION)
    assert headers["authorization"].startswith("Bearer ")
    with work.ledger() as ledger:
        marked = ledger.pg.execute("SELECT count(*) AS n FROM stage_results WHERE retry_asked").fetchone()["n"]
    assert marked == answer["segments"] > 0


def test_a_backfill_is_counted_first_and_started_by_airflow_as_the_user(client, calls):
    asked = {"first": "2026-11-01T10:00:00Z", "last": "2026-11-01T12:00:00Z"}
    operator = client("op")
    assert operator.post("api/backfills", json=asked).json() == {"runs": 3, "backfill_id": None, "problem": None}
    assert operator.post("api/backfills", json={**asked, "dry_run": False}).json()["backfill_id"] == 7
    name, body, headers = calls[-1]
    assert (name, body["dag_id"], body["reprocess_behavior"]) == ("backfill", "gem_ingest", "completed")
    assert headers["authorization"].startswith("Bearer ")


def test_what_earlier_prompts_made_is_stale(work):
    from gem_tasks.console.prompts import prompts
    from gem_tasks.lineage.console import ConsolePool
    from gem_tasks.pipeline.workspace import Workspace

    changed = Workspace.open(work.settings.with_models({"refine": "another"}))
    pool = ConsolePool(work.settings.database)
    with pool.rows() as db:
        assert prompts(db, work).stale == ()
        stale = prompts(db, changed).stale
    pool.close()
    assert [one.stage for one in stale] == ["refine", "validate", "revise", "revalidate"]
    assert stale[0].first == PARTITION and stale[0].segments > 0


def test_distributions_of_a_dataset_begin_with_what_there_is_most_of(client, work):
    change = "UPDATE datasets SET manifest = jsonb_set(manifest, '{platforms}', %s) RETURNING version"
    with work.ledger() as ledger:
        (before,) = ledger.pg.execute("SELECT manifest -> 'platforms' AS found FROM datasets").fetchall()
        version = ledger.pg.execute(change, ['{"phone": 1, "machine": 50, "operator": 3}']).fetchone()["version"]
        page = client("viewer").get(f"datasets/{version}").text
        ledger.pg.execute(change, [json.dumps(before["found"])])
    shown = page.split("<h2>Platforms")[1].split("</section>")[0]
    assert re.findall(r"platform=(\w+)", shown) == ["machine", "operator", "phone"]


def test_stages_of_a_dataset_stand_in_their_order_and_what_was_replaced_in_a_list(client, work):
    change = "UPDATE datasets SET manifest = jsonb_set(manifest, '{privacy}', %s) RETURNING version"
    with work.ledger() as ledger:
        (before,) = ledger.pg.execute("SELECT manifest -> 'privacy' AS found FROM datasets").fetchall()
        version = ledger.pg.execute(change, ['{"flagged": {"phone": 2, "email": 11}}']).fetchone()["version"]
        page = " ".join(client("viewer").get(f"datasets/{version}").text.split())
        ledger.pg.execute(change, [json.dumps(before["found"])])
    made = page.split("<h2>How it was made")[1].split("</section>")[0]
    assert re.findall(r'<th scope="row">(\w+)</th>', made) == list(STAGE_NAMES)
    assert "in the source: nothing. Kept, because it occurs in no source: 11 email, 2 phone. </p>" in page


def test_names_of_persons_stand_on_the_pages_of_trajectory_and_dataset(client, api, work, monkeypatch):
    monkeypatch.setattr("gem_tasks.console.trajectory.named", lambda trajectory, text: ("Ann <b>", "Holger Krekel"))
    (first, *_) = api("trajectories")["trajectories"]
    page = client("viewer").get(f"trajectories/{first['trajectory_id']}").text
    assert "Names of persons that its source contains too:" in page
    assert '<span class="tag warn">Ann &lt;b&gt;</span> <span class="tag warn">Holger Krekel</span>' in page
    with work.ledger() as ledger:
        (version,) = ledger.datasets.current()
        change = "UPDATE datasets SET manifest = jsonb_set(manifest, '{privacy,persons}', %s)"
        ledger.pg.execute(change, ['{"names": 12, "trajectories": 5}'])
    shown = " ".join(client("viewer").get(f"datasets/{version}").text.split())
    assert "Names of persons of the source: 12 in 5 trajectories, 0 left out." in shown


def test_the_api_s_page_shows_what_stands_between_backticks_as_code(client):
    page = client("viewer").get("api/docs").text
    assert "<td><code>next</code> of the previous answer.</td>" in page
    assert "`" not in page.partition("<h2>Values")[0]


def test_models_stand_beside_the_paper_s_with_their_scores_and_who_decided(api, client):
    found = api("models")
    ours = [row for row in found["board"] if not row["source"]]
    assert [(row["model"], round(row["bfcl"], 1)) for row in ours] == [(PAYLOADS[1], 71.7), (PAYLOADS[0], 5.0)]
    assert all(row["bfcl_error"] > 0 for row in ours)
    assert len([row for row in found["board"] if row["where"] == "paper"]) > 5
    assert found["champions"] == ["model00000000001"]
    assert [each["outcome"] for each in found["promotions"]] == ["rejected", "promoted"]
    page = client("viewer").get("datasets").text
    assert "champion" in page
    assert "71.67" in page


def test_tabs_on_runs_and_tasks_show_what_they_wrote(api):
    from urllib.parse import quote

    from tests.console.hostile import RUN

    run = api(f"run?run_id={quote(RUN.run_id)}")
    assert {stage["stage"] for stage in run["stages"]} >= {"filter", "refine"}
    task = api(f"task?run_id={quote(RUN.run_id)}&task_id=filter.run&map_index=0")
    assert task["counts"]["accepted"] > 0
    assert api("run?run_id=nobody")["stages"] == []


def test_what_does_not_exist_is_not_found(client):
    for path in ("documents/no", "trajectories/no", "made/no/no", "prompts/no", "datasets/no"):
        assert client("viewer").get(f"api/{path}").status_code == 404, path
        page = client("viewer", Accept="text/html").get(path)
        assert page.status_code == 404
        assert "<h1>Not found" in page.text


def test_no_page_has_an_absolute_address_or_inline_script_or_style(client):
    """But links to the sources of other people's scores."""
    for path in ("", "documents", "trajectories", "refused", "prompts", "failures", "datasets", "api/docs"):
        page = re.sub(r'<a href="https://[^"]+"[^>]* rel="noreferrer">', "", client("viewer").get(path).text)
        assert not re.search(r"""(?:href|src|action)=["'](?:/|https?:)""", page), path
        assert not re.search(r"<script(?![^>]* src=)|<style|<[a-z][^>\"']* (?:style|on\w+)=", page), path


def test_what_was_learned_of_models_is_shown_as_text(api, client, work):
    hostile = "<img src=x onerror=alert(1)>\u202e"
    memory = Memory(work.store, "https://user:geheim@models.example/v1?key=geheim")
    memory.learned(hostile, PLAIN, PLAIN.model_copy(update={"limit": "max_completion_tokens"}), "system", hostile)
    (found,) = [one for one in api("dialects")["models"] if one["endpoint"] == "https://models.example/v1"]
    assert found["dialect"]["limit"] == "max_completion_tokens"
    page = client("viewer").get("datasets").text
    assert "limit=max_completion_tokens" in page
    assert "&lt;img src=x onerror=alert(1)&gt;\\u202e" in page
    assert "<img" not in page
    assert "geheim" not in page


@contextmanager
def with_manifest(work, name, value):
    """The version whose manifest has this value for a while."""
    change = "UPDATE datasets SET manifest = manifest || %s RETURNING version"
    with work.ledger() as ledger:
        (before,) = ledger.pg.execute("SELECT manifest FROM datasets").fetchall()
        yield ledger.pg.execute(change, [json.dumps({name: value})]).fetchone()["version"]
        ledger.pg.execute("UPDATE datasets SET manifest = %s", [json.dumps(before["manifest"])])


def test_a_dataset_shows_what_conversations_really_are(client, work):
    real = Realised(
        conversations=40,
        tool_error=16,
        judged=20,
        judge={"model": "<b>judge</b>"},
        options={"ending": {"recap": Kept(planned=10, realised=9, kept=8)}},
        answers={"ending": 18},
        unreadable={"ending": 2},
    )
    found = {
        "realised": real.model_dump(mode="json"),
        "gate": {"broken": ["recap_share is 0.9, expected at most 0.75"]},
    }
    with with_manifest(work, "diversity", found) as version:
        page = " ".join(client("viewer").get(f"datasets/{version}").text.split())
    assert '<th scope="row">recap</th> <td class="n">50.0%</td> <td class="n">29.0% to 71.0%</td>' in page
    assert '<td class="n">10</td> <td class="n">9</td> <td class="n">80.0%</td>' in page
    assert "&lt;b&gt;judge&lt;/b&gt; judged 20 conversations without their plans" in page
    assert "recap_share is 0.9, expected at most 0.75" in page
    assert "Answers that do not count: 2 ending." in page
