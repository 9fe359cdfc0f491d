"""When a group of texts may have the synthesizer, and the way of each text."""

import pytest

from gem_tasks.domain.record import Topic
from gem_tasks.domain.synthesis import Groups, GroupState, Sampled, state_of
from gem_tasks.pipeline.synthesizer.routes import in_sample, route
from tests.factories import make_record


def sampled(texts, synthesizer, pipeline):
    return Sampled(group="finance", texts=texts, synthesizer=synthesizer, pipeline=pipeline)


@pytest.mark.parametrize(
    ("found", "was_open", "is_open"),
    [
        (sampled(19, 19, 10), False, False),  # too few: as it was
        (sampled(19, 0, 19), True, True),
        (sampled(20, 18, 20), False, True),
        (sampled(20, 17, 20), False, False),
        (sampled(20, 17, 20), True, True),  # between the two: as it was
        (sampled(20, 16, 20), True, True),
        (sampled(20, 15, 20), True, False),
        (sampled(20, 0, 0), False, False),  # none accepted by either: never
        (sampled(20, 0, 0), True, False),
        (sampled(20, 1, 0), False, True),
    ],
)
def test_a_group_opens_and_closes_with_hysteresis(found, was_open, is_open):
    assert state_of(found, 20, was_open=was_open).open is is_open


def about(*domains, document="d"):
    topic = Topic(summary="s", platform="operator", domains=domains, task_category="communication")
    record = make_record().with_output("filter", topic)
    return record.model_copy(update={"segment": record.segment.model_copy(update={"document_id": document})})


def test_a_text_has_one_way_and_its_reason():
    groups = Groups(states=(GroupState(group="finance", open=True, sampled=sampled(20, 18, 20)),))
    assert route(about("finance", "health"), groups, 0, extracted=False).way == "synthesizer"
    closed = route(about("health", "finance"), groups, 0, extracted=False)
    assert (closed.way, closed.reason, closed.group) == ("pipeline", "group_closed", "health")
    assert closed.detail == "health is closed: no text went both ways to the end yet"
    done = route(about("finance"), groups, 0, extracted=True)
    assert (done.way, done.reason) == ("pipeline", "already_extracted")
    assert route(about("finance"), groups, 1, extracted=True).way == "both"


def test_the_sample_is_drawn_by_document_and_grows_with_its_share():
    drawn = {share: {n for n in range(2000) if in_sample(f"d{n}", share)} for share in (0, 0.1, 0.5, 1)}
    assert drawn[0] == set() and len(drawn[1]) == 2000
    assert drawn[0.1] < drawn[0.5]
    assert 150 < len(drawn[0.1]) < 250
