"""The regression finds what scikit-learn finds, which is its reference here and not installed with GEM."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from gem_tasks.prefilter.features import BITS, features, rows
from gem_tasks.prefilter.regression import Rows, fit, minimum
from tests.corpus import PROCEDURE, STORY

C = 100.0


@pytest.fixture(scope="module")
def examples():
    """Texts that share most of their words, one of them empty, a third accepted, some with the wrong label."""
    draw = np.random.default_rng(3)
    words = (PROCEDURE + STORY).split()
    texts, accepted = [""], [False]
    for number in range(600):
        own = (PROCEDURE if number % 3 == 0 else STORY).format(n=number).split()
        texts.append(" ".join(draw.choice([*own, *words], 40)))
        accepted.append((number % 3 == 0) ^ bool(draw.random() < 0.1))
    return texts, np.array(accepted)


def test_it_scores_texts_as_scikit_learn_does(examples):
    texts, accepted = examples
    indices, data, starts = rows(texts)
    matrix = csr_matrix((data.astype(np.float64), indices, starts), shape=(len(texts), 1 << BITS))
    theirs = LogisticRegression(C=C, class_weight="balanced", max_iter=1000).fit(matrix, accepted)
    weights, intercept = fit(Rows(indices, data, starts), accepted, C)
    ours = matrix @ weights + intercept
    assert np.corrcoef(ours, theirs.decision_function(matrix))[0, 1] > 0.999
    assert ((ours > 0) == theirs.predict(matrix)).mean() > 0.99


def test_products_are_those_of_the_matrix(examples):
    texts, _ = examples
    indices, data, starts = rows(texts)
    matrix, draw = csr_matrix((data, indices, starts), shape=(len(texts), 1 << BITS)), np.random.default_rng(0)
    weights, values = draw.normal(size=1 << BITS), draw.normal(size=len(texts))
    ours = Rows(indices, data, starts)
    assert np.allclose(ours.times(weights), matrix @ weights)
    assert np.allclose(ours.times_transposed(values), values @ matrix)


def test_a_bent_valley_is_followed_to_its_end():
    scale = np.logspace(0, 4, 30)

    def bowl(point):
        return float(scale @ (point - 1) ** 2) / 2, scale * (point - 1)

    assert minimum(bowl, np.zeros(30)) == pytest.approx(np.ones(30), abs=1e-3)


def test_it_is_the_same_every_time(examples):
    texts, accepted = examples
    first, second = (fit(Rows(*rows(texts)), accepted, C) for _ in range(2))
    assert first[0].tobytes() == second[0].tobytes()
    assert first[1] == second[1]


def test_texts_without_features_leave_the_intercept():
    empty = Rows(*rows(["", "", ""]))
    assert features("")[0].size == 0
    weights, intercept = fit(empty, np.array([True, False, False]), C)
    assert (np.abs(weights).max(), intercept) == pytest.approx((0, 0), abs=1e-3)
