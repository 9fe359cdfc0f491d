"""Logistic regression on sparse rows, with numpy alone: scikit-learn would be a fifth of what a worker installs.

Minimised is what scikit-learn's `LogisticRegression(C=…, class_weight="balanced")` minimises: the mean loss, with both
classes of equal weight, plus a penalty on the squares of the weights, but not on the intercept. The method is L-BFGS
(Nocedal and Wright, Numerical Optimization, 2nd edition, algorithms 7.4 and 3.1), as there.
"""

from collections import deque
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from gem_tasks.prefilter.features import BITS, Indices, Weights

_MEMORY = 10
"""Steps from which L-BFGS estimates the curvature."""
_STEPS = 1000
_FLAT = 1e-4
"""Largest slope in any direction at which a minimum is reached: that of scikit-learn."""
_ENOUGH = 1e-4
"""Share of the expected descent that a step has to bring (Armijo)."""
_BLOCK = 512
"""Texts that are multiplied at a time, which limits memory."""

Vector = NDArray[np.float64]
Objective = Callable[[Vector], tuple[float, Vector]]


class Rows:
    """A sparse matrix by rows (CSR), as `features.rows` makes it; one column per feature."""

    def __init__(self, indices: Indices, data: Weights, starts: NDArray[np.int64]) -> None:
        self._indices, self._data, self._starts = indices, data, starts
        self.count = len(starts) - 1

    def times(self, weights: Vector) -> Vector:
        """The matrix times a vector: a sum for each row."""
        sums = np.zeros(self.count)
        for first, last, part in self._blocks():
            products = self._data[part] * weights[self._indices[part]]
            starts = self._starts[first:last] - part.start
            filled = np.flatnonzero(np.diff(starts, append=len(products)))  # `reduceat` gives no zero for an empty row
            if len(filled):
                sums[first + filled] = np.add.reduceat(products, starts[filled])
        return sums

    def times_transposed(self, values: Vector) -> Vector:
        """A value for each row times the matrix: a sum for each feature."""
        sums = np.zeros(1 << BITS)
        for first, last, part in self._blocks():
            factors = np.repeat(values[first:last], np.diff(self._starts[first : last + 1]))
            sums += np.bincount(self._indices[part], self._data[part] * factors, 1 << BITS)
        return sums

    def _blocks(self) -> Iterator[tuple[int, int, slice]]:
        """First and last row, and where their entries are."""
        for first in range(0, self.count, _BLOCK):
            last = min(first + _BLOCK, self.count)
            yield first, last, slice(int(self._starts[first]), int(self._starts[last]))


def fit(rows: Rows, accepted: NDArray[np.bool_], c: float) -> tuple[Vector, float]:
    """Weights and intercept; needs rows of both kinds.

    Args:
        rows: one row per example.
        accepted: the kind of each.
        c: the inverse of the penalty.
    """
    found = minimum(_loss(rows, accepted, c), np.zeros((1 << BITS) + 1))
    return found[:-1], float(found[-1])


def minimum(objective: Objective, start: Vector) -> Vector:
    """Where a convex function is least, by L-BFGS.

    Args:
        objective: the value and the gradient at a point.
        start: where to begin.
    """
    point, (value, slope) = start, objective(start)
    steps: deque[tuple[Vector, Vector]] = deque(maxlen=_MEMORY)
    for _ in range(_STEPS):
        if np.abs(slope).max() <= _FLAT:
            break
        direction = _direction(slope, steps)
        length = 1.0 if steps else min(1.0, 1 / float(np.abs(slope).sum()))
        descent = float(slope @ direction)
        while (tried := objective(point + length * direction))[0] > value + _ENOUGH * length * descent:
            length /= 2
            if length < 1e-12:  # rounding hides any further descent
                return point
        step, bend = length * direction, tried[1] - slope
        if step @ bend > 1e-10 * (bend @ bend):
            steps.append((step, bend))
        point, (value, slope) = point + step, tried
    return point


def _direction(slope: Vector, steps: deque[tuple[Vector, Vector]]) -> Vector:
    """Downhill, by the curvature that the last steps met (the two-loop recursion)."""
    direction, shares = -slope, list[float]()
    for step, bend in reversed(steps):
        shares.append(float(step @ direction) / float(step @ bend))
        direction = direction - shares[-1] * bend
    if steps:
        step, bend = steps[-1]
        direction = direction * (float(step @ bend) / float(bend @ bend))
    for (step, bend), share in zip(steps, reversed(shares), strict=True):
        direction = direction + (share - float(bend @ direction) / float(step @ bend)) * step
    return direction


def _loss(rows: Rows, accepted: NDArray[np.bool_], c: float) -> Objective:
    signs = np.where(accepted, 1.0, -1.0)
    share = float(accepted.mean())
    importance = np.where(accepted, 0.5 / share, 0.5 / (1 - share)) / rows.count
    penalty = 1 / (c * rows.count)

    def value_and_gradient(point: Vector) -> tuple[float, Vector]:
        weights = point[:-1]
        margins = signs * (rows.times(weights) + point[-1])
        value = float(importance @ np.logaddexp(0, -margins)) + penalty / 2 * float(weights @ weights)
        pulls = -importance * signs / (1 + np.exp(np.clip(margins, -700, 700)))
        return value, np.append(rows.times_transposed(pulls) + penalty * weights, pulls.sum())

    return value_and_gradient
