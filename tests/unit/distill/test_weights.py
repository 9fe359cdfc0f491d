"""Weights that were fetched can be read by the user that serves them, whatever the umask."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from gem_tasks.confine.means import Means, readable_by_sandbox
from gem_tasks.distill.train import weights
from gem_tasks.domain.distill import Model
from gem_tasks.settings import Settings

MODEL = Model(
    model_id="m", name="n", base="b", profile="p", profile_sha256="0", set_id=None, location="s3://b/models/m/"
)

OTHER_USER = Means(kind="namespaces", own_user=True)


@pytest.fixture
def private():
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.fixture
def work(tmp_path):
    store = SimpleNamespace(
        url="s3://b/{}".format,
        list=lambda prefix: [f"{prefix}config.json", f"{prefix}a/b.json", f"{prefix}training/metrics.jsonl"],
    )
    return SimpleNamespace(
        settings=Settings(home=tmp_path, sandbox="off"), store=store, download=lambda key, path: path.write_text("{}")
    )


def test_fetched_weights_are_readable_and_those_of_older_versions_become_so(work, private):
    folder = Path(weights(work, MODEL))
    assert {path.name for path in folder.rglob("*") if path.is_file()} == {"config.json", "b.json", ".complete"}
    assert readable_by_sandbox(folder, OTHER_USER)
    (folder / ".complete").chmod(0o600)
    (folder / "training").mkdir()
    (folder / "training" / "metrics.jsonl").touch()  # as earlier versions fetched it
    weights(work, MODEL)
    assert readable_by_sandbox(folder, OTHER_USER)
    assert (folder / "a" / "b.json").stat().st_mode & 0o777 == 0o644


def test_bytecode_of_a_private_umask_does_not_matter(tmp_path):
    (tmp_path / "code.py").touch()
    (tmp_path / "code.py").chmod(0o644)
    (tmp_path / "__pycache__").mkdir(0o700)
    tmp_path.chmod(0o755)
    assert readable_by_sandbox(tmp_path, OTHER_USER)
