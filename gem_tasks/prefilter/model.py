"""A linear model over hashed features, and its form in the object store.

The object is an `.npz` of two arrays, weights and constants, read without pickle, so it cannot run code. Its metadata
(threshold, versions, training data) is JSON in Postgres, in the prefilter's recipe and report.
"""

import io
import zipfile
from collections.abc import Iterable
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from gem_tasks.prefilter.features import BITS, FEATURES_VERSION, features

_LARGEST_BYTES = 16 * 1024 * 1024
"""Four times the size of uncompressed weights; a larger file is not a prefilter of GEM."""

Scores = NDArray[np.float64]


class DamagedModelError(ValueError):
    """The file is not a model, or is one for other features."""


class Model:
    """Scores texts between 0 (hopeless) and 1.

    Args:
        weights: one per feature.
        intercept: added to their sum.
    """

    def __init__(self, weights: NDArray[np.float32], intercept: float) -> None:
        self._weights, self._intercept = weights, intercept

    def scores(self, texts: Iterable[str]) -> Scores:
        """One score per text."""
        sums = [self._sum(text) for text in texts]
        return 1 / (1 + np.exp(-np.clip(np.array(sums, dtype=np.float64), -30, 30)))

    def _sum(self, text: str) -> float:
        found, weights = features(text)
        return float(np.dot(self._weights[found], weights)) + self._intercept

    def encode(self) -> bytes:
        """Encodes the model for the store; equal models give equal bytes."""
        buffer = io.BytesIO()
        constants = np.array([FEATURES_VERSION, self._intercept], dtype=np.float64)
        np.savez_compressed(buffer, weights=self._weights, constants=constants)
        return buffer.getvalue()

    @classmethod
    def decode(cls, data: bytes) -> "Model":
        """The inverse of `encode`.

        Raises:
            DamagedModelError: the bytes are not a model, or its features have another version.
        """
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                if sum(entry.file_size for entry in archive.infolist()) > _LARGEST_BYTES:
                    raise DamagedModelError("the file is too large")
            with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
                weights, constants = arrays["weights"], arrays["constants"]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise DamagedModelError(f"the file cannot be read: {str(error)[:200]}") from error
        if weights.shape != (1 << BITS,) or weights.dtype != np.float32 or constants.shape != (2,):
            raise DamagedModelError("its arrays have unexpected shapes")
        if constants[0] != FEATURES_VERSION:
            raise DamagedModelError(f"its features have version {constants[0]:g}, this code uses {FEATURES_VERSION}")
        return cls(weights, float(constants[1]))


def digest(data: bytes) -> str:
    """The hash that names a stored model."""
    return sha256(data).hexdigest()
