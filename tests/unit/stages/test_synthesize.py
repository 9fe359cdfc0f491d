"""What the stage `synthesize` makes of an answer that can be read, and of one about something else."""

from gem_tasks.checks.fidelity import named_in
from gem_tasks.domain.outcome import Accepted, Rejected
from gem_tasks.domain.synthesis import Route
from gem_tasks.prompts import synthesis
from gem_tasks.stages import stage
from tests.factories import make_record, make_trajectory

ROUTE = Route(way="both", group="books_and_literature")


def record(text=None):
    plain = make_record().model_copy(update={"route": ROUTE})
    return (
        plain if text is None else plain.model_copy(update={"segment": plain.segment.model_copy(update={"text": text})})
    )


def test_an_answer_about_the_text_is_accepted_with_its_way():
    found = stage("synthesize").parse(synthesis.write(make_trajectory()), record())
    assert isinstance(found, Accepted)
    assert (found.measures["way"], found.measures["group"]) == ("both", "books_and_literature")


def test_a_fluent_answer_about_something_else_is_refused():
    text = "To descale the kettle:\n1. Fill it with vinegar.\n2. Boil it twice.\n3. Rinse it."
    found = stage("synthesize").parse(synthesis.write(make_trajectory()), record(text))
    assert isinstance(found, Rejected)
    assert (found.reason, found.measures) == ("off_topic", ROUTE.measures)
    assert found.detail == "the text has 0% of the words in the names of the tools"


def test_generic_words_say_nothing_about_a_text():
    assert named_in("Rinse the kettle.", ["get_kettle", "update_kettle_status"]) > 0
    assert named_in("Anything.", []) == 1.0
