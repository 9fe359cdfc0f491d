"""`make demo` and `make clean` from a fresh clone, wherever it lies, whoever types it (GEM_TEST_START=1: minutes each).

The stack of the other tests here starts under the same conditions, all at once, but in the environment of the tests.
"""

import os
import pwd
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.stack import PROXIES, ROOT

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not os.environ.get("GEM_TEST_START"), reason="set GEM_TEST_START=1: installs for each case"),
]
ROOTS = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become others")
LIMIT_S = 1200


@pytest.fixture
def outside():
    """A folder that all users may enter, unlike pytest's."""
    folder = Path(f"/var/tmp/gem-start-{os.getpid()}")
    folder.mkdir(mode=0o755)
    yield folder
    shutil.rmtree(folder)


def clone(target, user=None):
    """The files of this checkout, as git has them and as they are now."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)
    if user:
        subprocess.run(["chown", "-R", f"{user.pw_uid}:{user.pw_gid}", target], check=True)


def make(folder, target, user=None, umask=0o022, **variables):
    env = {name: value for name, value in os.environ.items() if not name.startswith(("GEM_", "AIRFLOW", "VIRTUAL_ENV"))}
    env = {name: value for name, value in (env | variables).items() if value is not None}
    who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
    done = subprocess.run(
        ["make", target],
        cwd=folder,
        env=env,
        umask=umask,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
        **who,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def demo(folder, **options):
    """Installs, runs the demo under the same conditions and proxies that refuse, and cleans up."""
    clone(folder, options.get("user"))
    make(folder, "install", **options)
    try:
        said = make(folder, "demo", **{**PROXIES, **options})
        assert re.search(r"Dataset \S+: \d+ trajectories", said)
        (executed,) = re.findall(r"worlds: \d+, with (\d+) executed conversations", said)
        assert int(executed) >= 5
        assert re.search(rf"replayed equal \D+ {executed} ", said)
        calls, equal = re.findall(r"(\d+) calls of conversation \w+: (\d+) results equal", said)[0]
        assert calls == equal
    finally:
        make(folder, "clean", **options)
    assert not (folder / ".venv").exists()
    assert not (folder / ".gem").exists()


@ROOTS
def test_as_root_below_a_private_home(outside):
    home = outside / "root"
    home.mkdir(mode=0o700)
    demo(home / "gem", HOME=str(home), UV_CACHE_DIR=_cache())
    assert home.stat().st_mode & 0o777 == 0o700


@ROOTS
def test_as_root_with_umask_077_and_no_home(outside):
    demo(outside / "gem", umask=0o077, HOME=None, UV_CACHE_DIR=_cache())


def test_in_a_path_with_a_blank_and_a_letter_beyond_ascii(outside):
    (outside / "My").mkdir()
    (outside / "My" / "keep").write_text("precious")
    demo(outside / "My Wörk" / "gem", UV_CACHE_DIR=_cache())
    assert (outside / "My" / "keep").read_text() == "precious"


@ROOTS
def test_as_a_normal_user_with_a_private_home(outside):
    nobody = pwd.getpwnam("nobody")
    home = outside / "user"
    home.mkdir(mode=0o700)
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    demo(home / "gem", user=nobody, umask=0o077, HOME=str(home), UV_CACHE_DIR=None)


def _cache():
    """uv's, so that the packages are fetched once."""
    return os.environ.get("UV_CACHE_DIR") or str(Path.home() / ".cache" / "uv")
