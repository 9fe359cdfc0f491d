"""PyTorch is installed by hash unless the deployment says otherwise."""

import ensurepip
import hashlib
import os
import sys
import zipfile
from pathlib import Path

import pytest

from gem_tasks.errors import UserError
from gem_tasks.evals import environment


@pytest.fixture
def installed_by(monkeypatch, tmp_path):
    """The command that installs PyTorch, with this setting."""
    commands = []
    monkeypatch.setattr(environment, "_run", lambda command, name: commands.append(command))

    def how(setting):
        monkeypatch.delenv("GEM_TORCH_LOCK", raising=False)
        if setting is not None:
            monkeypatch.setenv("GEM_TORCH_LOCK", setting)
        told = []
        environment._install_torch(tmp_path, "train", lambda what, *_: told.append(what))
        return commands.pop(), told

    return how


@pytest.mark.parametrize("setting", [None, ""])
def test_the_shipped_lock_is_the_default(installed_by, setting):
    command, told = installed_by(setting)
    assert command[-4:-1] == ["--no-deps", "--require-hashes", "-r"]
    assert command[-1].endswith("envs/train/torch-pypi.lock")
    assert told[0].endswith(", by hash")


def test_a_lock_of_ones_own_is_installed_by_hash(installed_by):
    assert installed_by("/locks/torch.lock")[0][-4:] == ["--no-deps", "--require-hashes", "-r", "/locks/torch.lock"]


def test_without_a_lock_it_is_said_that_nothing_is_checked(installed_by):
    command, told = installed_by("none")
    assert command[-2] == "-r"
    assert command[-1].endswith("envs/train/torch.txt")
    assert told[0].endswith(", not checked by hash")


def pip_of_python():
    """The wheel of pip that Python brings along for new environments."""
    places = (Path(ensurepip.__file__).parent / "_bundled", Path("/usr/share/python-wheels"))
    found = [str(path) for place in places for path in place.glob("pip-*.whl")]
    return found[0] if found else pytest.skip("this Python brings no pip")


@pytest.mark.skipif(not os.environ.get("GEM_TEST_TORCH_LOCK"), reason="runs pip twice; set GEM_TEST_TORCH_LOCK")
def test_another_build_than_the_locked_one_is_not_installed(monkeypatch, tmp_path):
    """An index, a mirror or a proxy hands out another file of the same name and version."""
    monkeypatch.setattr(environment, "python_of", lambda *_: sys.executable)
    wheel, target = tmp_path / "torch-2.13.0-py3-none-any.whl", tmp_path / "target"
    with zipfile.ZipFile(wheel, "w") as packed:
        packed.writestr("torch/__init__.py", "")
        packed.writestr("torch-2.13.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: torch\nVersion: 2.13.0\n")
        packed.writestr(
            "torch-2.13.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        packed.writestr("torch-2.13.0.dist-info/RECORD", "")
    for name, value in (("PIP_NO_INDEX", "1"), ("PIP_FIND_LINKS", str(tmp_path)), ("PIP_TARGET", str(target))):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PYTHONPATH", pip_of_python())
    lock = tmp_path / "torch.lock"
    monkeypatch.setenv("GEM_TORCH_LOCK", str(lock))
    lock.write_text(f"torch==2.13.0 --hash=sha256:{'0' * 64}\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"could not install the environment train: .*"):
        environment._install_torch(tmp_path, "train", lambda *_: None)
    assert not (target / "torch").exists()
    lock.write_text(f"torch==2.13.0 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n", encoding="utf-8")
    environment._install_torch(tmp_path, "train", lambda *_: None)
    assert (target / "torch").exists()
