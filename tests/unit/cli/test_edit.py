"""The user's editor: what it leaves is read, and nothing written in it is lost."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from gem_tasks.cli import edit
from gem_tasks.errors import UserError

SUBJECT = SimpleNamespace(shown=SimpleNamespace(messages=()), item=SimpleNamespace(trajectory_id="t1"), revision="r1")


@pytest.fixture
def editor(tmp_path, monkeypatch):
    """Makes a program the editor; `PATH` in it is the file to edit."""

    def make(*lines):
        program = tmp_path / "editor.py"
        program.write_text("\n".join(["import os, signal, sys", "PATH = sys.argv[1]", *lines]))
        monkeypatch.setenv("VISUAL", f"{sys.executable} {program}")
        monkeypatch.setattr(edit.tempfile, "tempdir", str(tmp_path))

    return make


def test_an_interrupt_is_the_editor_s_and_does_not_end_the_edit(editor):
    editor("os.kill(os.getppid(), signal.SIGINT)", "open(PATH, 'w').write('edited')")
    assert edit._edited(SUBJECT) == "edited"
    with pytest.raises(KeyboardInterrupt):
        edit.signal.raise_signal(edit.signal.SIGINT)


@pytest.mark.parametrize(
    ("lines", "cause", "saved"),
    [
        (["open(PATH, 'wb').write(b'gr\\xfcn')"], "is not UTF-8", b"gr\xfcn"),
        (["open(PATH, 'w').write('half')", "sys.exit(3)"], "The editor exited with 3", b"half"),
    ],
)
def test_a_text_that_cannot_be_used_is_left_in_a_file_of_its_owner(editor, lines, cause, saved):
    editor(*lines)
    with pytest.raises(UserError, match=cause) as error:
        edit._edited(SUBJECT)
    kept = Path(error.value.fix.partition("Your text is in ")[2].partition(":")[0])
    assert (kept.read_bytes(), kept.stat().st_mode & 0o777) == (saved, 0o600)


def test_an_editor_that_failed_without_writing_leaves_no_file(editor, tmp_path):
    editor("sys.exit(1)")
    with pytest.raises(UserError, match="Nothing was changed"):
        edit._edited(SUBJECT)
    assert not list(tmp_path.glob("gem-edit-*"))


@pytest.mark.parametrize("fault", [OSError("no connection"), UserError("it changed", "Look.")])
def test_a_text_survives_a_failure_to_record_it(editor, tmp_path, monkeypatch, fault):
    editor("open(PATH, 'w').write('- role: user\\n  content: hi\\n')")

    def fail(*_, **__):
        raise fault

    monkeypatch.setattr(edit.Workspace, "open", lambda _: None)
    for name, stand_in in {"load": lambda *_: SUBJECT, "load_settings": lambda: None, "edit": fail}.items():
        monkeypatch.setattr(edit, name, stand_in)
    with pytest.raises(type(fault)):
        edit.edit_trajectory("t1", author="Anna")
    (kept,) = tmp_path.glob("gem-edit-*.yaml")
    assert kept.read_text() == "- role: user\n  content: hi\n"
