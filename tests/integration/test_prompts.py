"""Prompts of the user's own, from a directory or a bucket: in force, in the recipe, pinned per run, on trial."""

import json

import boto3
import pytest
from typer.testing import CliRunner

from gem_tasks import prompts
from gem_tasks.cli.main import app
from gem_tasks.dataset.publish import publish
from gem_tasks.domain.stage import STAGE_NAMES
from gem_tasks.errors import UserError
from gem_tasks.lineage import Ledger
from gem_tasks.pipeline import prompt_files
from gem_tasks.pipeline.ingest.source import ingest
from gem_tasks.pipeline.prompt_files import load_prompts, pin, pinned
from gem_tasks.pipeline.upkeep.trial import Candidate
from tests.corpus import EXAMPLES, PARTITION
from tests.integration.endpoint import failing, serving
from tests.planning import plan, synthesise

MINE = prompts.load("refine").text + "\nMake it rain.\n"


@pytest.fixture
def two_finished(workspace):
    """A procedure and an essay through all stages, and what came of it."""
    work = workspace()
    for name in ("library-loans.txt", "essay-on-walking.txt"):
        ingest(work, str(EXAMPLES / name), PARTITION)
    synthesise(work)
    return work, publish(work, PARTITION)


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "prompts"
    made.mkdir()
    return made


@pytest.fixture
def at_edge(monkeypatch):
    """Runs a command of the CLI with the settings of a workspace."""

    def run(work, *arguments, **more):
        for name, value in {
            "GEM_HOME": work.settings.home,
            "GEM_POSTGRES_DSN": work.settings.database,
            "GEM_STORE_URL": work.settings.store_root,
            "GEM_LLM_BASE_URL": work.settings.llm_base_url,
            **more,
        }.items():
            monkeypatch.setenv(name, str(value))
        found = CliRunner().invoke(app, [*arguments], catch_exceptions=False)
        assert found.exit_code == 0, found.output
        return found.stdout

    return run


def test_a_prompt_of_ones_own_redoes_its_stage_and_what_follows_only(two_finished, workspace, folder):
    work, published = two_finished
    (folder / "refine.md").write_text(MINE, encoding="utf-8")
    own = workspace(prompts=str(folder))
    same = [name for name in STAGE_NAMES if own.chain.id_of(name) == work.chain.id_of(name)]
    assert same == ["filter", "extract", "generate"]
    assert own.chain.asking("refine").prompt.text == MINE
    assert own.chain.asking("generate").prompt.origin is None
    assert synthesise(own) == 2 * published.trajectories
    again = publish(own, PARTITION)
    assert again.version != published.version
    manifest = json.loads(own.store.get(f"datasets/{again.version}/manifest.json"))
    with own.ledger() as ledger:
        (row,) = ledger.prompts.find(manifest["prompts"]["refine"])
    assert row.text == MINE


def test_the_endpoint_really_gets_the_prompt(workspace, folder, monkeypatch):
    text = prompts.load("filter").text + "\nMake it rain.\n"
    (folder / "filter.md").write_text(text, encoding="utf-8")
    work = workspace(prompts=str(folder))
    ingest(work, str(EXAMPLES / "library-loans.txt"), PARTITION)
    asked = []
    monkeypatch.setattr(type(work), "client", lambda self, stage: Recording(asked))
    from gem_tasks.lineage import RunContext
    from gem_tasks.pipeline.shard.run import run_shard

    run_shard(work, "filter", PARTITION, plan(work, PARTITION)[0]["shard"], RunContext())
    assert {request.messages[0].content for request in asked} == {text}


class Recording:
    def __init__(self, asked):
        self.asked = asked

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        pass

    async def complete(self, request):
        from gem_tasks.domain.chat import Completion

        self.asked.append(request)
        return Completion(text="<multi_step>False</multi_step><reason>not_procedural</reason>", finish_reason="stop")


def test_prompts_are_read_from_a_bucket(workspace, bucket):
    boto3.client("s3").put_object(Bucket=bucket, Key="team/a/refine.md", Body=MINE.encode())
    found = workspace(prompts=f"s3://{bucket}/team/a").chain.prompts
    assert found["refine"].text == MINE
    assert found["refine"].origin == f"s3://{bucket}/team/a/refine.md"
    assert found["filter"] == prompts.load("filter")


@pytest.mark.parametrize(
    ("name", "data", "complaint"),
    [
        ("refine.md", b"Do it well.", "refine.md cannot be the prompt refine: it never mentions <toolsets>"),
        ("refine.md", b"x" * 70_000, "has 70000 bytes"),
        ("refine.md", b"\xff\xfe", "is not UTF-8"),
        ("refined.md", MINE.encode(), "holds none of filter.md, extract.md"),
    ],
)
def test_a_file_that_cannot_be_the_prompt_is_refused_in_one_line(workspace, folder, name, data, complaint):
    (folder / name).write_bytes(data)
    with pytest.raises(UserError, match=complaint):
        workspace(prompts=str(folder))


def test_a_place_that_is_not_there_is_said(workspace, tmp_path):
    with pytest.raises(UserError, match=r"GEM_PROMPTS: the directory .*nowhere does not exist"):
        workspace(prompts=str(tmp_path / "nowhere"))
    with pytest.raises(UserError, match="GEM_PROMPTS: 'ftp://x/y' is neither"):
        workspace(prompts="ftp://x/y")


def test_a_run_keeps_the_prompts_that_it_began_with_and_reads_them_once(workspace, folder, monkeypatch):
    (folder / "refine.md").write_text(MINE, encoding="utf-8")
    settings = workspace(prompts=str(folder)).settings
    run = "gem_synthesize/run-1"
    first = pinned(settings, run)
    with Ledger(settings.database) as ledger:
        assert ledger.prompts.of_run(run) == []  # looking writes nothing
    pin(settings, run)
    (folder / "refine.md").write_text(MINE + "More.\n", encoding="utf-8")
    assert load_prompts(settings)["refine"].sha256 != first["refine"].sha256
    monkeypatch.setattr(prompt_files, "load_prompts", lambda _: pytest.fail("the files were read again"))
    pin(settings, run)
    assert pinned(settings, run) == first
    monkeypatch.undo()
    assert pinned(settings, "gem_synthesize/run-2")["refine"].text.endswith("More.\n")


def test_every_version_has_a_first_and_a_last_use(two_finished, workspace, folder, at_edge):
    (folder / "refine.md").write_text(MINE, encoding="utf-8")
    own = workspace(prompts=str(folder))
    plan(own, PARTITION)
    listed = json.loads(at_edge(own, "prompts", "list", "--json", GEM_PROMPTS=folder))
    refine = [row for row in listed if row["name"] == "refine"]
    assert [(row["current"], row["origin"]) for row in refine] == [(True, str(folder / "refine.md")), (False, None)]
    off = [row for row in listed if row["name"] in ("world", "task", "simulate", "simulate.user", "synthesize")]
    unused = [(True, None)] * 5
    assert [(row["current"], row["last_used_at"]) for row in off] == unused, "worlds and the synthesizer are off"
    for row in listed:
        if row not in off:
            assert row["first_seen_at"] <= row["last_used_at"]
            assert row["recipes"] >= 1
    old = refine[1]["sha256"]
    assert at_edge(own, "prompts", "show", "refine", "--version", old[:8]) == prompts.load("refine").text
    assert at_edge(own, "prompts", "show", "refine", GEM_PROMPTS=folder) == MINE
    compared = json.loads(at_edge(own, "prompts", "diff", old[:8], str(folder / "refine.md"), "--json"))
    assert compared["diff"].splitlines()[-1] == "+Make it rain."
    assert "No difference" in at_edge(own, "prompts", "diff", "refine", "refine@ours", GEM_PROMPTS="")


def rows(work):
    with work.ledger() as ledger:
        tables = ("stage_results", "prompts", "recipes", "spending", "trajectories")
        return {name: ledger.pg.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall() for name in tables}


def test_a_trial_asks_the_model_shows_both_and_writes_nothing(two_finished, tmp_path, at_edge):
    work, _ = two_finished
    with work.ledger() as ledger:
        ((key, _), *_) = ledger.datasets.find_trajectories("")
    candidate = tmp_path / "refine.md"
    candidate.write_text(MINE, encoding="utf-8")
    before = rows(work), sorted(work.store.list(""))
    found = json.loads(at_edge(work, "prompts", "try", str(candidate), "--stage", "refine", "--on", key[:12], "--json"))
    assert (rows(work), sorted(work.store.list(""))) == before
    (trial,) = found
    assert trial["current"]["outcome"] == trial["candidate"]["outcome"] == "accepted"
    assert trial["candidate"]["calls"] >= 1
    assert trial["candidate"]["size"]["calls"] > 0
    assert trial["candidate"]["findings"] == trial["current"]["findings"]
    shown = at_edge(work, "prompts", "try", str(candidate), "--stage", "refine", "--on", key[:12])
    assert "Nothing was recorded" in shown
    assert "messages" in shown


def test_a_trial_says_what_it_cannot_try(two_finished, workspace, folder):
    work, _ = two_finished
    with work.ledger() as ledger:
        life = ledger.reports.lineage(f"file://{EXAMPLES / 'essay-on-walking.txt'}")
    segment = life.segments[0].segment_id
    prompt = prompts.load("refine")
    (trial,) = Candidate(work, "refine", prompt, [segment]).run(None)
    assert trial.candidate is None
    assert trial.not_tried == "no accepted result of generate under the current recipes"
    (trial,) = Candidate(work, "filter", prompts.load("filter"), [segment]).run(None)
    assert trial.candidate.why == trial.current.why == "not_procedural"
    with pytest.raises(UserError, match="'nothing' is not a segment"):
        Candidate(work, "refine", prompt, ["nothing"])


async def test_a_trial_keeps_its_budget(workspace, tmp_path):
    prices = tmp_path / "prices.toml"
    prices.write_text('["dear"]\ninput = 1000000\noutput = 1000000\n', encoding="utf-8")
    async with serving(lambda *_: failing(500)) as (endpoint, url):
        work = workspace(llm_base_url=url, llm_model="dear", llm_prices=prices)
        ingest(work, str(EXAMPLES / "library-loans.txt"), PARTITION)
        plan(work, PARTITION)
        with work.ledger() as ledger:
            (segment,) = ledger.stages.segment_ids(PARTITION, 0)
        candidate = Candidate(work, "filter", prompts.load("filter"), [segment])
        import asyncio

        (trial,) = await asyncio.to_thread(candidate.run, 1.0)
    assert candidate.most_usd > 1000
    assert "the budget of $1.00 is too small" in trial.not_tried
    assert endpoint.requests == []
