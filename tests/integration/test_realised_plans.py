"""A model says what published conversations are: asked once each, kept, shown, and compared with the policy."""

import asyncio
import json

import pytest
from typer.testing import CliRunner

from gem_tasks.cli import plans_judge
from gem_tasks.cli.main import app
from gem_tasks.dataset.judged import judge_version, require_diverse
from gem_tasks.dataset.publish import publish
from gem_tasks.domain.stage_settings import StageSettings
from gem_tasks.errors import UserError
from gem_tasks.plans import shipped
from gem_tasks.prompts import sections
from gem_tasks.stages import plan_judge
from gem_tasks.store import keys
from tests.corpus import PARTITION
from tests.integration.endpoint import failing, serving

MENUS = shipped()
RECAPS = {"choices": {menu: [*options][-1] for menu, options in plan_judge.asked_menus(MENUS).items()}}
RECAPS["choices"] |= {"ending": "recap", "look_alikes": "yes"}
RECAPS["patterns"] = dict.fromkeys(MENUS.patterns, 0) | {"false_premise": 1}
POLICY = '[diversity]\nrecap_share = {{ max = 0.75, action = "{action}", sample = 2 }}\n'


def completion(text):
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    return {"id": "1", "object": "chat.completion", "model": "judge", "choices": [choice], "usage": usage}


def script(number, body):
    return completion(json.dumps(RECAPS))


def manifest_of(work, version):
    return json.loads(work.fetch(keys.dataset_key(version, "manifest.json")))


def asked(script, make):
    """What `make(url)` returns while an endpoint answers by the script, and the requests that it got."""

    async def serve():
        async with serving(script) as (endpoint, url):
            return await asyncio.to_thread(make, url), endpoint.requests

    return asyncio.run(serve())


@pytest.fixture
def judging(finished, workspace, monkeypatch):
    """Makes a workspace whose judge is at an address; the version that is there.

    Its name is the teacher's, because results of another judge would not be those of the finished run.
    """
    _, _, dataset = finished
    monkeypatch.setattr("gem_tasks.dataset.plan_judge.OFFLINE_MODEL", "another")

    def make(url, **changes):
        return workspace(llm_stages={"validate": StageSettings(base_url=url)}, **changes)

    return make, dataset.version


def test_answers_are_asked_for_once_and_stand_in_manifest_card_and_page(judging):
    make, version = judging
    first, requests = asked(script, lambda url: judge_version(make(url), version, 3, 0, None))
    real = first.report.realised
    assert len(requests) == first.report.calls == real.judged == 3
    assert "plan" not in sections(requests[0]["messages"][1]["content"])
    assert real.options["ending"]["recap"].realised == 3
    assert (real.headlines["recap"].share, real.headlines["premise"].share) == (1.0, 1.0)

    work = make("http://127.0.0.1:9/v1")
    again = judge_version(work, version, 3, 0, None)
    assert (again.report.calls, again.report.known) == (0, 3), "nothing is paid for twice"
    assert again.report.realised == real
    assert manifest_of(work, version)["diversity"]["realised"] == json.loads(real.model_dump_json())
    card = work.fetch(keys.dataset_key(version, "README.md")).decode()
    assert "| recap | 100% | 44 to 100 % | 3 |" in card
    assert "`offline-rules` judged 3 conversations, without seeing their plans" in card
    with work.ledger() as ledger:
        row = ledger.pg.execute(
            "SELECT model, p.name, p.text FROM plan_judgements JOIN prompts p ON p.sha256 = prompt_sha256 LIMIT 1"
        ).fetchone()
    assert row == {"model": "offline-rules", "name": "plan_judge", "text": plan_judge.prompt().text}


def test_what_a_publication_wrote_during_the_questions_stays_in_the_manifest(judging):
    make, version = judging
    work, key = make("http://127.0.0.1:9/v1"), keys.dataset_key(version, "manifest.json")

    def publishing(number, body):
        work.store.put(key, json.dumps(manifest_of(work, version) | {"excluded": {"vetoed": 7}}).encode())
        return completion(json.dumps(RECAPS))

    asked(publishing, lambda url: judge_version(make(url), version, 2, 0, None))
    found = manifest_of(work, version)
    assert (found["excluded"], found["diversity"]["realised"]["judged"]) == ({"vetoed": 7}, 2)


def test_what_cannot_be_read_or_is_refused_is_said_and_asked_for_again_only_if_there_was_no_answer(judging):
    make, version = judging

    def faulty(number, body):
        text = json.dumps(body)
        if "Return the complete" in text or len(body["messages"]) > 2:
            return completion("I would rather not.")
        return failing(400, "content_filter") if number == 1 else completion("What a fine conversation!")

    found, _ = asked(faulty, lambda url: judge_version(make(url, llm_concurrency=1), version, 2, 0, None))
    real = found.report.realised
    assert (real.judged, real.unreadable) == (0, {"answer": 1})
    assert found.report.failed == 1 and found.report.error
    assert "recap" not in real.headlines
    found, requests = asked(script, lambda url: judge_version(make(url), version, 2, 0, None))
    assert (len(requests), found.report.realised.judged) == (1, 1)


def test_a_judge_that_cannot_be_used_stops_the_command_and_never_the_publication(judging):
    make, version = judging

    def refusing(number, body):
        return failing(401, "invalid_api_key")

    with pytest.raises(UserError, match="cannot be used with model 'offline-rules' for stage validate"):
        asked(refusing, lambda url: judge_version(make(url), version, 2, 0, None))


def test_the_offline_teacher_is_not_asked(finished, monkeypatch):
    work, _, dataset = finished
    monkeypatch.setattr(plans_judge, "load", lambda: work.settings)
    said = CliRunner().invoke(app, ["plans", "judge", "--json"]).stdout
    found = json.loads(said)
    assert found["realised"]["not_judged"].startswith("the offline teacher cannot judge plans")
    assert found["calls"] == 0 and found["version"] == dataset.version
    assert found["realised"]["by_code"]["length"]
    assert set(found["headlines"]) == {"tool_error"}
    table = CliRunner().invoke(app, ["plans", "judge"]).stdout
    assert "Not judged: the offline teacher cannot judge plans" in table
    assert CliRunner().invoke(app, ["plans", "judge", "x"]).exception.cause == "There is no dataset version 'x'"


def test_the_policy_asks_a_person_or_holds_a_version_back(judging, tmp_path):
    make, version = judging
    rules = tmp_path / "gates.toml"
    rules.write_text(POLICY.format(action="review"))
    found, _ = asked(script, lambda url: judge_version(make(url, gates=rules), version, 3, 0, None))
    assert found.decision.action == "review"
    work = make("http://127.0.0.1:9/v1", gates=rules)
    manifest = manifest_of(work, version)
    assert manifest["diversity"]["gate"]["broken"] == ["recap_share is 1, expected at most 0.75"]
    with pytest.raises(UserError, match=r"is not diverse: recap_share is 1.*--accept-diversity"):
        require_diverse(work, PARTITION, manifest, None)
    require_diverse(work, PARTITION, manifest, "all texts are about closing the books")
    require_diverse(work, PARTITION, manifest, None)
    with work.ledger() as ledger:
        last = ledger.gates.decisions(1)[0]
    assert (last.stage, last.person) == ("diversity", "admin")
    assert "closing the books" in last.reason

    rules.write_text(POLICY.format(action="halt"))
    with pytest.raises(UserError, match="is not diverse"):
        require_diverse(work, PARTITION, manifest, "a reason does not lift this")
    report = publish(work, PARTITION)
    assert report.version is None and report.held_back.startswith("it is not diverse: recap_share is 1")


def test_a_new_version_is_judged_before_it_is_published(judging):
    make, _ = judging
    report, requests = asked(script, lambda url: publish(make(url, plans_judged=2), PARTITION))
    assert len(requests) == 2
    work = make("http://127.0.0.1:9/v1", plans_judged=2)
    assert manifest_of(work, report.version)["diversity"]["realised"]["judged"] == 2

    def refusing(number, body):
        return failing(401, "invalid_api_key")

    report, _ = asked(refusing, lambda url: publish(make(url, plans_judged=3), PARTITION))
    assert report.version, "an endpoint that cannot be used does not stop the publication"
    real = manifest_of(work, report.version)["diversity"]["realised"]
    assert "cannot be used" in real["not_judged"] and real["judged"] == 0
