"""What the image leaves out of its packages: named things only, never a licence, and records stay true."""

import csv
import hashlib
import importlib.util
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest

from tests.pages import ROOT

SPEC = importlib.util.spec_from_file_location("slim", ROOT / "deploy" / "image" / "slim.py")
slim = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(slim)


@pytest.fixture
def packages(tmp_path, monkeypatch):
    monkeypatch.setattr(slim, "UNUSED", {"**/tests": "tests"})
    monkeypatch.setattr(slim, "KEPT", {"cloud/data": {"s3"}})
    names = [
        "a/__init__.py",
        "a/tests/test_a.py",
        "cloud/data/s3/api.json",
        "cloud/data/ec2/api.json",
        "cloud/data/all.json",
    ]
    names += ["a-1.dist-info/licenses/tests/LICENSE", "a-1.dist-info/RECORD"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name, encoding="utf-8")
    record = "".join(f"{name},sha256=x,1\n" for name in names)
    (tmp_path / "a-1.dist-info/RECORD").write_text(record, encoding="utf-8")
    return tmp_path


def test_only_what_is_named_goes_and_the_record_says_so(packages):
    slim.main(packages)
    left = {str(path.relative_to(packages)) for path in packages.rglob("*") if path.is_file()}
    assert left == {
        "a/__init__.py", "cloud/data/s3/api.json", "cloud/data/all.json",
        "a-1.dist-info/licenses/tests/LICENSE", "a-1.dist-info/RECORD",
    }  # fmt: skip
    with (packages / "a-1.dist-info/RECORD").open(encoding="utf-8", newline="") as file:
        assert {row[0] for row in csv.reader(file)} == left


def test_what_is_named_and_not_there_is_an_error(packages, monkeypatch):
    monkeypatch.setattr(slim, "KEPT", {"cloud/data": {"s3", "sts"}})
    with pytest.raises(SystemExit, match="cloud/data has no sts"):
        slim.main(packages)
    monkeypatch.setattr(slim, "UNUSED", {"b/include": "headers"})
    with pytest.raises(SystemExit, match="nothing is b/include"):
        slim.main(packages)


def test_a_compiled_module_that_could_not_be_loaded_any_more_stays_as_it_was(packages, monkeypatch):
    module = packages / "a/fast.so"
    module.write_bytes(b"\x7fELF and symbols")
    record = packages / "a-1.dist-info/RECORD"
    record.write_text(record.read_text("utf-8") + "a/fast.so,sha256=x,1\n", encoding="utf-8")
    align = "0x0"

    def run(program, *arguments):
        if program == "strip":
            Path(arguments[2]).write_bytes(b"\x7fELF")
        return f"  LOAD           {align} 0x0000000000001000 0x1 0x1 0x1 R E 0x1000\n"

    monkeypatch.setattr(slim, "_run", run)
    align = "0x000080"
    slim.main(packages)
    assert module.read_bytes() == b"\x7fELF and symbols"
    align = "0x001000"
    slim._correct(record, {module} if slim._strip(module) else set())
    assert module.read_bytes() == b"\x7fELF"
    digest = urlsafe_b64encode(hashlib.sha256(b"\x7fELF").digest()).rstrip(b"=").decode()
    assert f"a/fast.so,sha256={digest},4" in record.read_text("utf-8")
