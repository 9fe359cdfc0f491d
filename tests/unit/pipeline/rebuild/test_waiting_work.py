"""What waits and why, stage by stage, from counted rows: the sums, the reasons and the estimates."""

from types import SimpleNamespace

import pytest

from gem_tasks.domain.stage import STAGE_NAMES
from gem_tasks.domain.take import FIRST, Take
from gem_tasks.lineage.stale import HistoryRow, StaleRow
from gem_tasks.pipeline.rebuild.stale import NEVER, RETRY, stale
from gem_tasks.pipeline.recipes import Chain
from gem_tasks.settings import Settings

JAN, FEB = "2026-01-31T14:00", "2026-02-01T14:00"


class Rows:
    """What Postgres counted."""

    def __init__(self, rows, former=(), ready=(), history=()):
        self.rows, self.former, self.ready, self.before = (
            rows,
            {each.recipe_id: each for each in former},
            ready,
            history,
        )
        self.stale = self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def work_left(self, chain, first, last, take):
        return [row for row in self.rows if (first or row.partition) <= row.partition <= (last or row.partition)]

    def recipes_named(self, ids):
        return {id_: self.former[id_] for id_ in ids}

    def history(self):
        return self.before

    def pace(self):
        return {}

    def workflow_counts(self):
        return {1: 3, 2: 1}

    def partition_keys(self):
        return [JAN, FEB]

    def unpublished_partitions(self, accepting, last):
        return self.ready


def row(stage, frontier="filter", segments=1, partition=JAN, **changes):
    values = {"again": False, "known": False, "before": None, **changes}
    ord_, at = STAGE_NAMES.index(stage) + 1, STAGE_NAMES.index(frontier) + 1
    return StaleRow(partition=partition, frontier=at, ord=ord_, segments=segments, **values)


@pytest.fixture
def looked(tmp_path):
    settings = Settings(home=tmp_path, llm_model="mine", llm_base_url="http://127.0.0.1:1/v1")
    chain = Chain(settings)

    def make(rows, *args, variant=False, takes=(FIRST,), **more):
        ledger = Rows(rows, **more)
        work = SimpleNamespace(
            settings=settings, chain=chain, variant=variant, ledger=lambda: ledger,
            accepting=lambda: [], chains=lambda: [chain.with_take(take) for take in takes],
            last_recipe=lambda: "", lines=lambda: [work],
        )  # fmt: skip
        return stale(work, *args)

    make.chain = chain
    return make


def why(found):
    return {stage.stage: stage.why for stage in found.stages}


def test_a_segment_waits_because_it_was_never_done_failed_or_its_recipe_changed(looked):
    former = looked.chain.by_stage["filter"].model_copy(update={"model": "yours", "version": 0})
    rows = [
        row("filter", segments=5),
        row("filter", segments=2, again=True),
        row("filter", segments=3, before=former.recipe_id),
    ]
    found = looked(rows, former=[former])
    assert why(found) == {"filter": {NEVER: 5, RETRY: 2, "model + code": 3}}
    (stage,) = found.stages
    assert (stage.known, stage.estimate.segments, stage.estimate.calls) == (10, 10, 10)


def test_later_stages_are_as_likely_as_the_stages_before_accept(looked):
    history = [
        HistoryRow(
            stage="filter", model="mine", results=9, accepted_share=0.25, rejected_share=0.75, calls=2,
            prompt_tokens=100, completion_tokens=10, usd=None,
        )
    ]  # fmt: skip
    found = looked([row("filter", segments=8), row("extract", segments=8)], history=history)
    assert why(found) == {"filter": {NEVER: 8}, "extract": {}}
    by_stage = {stage.stage: stage.estimate for stage in found.stages}
    assert (by_stage["filter"].calls, by_stage["extract"].segments) == (16, 2)
    assert found.basis["filter"] == "9 results"


def test_what_ended_before_a_stage_last_time_is_expected_to_end_there_again(looked):
    former = looked.chain.by_stage["filter"].model_copy(update={"model": "yours"})
    rows = [row("filter", segments=4, before=former.recipe_id), row("extract", segments=4, known=True)]
    assert why(looked(rows, former=[former])) == {"filter": {"model": 4}}


def test_partitions_add_up_and_may_be_a_range(looked):
    rows = [row("filter", segments=1), row("filter", segments=2, partition=FEB)]
    found = looked(rows)
    assert [(each.partition, each.stages[0].why) for each in found.partitions] == [(JAN, {NEVER: 1}), (FEB, {NEVER: 2})]
    assert (why(found), found.total.segments) == ({"filter": {NEVER: 3}}, 3)
    assert why(looked(rows, FEB)) == {"filter": {NEVER: 2}}
    assert looked([]).stages == []


def test_a_complete_partition_is_only_to_be_published_but_not_by_a_variant(looked):
    rows = [row("filter", partition=JAN)]
    assert looked(rows, ready=[JAN, FEB]).publish_only == [FEB]
    assert looked([], FEB, FEB, ready=[JAN, FEB]).publish_only == [FEB]
    assert looked(rows, ready=[JAN, FEB], variant=True).publish_only == []


def test_a_further_conversation_waits_for_its_own_stages_and_for_texts_that_have_its_workflow(looked):
    waiting = [row("filter", segments=8), row("generate", segments=8)]
    one = looked(waiting)
    both = looked(waiting, takes=(FIRST, Take(workflow=1)))
    assert why(both)["filter"] == why(one)["filter"] == {"never done": 8}, "that stage is the text's"
    expected = [found.stages[1].estimate.segments for found in (one, both)]
    assert expected == [8, 8 + 8 / 4], "one of four texts has two workflows"
    again = looked([row("generate", frontier="generate", segments=2)], takes=(FIRST, Take(rollout=1)))
    assert why(again) == {"generate": {"never done": 4}}
