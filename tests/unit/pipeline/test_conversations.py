"""Conversations are found by the recipes that made them; what an object lacks is left out."""

import pytest

from gem_tasks.domain.outcome import Cost, Outcome
from gem_tasks.domain.take import FIRST
from gem_tasks.pipeline.conversations import Place, conversations
from gem_tasks.store import keys, shards
from tests.factories import make_record, make_segment, make_trajectory

PARTITION = "2026-01-31T14:00"
LINE = {"extract": "e1", "refine": "r1", "validate": "v1"}
AGAIN = LINE | {"revise": "s1", "revalidate": "w1"}


class Audits:
    """Plays the ledger, too."""

    def __init__(self):
        self.audits = self.stages = self

    def recipe_line(self, recipe_id):
        return {"v1": LINE, "w1": AGAIN}[recipe_id]

    def take_of(self, recipe_id):
        return FIRST


def outcome(segment, payload):
    return Outcome(segment_id=segment.segment_id, kind="accepted", payload=payload, cost=Cost())


@pytest.fixture
def objects():
    """Two segments of one shard, with all their stages' outputs."""
    segments = [make_segment(number=number) for number in (0, 1)]
    drafts = {"refine": make_trajectory(), "revise": make_trajectory(*make_trajectory().messages[:-1])}
    found = {keys.segments_key(PARTITION, 0): shards.encode_segments(segments)}
    made = {
        "extract": make_record().outputs["extract"].model_dump_json(),
        **{stage: trajectory.model_dump_json() for stage, trajectory in drafts.items()},
        "validate": None,
        "revalidate": None,
    }
    for stage, payload in made.items():
        key = keys.stage_key(stage, AGAIN[stage], PARTITION, 0)
        found[key] = shards.encode_outcomes([outcome(segment, payload) for segment in segments])
    return segments, found


def places(segments, recipe):
    return [Place(PARTITION, 0, recipe, segment.segment_id) for segment in segments]


def test_a_refined_and_a_revised_conversation_are_told_apart_by_the_recipe(objects):
    segments, found = objects
    refined = list(conversations(Audits(), found.__getitem__, places(segments, "v1")))
    revised = list(conversations(Audits(), found.__getitem__, places(segments[:1], "w1")))
    assert [each.place.segment_id for each in refined] == [segment.segment_id for segment in segments]
    assert len(refined[0].trajectory.messages) == len(revised[0].trajectory.messages) + 1
    assert refined[0].record.outputs["refine"] == refined[0].trajectory
    assert revised[0].record.outputs["revise"] == revised[0].trajectory
    assert "extract" in refined[0].record.outputs


def test_what_the_objects_lack_is_left_out(objects):
    segments, found = objects
    key = keys.stage_key("refine", "r1", PARTITION, 0)
    found[key] = shards.encode_outcomes(
        [outcome(segments[0], None), outcome(segments[1], make_trajectory().model_dump_json())]
    )
    strange = Place(PARTITION, 0, "v1", "no-such-segment")
    made = list(conversations(Audits(), found.__getitem__, [*places(segments, "v1"), strange]))
    assert [each.place.segment_id for each in made] == [segments[1].segment_id]


def test_each_shards_objects_are_fetched_once(objects):
    segments, found = objects
    asked = []
    list(conversations(Audits(), lambda key: asked.append(key) or found[key], places(segments, "v1")))
    assert len(asked) == len(set(asked)) == 4
