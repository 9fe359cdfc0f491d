"""What an endpoint does not answer: whose fault it is, who finds out, and what the next run does."""

import json
import shutil

import pytest
from typer.testing import CliRunner

from gem_tasks.cli.main import main
from gem_tasks.domain.stage import STAGE_NAMES
from gem_tasks.errors import EndpointError, ErrorClass, UserError
from gem_tasks.lineage import RunContext
from gem_tasks.local import services
from gem_tasks.pipeline.batch.run import run_stage
from gem_tasks.pipeline.ingest.source import ingest
from gem_tasks.pipeline.judging.agreement import agreement
from gem_tasks.pipeline.judging.gating import gate
from gem_tasks.pipeline.shard.doubts import FEW
from gem_tasks.pipeline.shard.run import run_shard
from gem_tasks.pipeline.upkeep.failures import FailureFilter, failures, retry
from tests.corpus import EXAMPLES, PARTITION
from tests.integration.endpoint import Front
from tests.integration.refusals import BAD, WORDS, refusing
from tests.planning import plan


@pytest.fixture
def front(teacher_url):
    with Front(teacher_url) as made:
        yield made


@pytest.fixture
def work(workspace, front):
    made = workspace(llm_base_url=front.url, llm_max_attempts=1, shard_segments=100)
    ingest(made, str(EXAMPLES), PARTITION)
    assert len(plan(made, PARTITION)) == 1
    return made


def run_filter(work, run_id="r", *, last_try=True):
    return run_shard(work, "filter", PARTITION, 0, RunContext(run_id=run_id, last_try=last_try))


def rows(work):
    with work.ledger() as ledger:
        found = ledger.pg.execute("SELECT segment_id, outcome, error_class, failed_runs, final FROM stage_results")
        return {row.pop("segment_id"): row for row in found.fetchall()}


@pytest.mark.parametrize(
    ("status", "fix"),
    [
        (400, "GEM_LLM_MODEL"),
        (401, "GEM_LLM_API_KEY"),
        (402, "credit"),
        (403, "access to this model"),
        (404, "GEM_LLM_MODEL"),
        (422, ""),
    ],
)
@pytest.mark.parametrize("last_try", [True, False])
def test_an_endpoint_that_refuses_everything_stops_the_stage_and_no_segment_is_failed(
    work, front, status, fix, last_try
):
    front.refuse = refusing(status)()
    with pytest.raises(UserError) as caught:
        run_filter(work, last_try=last_try)
    assert f"HTTP {status}: {WORDS}" in caught.value.cause
    assert fix in caught.value.fix
    assert 1 <= len(front.asked) <= FEW
    assert rows(work) == {}
    front.refuse = refusing(status)("no text has these words")
    report = run_filter(work, "after the fix")
    assert report.failed == 0
    assert report.accepted > 5


def test_a_refusal_of_one_text_is_that_texts(work, front):
    front.refuse = refusing(403, "flagged by moderation")(BAD)
    report = run_filter(work)
    assert (report.failed, report.accepted > 5) == (1, True)
    assert [row["error_class"] for row in rows(work).values() if row["final"] and row["error_class"]] == ["forbidden"]
    assert run_filter(work, "again").calls == 0


def test_a_parameter_that_is_refused_later_stops_the_stage_too(work, front, workspace, tmp_path):
    run_filter(work)
    before = rows(work)
    for number in range(8):
        text = (EXAMPLES / "library-loans.txt").read_text().replace("loan", f"loan{number}")
        (tmp_path / "more").mkdir(exist_ok=True)
        (tmp_path / "more" / f"{number}.txt").write_text(f"Number {number}.\n\n{text}")
    work = workspace(llm_base_url=front.url, llm_max_attempts=1, near_duplicate=0)
    ingest(work, str(tmp_path / "more"), PARTITION)
    front.refuse = refusing(400)()
    new = [shard["shard"] for shard in plan(work, PARTITION) if shard["shard"]]
    for shard in new:
        with pytest.raises(UserError, match="Unsupported parameter"):
            run_shard(work, "filter", PARTITION, shard, RunContext(run_id="later"))
    assert {key: row for key, row in rows(work).items() if row["final"]} == before
    front.refuse = lambda body: None
    reports = [run_shard(work, "filter", PARTITION, shard, RunContext()) for shard in new]
    assert sum(report.failed for report in reports) == 0
    assert sum(report.calls for report in reports) == 8


def test_in_a_batch_too(work, front, workspace):
    def rewrite(data):
        lines = [json.loads(line) for line in data.split(b"\n") if line]
        body = {"error": {"message": WORDS, "code": None}}
        return b"\n".join(
            json.dumps({**line, "response": {"status_code": 400, "request_id": "x", "body": body}}).encode()
            for line in lines
        )

    work = workspace(llm_base_url=front.url, llm_mode="batch", llm_batch_poll_s=0.1, shard_segments=100)
    front.rewrite = rewrite
    with pytest.raises(UserError, match=f"{WORDS}.*Then rerun"):
        run_stage(work, "filter", PARTITION, 0, RunContext(run_id="r"))
    assert rows(work) == {}
    front.rewrite = lambda data: data
    report = run_stage(work, "filter", PARTITION, 0, RunContext(run_id="r2"))
    assert (report.failed, report.accepted > 5) == (0, True)


def test_an_endpoint_that_is_down_sets_nothing_aside_however_often_it_is_asked(work, front):
    front.refuse = refusing(500)()
    for number in range(5):
        with pytest.raises(EndpointError, match=r"\d+ of \d+ segments got no answer"):
            run_filter(work, f"r{number}")
    assert {(row["final"], row["failed_runs"]) for row in rows(work).values()} == {(False, 0)}
    front.refuse = lambda body: None
    assert run_filter(work, "up").failed == 0


def test_a_text_without_an_answer_is_asked_again_by_tries_then_by_runs_and_then_set_aside(work, front):
    front.refuse = refusing(500)(BAD)
    with pytest.raises(EndpointError, match="1 of 15 segments got no answer"):
        run_filter(work, "r1", last_try=False)
    for number in range(1, 4):
        report = run_filter(work, f"r{number}", last_try=number == 1)  # known by then: no try is wasted on it
        assert (report.failed, report.calls) == (1, 1)
        assert [row["failed_runs"] for row in rows(work).values() if row["outcome"] == "failed"] == [number]
    assert run_filter(work, "r4").calls == 0
    found = failures(work, FailureFilter(), limit=5)
    assert (found.total, found.set_aside, found.newest[0].set_aside) == (1, 1, True)
    assert gate(work, "filter", PARTITION, RunContext()).action == "continue"
    assert retry(work, FailureFilter(error_class=ErrorClass.SERVER_ERROR), dry_run=False) == {PARTITION: 1}
    front.refuse = lambda body: None
    assert run_filter(work, "retried").failed == 0


def test_a_run_that_only_asked_in_vain_fails_the_first_time(work, front, tmp_path):
    run_filter(work)
    (tmp_path / "new.txt").write_text((EXAMPLES / "parcel-locker.md").read_text().replace("locker", "cabinet"))
    ingest(work, str(tmp_path / "new.txt"), PARTITION)
    front.refuse = refusing(500)()
    shard = max(each["shard"] for each in plan(work, PARTITION))
    with pytest.raises(EndpointError):
        run_shard(work, "filter", PARTITION, shard, RunContext(run_id="new"))
    assert run_shard(work, "filter", PARTITION, shard, RunContext(run_id="again")).failed == 1


def test_synth_exports_the_others_again_and_again_and_retry_brings_the_last(front, dsn, tmp_path, monkeypatch):
    names = ("library-loans.txt", "parcel-locker.md", "hotel-front-desk.md")
    (tmp_path / "docs").mkdir()
    for name in names:
        shutil.copy(EXAMPLES / name, tmp_path / "docs")
    values = {
        "GEM_HOME": tmp_path / "home",
        "GEM_POSTGRES_DSN": dsn,
        "GEM_LLM_BASE_URL": front.url,
        "GEM_LLM_MAX_ATTEMPTS": 1,
    }
    for name, value in values.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setattr(services, "up", lambda **_: None)
    front.refuse = refusing(500)(BAD)
    for run in range(5):
        out = tmp_path / f"out{run}"
        shown = gem("synth", tmp_path / "docs", "--out", out)
        assert documents(out) == {"library-loans.txt", "hotel-front-desk.md"}
        assert "1 failed in filter (server_error)" in shown
        assert "gem retry --partition" in shown
    asked = len(front.asked)
    (failed,) = json.loads(gem("failures", "--json"))
    assert (failed["error_class"], failed["set_aside"]) == ("server_error", True)
    gem("retry", "--mark-only")
    front.refuse = lambda body: None
    gem("synth", tmp_path / "docs", "--out", tmp_path / "all")
    assert documents(tmp_path / "all") == set(names)
    assert len(front.asked) == asked + 2 + 5  # whether the models answer, in both forms; then the stages


def test_synth_ends_with_the_endpoints_words_and_continues_after_the_fix(front, dsn, tmp_path, monkeypatch, capsys):
    for name, value in {"GEM_HOME": tmp_path / "home", "GEM_POSTGRES_DSN": dsn, "GEM_LLM_BASE_URL": front.url}.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setattr(services, "up", lambda **_: None)
    monkeypatch.setattr("sys.argv", ["gem", "synth", str(EXAMPLES), "--out", str(tmp_path / "out")])
    front.refuse = refusing(400)()
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert WORDS in capsys.readouterr().err
    front.refuse = lambda body: None
    gem("synth", EXAMPLES, "--out", tmp_path / "out")
    assert len(documents(tmp_path / "out")) > 5


def gem(*arguments):
    from gem_tasks.cli.main import app

    found = CliRunner().invoke(app, [*map(str, arguments)], catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return found.output


def documents(out):
    lines = (out / "trajectories.jsonl").read_text(encoding="utf-8").splitlines()
    return {json.loads(line)["metadata"]["document_uri"].rpartition("/")[2] for line in lines}


@pytest.fixture
def refused_by_checks(work, front):
    """A workspace in which the checks have refused three trajectories that a judge could be asked about."""
    shards = plan(work, PARTITION)
    for name in STAGE_NAMES:
        for shard in shards:
            run_shard(work, name, PARTITION, shard["shard"], RunContext(run_id="r"))
    with work.ledger() as ledger:
        ledger.pg.execute(
            "UPDATE stage_results SET outcome = 'rejected', reason = 'check_grounding' WHERE recipe_id = %s"
            " AND segment_id IN"
            " (SELECT segment_id FROM stage_results WHERE recipe_id = %s ORDER BY segment_id LIMIT 3)",
            [work.chain.id_of("validate")] * 2,
        )
    front.asked.clear()
    return work


@pytest.mark.parametrize(("status", "said"), [(401, "GEM_LLM_API_KEY"), (402, "credit"), (400, WORDS), (500, "doctor")])
def test_a_judge_that_cannot_be_asked_is_an_error_and_no_figure(refused_by_checks, front, status, said):
    front.refuse = refusing(status)()
    with pytest.raises(UserError, match=said) as caught:
        agreement(refused_by_checks, sample=3, seed=0)
    assert WORDS in caught.value.cause


def test_the_judge_keeps_to_a_budget_and_says_whom_it_did_not_ask(refused_by_checks, front, workspace, tmp_path):
    prices = tmp_path / "prices.toml"
    prices.write_text('["offline-rules"]\ninput = 100.0\noutput = 100.0\n', encoding="utf-8")
    work = workspace(llm_base_url=front.url, llm_prices=prices, budget_usd=0.01)
    found = agreement(work, sample=3, seed=0)
    assert (found.asked, found.unaffordable, found.unreadable, len(front.asked)) == (0, 3, 0, 0)
