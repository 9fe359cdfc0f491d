"""Features are the same everywhere, models are data and nothing else, and too little learns nothing."""

import io
import json
import pickle
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gem_tasks.prefilter.features import BITS, features
from gem_tasks.prefilter.learn import Verdict, in_training, learn
from gem_tasks.prefilter.model import DamagedModelError, Model
from tests.corpus import PROCEDURE, STORY


def verdicts(count, accepted_share=0.5, **fields):
    draw = np.random.default_rng(0)
    for number in range(count):
        accepted = bool(draw.random() < accepted_share)
        text = (PROCEDURE if accepted else STORY).format(n=number)
        yield Verdict(text=text, document_id=f"d{number}", accepted=accepted, **fields)


@given(st.text())
def test_any_text_has_features_of_length_one(text):
    found, weights = features(text)
    assert len(found) == len(set(found.tolist()))
    assert found.size == 0 or (int(found.max()) < 1 << BITS and np.dot(weights, weights) == pytest.approx(1, abs=1e-4))


def test_features_never_change_unnoticed():
    """The same text must get the same features on every machine: raise FEATURES_VERSION when this fails."""
    found, _ = features("1. Open the order 4711.\n2. Post it.")
    assert (len(found), int(found[0]), int(found[-1])) == PINNED
    assert features("Order 12 is OPEN")[0].tolist() == features("order 98 is open")[0].tolist()


PINNED = (47, 8746, 259278)


def test_it_learns_to_tell_procedures_from_stories():
    model, report = learn(list(verdicts(1200)))
    assert report.missed == 0
    assert report.recall_at_least >= 0.98
    assert report.saved_of_rejected > 0.9
    low, high = model.scores([STORY.format(n=5), PROCEDURE.format(n=5)])
    assert low < 0.1 < 0.9 < high
    assert low < report.threshold


def test_too_few_accepted_segments_teach_nothing_and_the_report_says_so():
    model, report = learn(list(verdicts(250)))
    assert model is None
    assert report.threshold is None
    assert f"{report.held_out_accepted} accepted segments are held out, and 149 are needed" in report.reason


def test_what_an_earlier_prefilter_let_through_sets_no_threshold():
    model, report = learn([*verdicts(1200, unbiased=False), *verdicts(100)])
    assert model is None
    assert report.held_out_accepted < 100


def test_labels_without_sense_are_not_worth_a_prefilter():
    draw = np.random.default_rng(1)
    noise = [verdict.model_copy(update={"accepted": bool(draw.random() < 0.5)}) for verdict in verdicts(1200)]
    model, report = learn(noise)
    assert model is None
    assert "it would save" in report.reason


def test_a_document_is_on_one_side_and_both_sides_are_about_half():
    sides = [in_training(f"document-{number}") for number in range(2000)]
    assert 900 < sum(sides) < 1100
    assert in_training("document-1") == in_training("document-1")


def test_a_stored_model_scores_alike():
    model, _ = learn(list(verdicts(1200)))
    data = model.encode()
    assert data == model.encode()
    texts = [PROCEDURE, STORY, "", "\ud800"]
    assert Model.decode(data).scores(texts).tolist() == model.scores(texts).tolist()


class Trap:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was loaded",))


def archive(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def bomb():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("weights.npy", bytes(40_000_000))
    return buffer.getvalue()


GOOD = {"weights": np.zeros(1 << BITS, np.float32), "constants": np.array([1.0, 0.0])}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not an archive",
        pickle.dumps(Trap()),
        json.dumps({"weights": []}).encode(),
        archive(**{**GOOD, "weights": np.array([Trap()], dtype=object)}),
        archive(**{**GOOD, "weights": np.zeros(3, np.float32)}),
        archive(**{**GOOD, "constants": np.array([99.0, 0.0])}),
        archive(weights=GOOD["weights"]),
        archive(**GOOD)[:-100],
        bomb(),
    ],
)
def test_a_damaged_or_hostile_object_is_refused_and_nothing_in_it_runs(data):
    with pytest.raises(DamagedModelError):
        Model.decode(data)
