"""What a confined program leaves is plain, or it is not read."""

import os
import socket

import pytest

from gem_tasks.confine import results
from gem_tasks.confine.results import TamperedError, printable, require_plain


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "sub" / "deep").mkdir(parents=True)
    (tmp_path / "report.json").write_bytes(b"{}")
    (tmp_path / "sub" / "deep" / "weights").write_bytes(b"x" * 100)
    return tmp_path


def test_files_and_folders_are_plain(folder):
    require_plain(folder)
    require_plain(folder, most_file_bytes=100)


@pytest.mark.parametrize("target", ["/etc/passwd", "report.json", "nowhere", "."])
def test_a_link_is_refused_wherever_it_leads(folder, target):
    (folder / "sub" / "link").symlink_to(target)
    with pytest.raises(TamperedError, match="link is neither a file nor a folder"):
        require_plain(folder)


def test_a_pipe_and_a_socket_are_refused(folder):
    os.mkfifo(folder / "pipe")
    with pytest.raises(TamperedError, match="pipe is neither"):
        require_plain(folder)
    (folder / "pipe").unlink()
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(folder / "s"))
    with pytest.raises(TamperedError, match="s is neither"):
        require_plain(folder)


def test_a_file_that_is_too_large_and_too_many_files_are_refused(folder, monkeypatch):
    with pytest.raises(TamperedError, match="100 bytes; the limit is 99"):
        require_plain(folder, most_file_bytes=99)
    monkeypatch.setattr(results, "MAX_FILES", 2)
    with pytest.raises(TamperedError, match="more than 2 files"):
        require_plain(folder)


def test_what_acts_on_terminals_becomes_blanks():
    assert printable("a\x1b[31m\nb\x00ü") == "a [31m b ü"
