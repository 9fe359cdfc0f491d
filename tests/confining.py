"""The ways in which programs of others are confined, for tests that are to hold for each that this machine has."""

import pytest

from gem_tasks.confine import inside, means

WAYS = ("namespaces", "landlock")


def confine_by(way, monkeypatch):
    """Confines by this way only, or skips and says why."""
    if way == "namespaces":
        if means.best().kind != "namespaces":
            pytest.skip("bubblewrap is missing, or may not make namespaces here")
        return
    version = inside.abi()
    if version < 4:
        pytest.skip(f"the kernel's Landlock (version {version}) does not close TCP")
    landlock = means._landlock(version)
    monkeypatch.setattr(means, "best", lambda: landlock)
