"""An archive in a folder changes: only the members that did are read anew, and those that left are retired."""

import zipfile

from gem_tasks.pipeline.ingest.source import ingest
from tests.integration.documents import FIRST, SECOND, THIRD, states, text


def archive(path, **members):
    with zipfile.ZipFile(path, "w") as stored:
        for name, content in members.items():
            stored.writestr(f"docs/{name}.txt", content)


def test_members_change_and_vanish_with_their_archive(workspace, tmp_path):
    work, source = workspace(), tmp_path / "source"
    source.mkdir()
    archive(source / "a.zip", ant=text("ant"), bee=text("bee"), cat=text("cat"))
    assert ingest(work, str(source), FIRST).documents == 3
    report = ingest(work, str(source), SECOND)
    assert (report.objects, report.documents, report.unchanged) == (1, 3, 3)
    archive(source / "a.zip", ant=text("ant"), bee=text("new"))
    report = ingest(work, str(source), THIRD)
    assert (report.superseded, report.gone, report.unchanged) == (1, 1, 1)
    (source / "a.zip").write_bytes((source / "a.zip").read_bytes()[:-30])
    ingest(work, str(source), THIRD)
    assert states(work) == {
        "a.zip": ["unreadable"],
        "ant.txt": ["live"],
        "bee.txt": ["old", "live"],
        "cat.txt": ["gone"],
    }
