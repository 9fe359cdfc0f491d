"""One embedded stack for all tests of a session, as a user has it at worst.

Its path has a blank, a quote and a letter beyond ASCII, the umask is 077, the environment names proxies and no HOME.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gem_tasks.local import processes

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "corpus"
PLANTED = "sk-planted-0f3d9a51c7"
"""The key for the LLM, which nothing may keep."""
PROXIES = {"HTTP_PROXY": "http://127.0.0.1:9", "all_proxy": "socks5://127.0.0.1:9", "NO_PROXY": "10.0.0.0/8,[::1]"}
"""Of no use to anybody: what is on this machine must not be asked of them, and all of the stack is."""
GEM = Path(sys.executable).with_name("gem")


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gem") / "My Wörk" / "o'home"
    yield folder
    gem(folder, "down")
    assert processes.ours(folder) == []


def gem(home, *arguments, check=True, **variables):
    env = {
        name: value for name, value in os.environ.items() if not name.startswith(("GEM_", "AIRFLOW")) and name != "HOME"
    }
    done = subprocess.run(
        [GEM, *map(str, arguments)],
        env={**env, **PROXIES, "GEM_HOME": str(home), "GEM_LLM_API_KEY": PLANTED, **variables},
        umask=0o077,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    if check:
        assert done.returncode == 0, f"gem {arguments}: {done.stdout[-2000:]}{done.stderr[-4000:]}{logs(home)}"
    return done


def logs(home):
    """The ends of the services' logs: what a failing test is explained by."""
    return "".join(
        f"\n--- {path.name}\n{path.read_text(errors='replace')[-1500:]}" for path in (home / "logs").glob("*.log")
    )
