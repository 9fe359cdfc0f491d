"""A synthesizer in the pipeline, through Postgres and a store: which texts it has, and what becomes of the others."""

import json
from collections import Counter
from io import BytesIO

import pyarrow.parquet as pq
import pytest

from gem_tasks.cli.follow import done_of
from gem_tasks.cli.summary import summarise
from gem_tasks.console.chains import chains
from gem_tasks.console.overview import overview
from gem_tasks.console.partition import partition
from gem_tasks.console.span import Filters
from gem_tasks.console.trajectory import by_id
from gem_tasks.domain.stage import SYNTHESIZER_LINE
from gem_tasks.domain.stage_settings import StageSettings
from gem_tasks.errors import EndpointError, UserError
from gem_tasks.evals.in_use import in_use
from gem_tasks.in_process import synthesize_partition
from gem_tasks.lineage import RunContext
from gem_tasks.lineage.console import ConsolePool
from gem_tasks.pipeline.batch.run import run_stage
from gem_tasks.pipeline.ingest.source import ingest
from gem_tasks.pipeline.options import RunOptions
from gem_tasks.pipeline.rebuild.stale import stale
from gem_tasks.pipeline.shard.records import inputs, outcomes_of, segments_of
from gem_tasks.pipeline.shard.synthesizer import synthesize_first
from gem_tasks.pipeline.synthesizer.groups import decide_groups, last_groups
from gem_tasks.pipeline.synthesizer.routes import in_sample
from gem_tasks.pipeline.workspace import Workspace
from tests.corpus import EXAMPLES, NAMES, PARTITION
from tests.integration.endpoint import Front, failing
from tests.integration.recalling import CALM, LATER, Synthesizer, shards
from tests.planning import plan

RUN = RunContext(run_id="r")
BAD = (
    ("The lake lay still.", "malformed"),
    ("<toolsets>[]</toolsets>", "malformed"),
    ('<toolsets>[{"name": "x"</toolsets>\n<trajectory></trajectory>', "malformed"),
    ("", "empty"),
    ("<think>I have to write a conversation.</think>", "empty"),
    (None, "context_length"),
)


@pytest.fixture
def model():
    return Synthesizer()


@pytest.fixture
def front(model, teacher_url):
    with Front(teacher_url, model) as opened:
        yield opened


@pytest.fixture
def work(finished, workspace, front, model):
    """The finished examples, and a synthesizer that all texts go through beside the pipeline."""
    model.learn(finished[0])
    return workspace(llm_base_url=front.url, synthesizer="model", synthesizer_sample=1, synthesizer_minimum=1)


@pytest.fixture
def later(workspace, front, tmp_path):
    """Two of the texts as new documents of a later partition, none of them in the sample."""
    folder = tmp_path / "later"
    folder.mkdir()
    for name in NAMES:
        (folder / name).write_text((EXAMPLES / name).read_text(encoding="utf-8") + CALM, encoding="utf-8")

    def make(**changes):
        settings = {
            "synthesizer": "model",
            "near_duplicate": 0,
            "synthesizer_sample": 0,
            "synthesizer_minimum": 1,
            "shard_segments": 100,
        }
        made = workspace(llm_base_url=front.url, **settings | changes)
        ingest(made, str(folder), LATER)
        return made

    return make


def both_ways(work):
    found = [synthesize_first(work, "extract", PARTITION, each, RUN) for each in shards(work, PARTITION)]
    return [report for reports in found for report in reports]


def reasons(work, partition, stage="synthesize"):
    found = (outcomes_of(work.with_synthesizer, stage, partition, each).values() for each in shards(work, partition))
    return Counter(outcome.reason or outcome.kind for outcomes in found for outcome in outcomes)


def rows_of(work, partition):
    with work.ledger() as ledger:
        (version,) = ledger.datasets.current(partition)
    data = work.store.get(f"datasets/{version}/train-00000.parquet")
    manifest = json.loads(work.store.get(f"datasets/{version}/manifest.json"))
    return [json.loads(row["metadata"]) for row in pq.read_table(BytesIO(data)).to_pylist()], manifest


def test_a_good_synthesizer_opens_its_groups_and_then_spares_the_other_stages(work, later, model):
    reports = both_ways(work)
    assert {report.stage for report in reports} == set(SYNTHESIZER_LINE[1:])
    assert sum(report.accepted for report in reports if report.stage == "confirm") == len(model.known) > 3
    asked = model.asked
    both_ways(work)
    assert model.asked == asked, "no text is asked about twice"

    groups = decide_groups(work, PARTITION, RUN)
    opened = {state.group for state in groups.states if state.open}
    assert opened and all(state.sampled.synthesizer == state.sampled.pipeline for state in groups.states if state.open)
    assert last_groups(work) == groups

    new = later()
    assert synthesize_partition(new, LATER, pass_reviews=True)
    rows, manifest = rows_of(new, LATER)
    assert [row["made_by"] for row in rows] == ["synthesizer"] * manifest["synthesizer"]["trajectories"] != []
    assert {row["domain"][0] for row in rows} <= opened
    assert {row["teacher"]["synthesize"] for row in rows} == {"offline-rules"}
    spared = {row["segment_id"] for row in rows}
    assert done_of(new, LATER)["extract"] == (0, 0), "the bar of `gem run` waits for none of them"
    assert not spared & {key for each in shards(new, LATER) for key in inputs(new, "extract", LATER, each)}
    assert stale(new).partitions == []

    found = in_use(new)
    assert (found.alone.texts, found.alone.accepted) == (len(rows), len(rows)) == (found.spared.texts,) * 2
    assert found.synthesizer.texts == found.pipeline.texts == sum(state.sampled.texts for state in groups.states)
    assert found.synthesizer.calls < found.pipeline.calls
    assert found.synthesizer.per_accepted.tokens < found.pipeline.per_accepted.tokens
    summary = summarise(new, LATER, None).plain()
    assert {stage["stage"]: stage["accepted"] for stage in summary["stages"]}["confirm"] == len(rows)
    pool = ConsolePool(new.settings.database)
    with pool.rows() as db:
        page = by_id(db, new, rows[0]["trajectory_id"])
        confirm = new.with_synthesizer.chain.id_of("confirm")
        one_pass, own = chains(db.prompts.recipes(), [new.recipe_ids()[-1], confirm], confirm)
        view = partition(db, LATER, one_pass)
        extract = [each for each in view.state.stages if each.stage == "extract"]
        shown = partition(db, LATER, own)
        funnel = overview(db, Filters(), one_pass).funnel
    pool.close()
    assert (own.line, own.stages) == ("by a synthesizer", SYNTHESIZER_LINE)
    assert (view.spared, extract[0].expected) == (len(spared), 0), "none of them is work"
    assert all(shard.expected[1] == 0 for shard in view.shards)
    assert [each.waiting for each in funnel if each.name == "extract"] == [0]
    assert shown.state.stages[-1].accepted == len(spared)
    assert page.talk and not page.steps and [result.stage for result in page.results] == list(SYNTHESIZER_LINE)

    # Without the synthesizer, its texts wait for the other stages; another model is another recipe, not sampled yet.
    (waiting,) = stale(later(synthesizer="off")).partitions
    assert (waiting.partition, waiting.stages[0].stage, waiting.stages[0].known) == (LATER, "extract", len(spared))
    other = later(llm_stages={"synthesize": StageSettings(model="newer")})
    assert stale(other).partitions[0].stages[0].known == len(spared)
    assert last_groups(other).states == ()


def test_what_cannot_be_used_is_refused_at_once_and_goes_the_long_way(work, later, model):
    expected = Counter()

    def say(_):
        said, reason = BAD[model.asked % len(BAD)]
        expected[reason] += 1
        return failing(400, "context_length_exceeded") if said is None else said

    model.say = say
    reports = both_ways(work)
    assert reasons(work, PARTITION) == expected
    assert sum(report.calls for report in reports) == model.asked >= len(BAD), "one request each, and no repair"
    groups = decide_groups(work, PARTITION, RUN)
    assert groups.states and not any(state.open for state in groups.states)

    # Texts of a later partition, of which one is in the sample and gets a lie.
    model.say = lambda text: model.recall(text).replace('"arguments": {', '"arguments": {"made_up": 1, ')
    ids = {segment.document_id for segment in segments_of(later(), LATER, 0)}
    share = next(part / 4096 for part in range(4097) if sum(in_sample(each, part / 4096) for each in ids) == 1)
    new = later(synthesizer_sample=share)
    assert synthesize_partition(new, LATER, pass_reviews=True)
    rows, manifest = rows_of(new, LATER)
    assert [row["made_by"] for row in rows] == ["pipeline"] * len(rows) != []
    assert manifest["synthesizer"]["trajectories"] == 0
    assert (reasons(new, LATER), reasons(new, LATER, "confirm")) == (
        {"group_closed": len(rows) - 1, "accepted": 1},
        {"check_schema": 1},
    )
    assert model.asked == expected.total() + 1, "a closed group costs nothing"


def test_a_silent_synthesizer_holds_no_text(later, model):
    model.say = lambda _: failing(503)
    new = later(llm_max_attempts=1, synthesizer_sample=1)
    for shard in plan(new, LATER):
        run_stage(new, "filter", LATER, shard["shard"], RUN)
        with pytest.raises(EndpointError):
            synthesize_first(new, "extract", LATER, shard["shard"], RunContext(run_id="r", last_try=False))
    assert synthesize_partition(new, LATER, pass_reviews=True), "on the last try the texts go the long way"
    rows, _ = rows_of(new, LATER)
    assert {row["made_by"] for row in rows} == {"pipeline"}


def test_a_wrong_model_stops_the_run(work, model):
    model.say = lambda _: failing(404, "model_not_found")
    with pytest.raises(UserError, match="for stage synthesize"):
        both_ways(work)


def test_runs_with_other_prompts_or_only_other_stages_have_no_synthesizer(work):
    variant = Workspace.open(work.settings, options=RunOptions(models={"generate": "other"}))
    assert variant.variant and variant.with_synthesizer is None
    trial = Workspace.open(work.settings, options=RunOptions(models={"synthesize": "other"}))
    assert trial.variant, "its results are kept separately"
    only = Workspace.open(work.settings, options=RunOptions(stages=("extract",)))
    assert synthesize_first(only, "extract", PARTITION, 0, RUN) == []
    assert synthesize_first(work, "generate", PARTITION, 0, RUN) == []
