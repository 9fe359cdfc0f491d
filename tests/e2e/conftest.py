"""One embedded stack for all tests of a session, as a user has it at worst.

Its path has a blank, a quote and a letter beyond ASCII, the umask is 077, the environment names proxies and no HOME.
"""

import pytest

from gem_tasks.local import processes
from tests.e2e.stack import gem


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gem") / "My Wörk" / "o'home"
    yield folder
    gem(folder, "down")
    assert processes.ours(folder) == []
