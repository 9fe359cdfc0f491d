"""What holds for every test."""

import os
import shutil
from pathlib import Path

import hypothesis
import pytest
from xdist.scheduler import LoadScopeScheduling

pytest_plugins = ("tests.services", "tests.browser", "tests.covered")
"""Fixtures of several folders, and what is measured."""

# The machine may be busy, and a first call may load a model: how long an example takes is not what is tested.
hypothesis.settings.register_profile(
    "explore", deadline=None, print_blob=True, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
# The same examples every time, so that no change fails by chance; `--hypothesis-profile explore` looks for new ones.
hypothesis.settings.register_profile("gem", hypothesis.settings.get_profile("explore"), derandomize=True)
hypothesis.settings.load_profile("gem")


TOGETHER = ("tests/console/", "tests/dags/", "tests/e2e/")
"""Folders whose tests share a lineage or a stack."""


@pytest.fixture(autouse=True)
def own_umask():
    """A command that a test runs in this process makes the process write private files: not for the tests after it."""
    from gem_tasks import files

    before = os.umask(0o022)
    os.umask(before)
    yield
    os.umask(before)
    files._umasks.clear()


class ByFile(LoadScopeScheduling):
    """With `-n` files run beside each other, not tests, so that what a file sets up is set up once."""

    def _split_scope(self, nodeid):
        return next((folder for folder in TOGETHER if nodeid.startswith(folder)), nodeid.partition("::")[0])


def pytest_sessionfinish(session):
    """Run as root, clusters of homes below pytest's private folders lie in /var/lib, and would stay there.

    Those of an earlier run that was killed, and so could not remove them, go too: they can fill a disk.
    """
    if hasattr(session.config, "workerinput"):
        return
    ours = session.config._tmp_path_factory.getbasetemp()
    for marker in Path("/var/lib").glob("gem-*/home"):
        home = Path(marker.read_text(encoding="utf-8").strip())
        if home.is_relative_to(ours) or (home.is_relative_to(ours.parent) and not home.exists()):
            shutil.rmtree(marker.parent, ignore_errors=True)


def pytest_xdist_make_scheduler(config, log):
    return ByFile(config, log)
