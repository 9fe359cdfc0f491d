"""Backup and restore as docs/operations.md tells it: a dump of the lineage first, then the objects, and back."""

import shutil
import subprocess

from pydantic import SecretStr

from gem_tasks.dataset.export import published
from gem_tasks.local.postgres import _binaries
from gem_tasks.pipeline.workspace import Workspace
from tests.corpus import PARTITION
from tests.planning import plan


def test_a_restored_backup_publishes_the_same_and_owes_nothing(finished, dsn, postgres, tmp_path):
    work, _, _ = finished
    before = list(published(work))
    assert before
    dump = tmp_path / "gem.dump"
    subprocess.run([_binaries() / "pg_dump", "-Fc", "-f", dump, dsn], check=True)
    shutil.copytree(work.settings.store_root, tmp_path / "copy")

    postgres.create_database("restored")
    target = postgres.dsn("restored")
    subprocess.run([_binaries() / "pg_restore", "--no-owner", "-d", target, dump], check=True)
    changed = {"postgres_dsn": SecretStr(target), "store_url": str(tmp_path / "copy"), "home": tmp_path / "elsewhere"}
    restored = Workspace.open(work.settings.model_copy(update=changed))
    assert list(published(restored)) == before
    assert plan(restored, PARTITION) == []
