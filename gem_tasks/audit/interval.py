"""How far a share that was counted in a sample can be from the true one."""

from math import sqrt
from statistics import NormalDist

_Z = NormalDist().inv_cdf(0.975)


def wilson(hits: int, total: int) -> tuple[float, float]:
    """The 95 % score interval of a share (Wilson 1927, JASA 22, 209-212): sound for small samples and shares near 1.

    Raises:
        ValueError: there is nothing to take a share of, or more hits than that.
    """
    if not 0 <= hits <= total or not total:
        raise ValueError(f"{hits} of {total} is no share")
    share, spread = hits / total, _Z * _Z / total
    centre = share + spread / 2
    margin = _Z * sqrt(share * (1 - share) / total + spread / (4 * total))
    return max((centre - margin) / (1 + spread), 0.0), min((centre + margin) / (1 + spread), 1.0)
