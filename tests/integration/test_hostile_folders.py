"""Folders of models that attack their loaders, without PyTorch: refused before, and confined if they were not."""

import json
import os
import pickle
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from gem_tasks.confine.job import Job, Limits
from gem_tasks.confine.launch import started
from gem_tasks.distill import base, profiles, serve, train
from gem_tasks.distill.inspection import require
from gem_tasks.errors import UserError
from gem_tasks.evals.child import events
from tests.confining import WAYS, confine_by

PICKLES = (
    "pytorch_model.bin",
    "adapter_model.bin",
    "training_args.bin",
    "optimizer.pt",
    "scheduler.pt",
    "rng_state.pth",
)
LOADER = """
import glob, pickle, sys
for path in sorted(glob.glob(sys.argv[1] + "/*")):
    try: pickle.load(open(path, "rb"))
    except Exception as error: print(path, error, file=sys.stderr)
"""
"""What a loader of pickles does that checks nothing."""
STEAL = """
import json, os, signal, socket
def tried(name, what):
    try: open({prize!r} + "/" + name, "w").write(str(what()))
    except BaseException: pass
tried("PWNED", lambda: 1)
for each in {wanted!r}: tried("file" + str(len(each)), lambda: open(each).read())
tried("network", lambda: socket.create_connection(("127.0.0.1", {port}), 2))
tried("name", lambda: socket.getaddrinfo("example.com", 80))
def change(what):
    try: what()
    except BaseException: pass
change(lambda: open({base!r} + "/config.json", "a").write("changed"))
change(lambda: os.kill({pid}, signal.SIGKILL))
files = []
for each in {wanted!r}: change(lambda: files.append(open(each).read()))
print(json.dumps({{"event": "got", "environment": dict(os.environ), "files": files}}), flush=True)
"""


@pytest.fixture(params=WAYS)
def way(request, monkeypatch):
    confine_by(request.param, monkeypatch)
    return request.param


class Payload:
    """A pickle that runs code when it is read."""

    def __init__(self, code):
        self.code = code

    def __reduce__(self):
        return exec, (self.code,)


@pytest.fixture
def hostile(tmp_path, monkeypatch):
    """A folder whose pickles take what they can reach, and the folder that shows what they took."""
    prize, folder, home = tmp_path / "prize", tmp_path / "model", tmp_path / ".gem"
    for each in (prize, folder, home):
        each.mkdir()
        each.chmod(0o777)
    tmp_path.chmod(0o755)
    (home / "services.env").write_text("GEM_POSTGRES_DSN=hunter2", encoding="utf-8")
    for name in (
        "GEM_POSTGRES_DSN",
        "GEM_LLM_API_KEY",
        "HF_TOKEN",
        "AWS_SECRET_ACCESS_KEY",
        "AIRFLOW__CORE__FERNET_KEY",
    ):
        monkeypatch.setenv(name, "hunter2")
    (folder / "config.json").write_text("{}", encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as other:
        wanted = [
            str(home / "services.env"),
            f"/proc/{os.getpid()}/environ",
            "/etc/shadow",
            str(Path.home() / ".netrc"),
        ]
        code = STEAL.format(
            prize=str(prize), wanted=wanted, port=other.getsockname()[1], base=str(folder), pid=os.getpid()
        )
        for name in PICKLES:
            (folder / name).write_bytes(pickle.dumps(Payload(code)))
        yield folder, prize


def job_of(kind, folder, tmp_path):
    """The job in which GEM trains or serves these weights, with a loader in the program's place."""
    command = [sys.executable, "-I", "-c", LOADER, str(folder)]
    if kind == "serve":
        return serve._confined(command, folder, 1, tmp_path / "work", "transformers").model_copy(
            update={"listens": None}
        )
    profile = profiles.named("qwen3-8b-agent-lora" if kind == "train an adapter" else "smoke")
    return train._confined(profile, command, tmp_path / "work", folder)


@pytest.mark.parametrize("kind", ["train", "train an adapter", "serve"])
def test_pickles_that_are_read_after_all_get_nothing(way, hostile, kind, tmp_path):
    folder, prize = hostile
    job = job_of(kind, folder, tmp_path)
    said = list(events(job, tmp_path / "work" / "log", 60))
    assert len(said) == len(PICKLES)  # they ran
    assert "hunter2" not in json.dumps(said)
    assert [each["files"] for each in said] == [[]] * len(PICKLES)
    assert list(prize.iterdir()) == []
    assert (folder / "config.json").read_text() == "{}"


def test_a_resumed_training_that_reads_what_an_earlier_one_left_gets_nothing(way, hostile, tmp_path):
    """Checkpoints are pickles; the training that wrote them may have been an attacker's."""
    folder, prize = hostile
    checkpoint = tmp_path / "work" / "checkpoints" / "checkpoint-10"
    checkpoint.parent.mkdir(parents=True)
    folder.rename(checkpoint)
    job = job_of("train", checkpoint, tmp_path).model_copy(update={"reads": ()})
    said = list(events(job, tmp_path / "work" / "log", 60))
    assert len(said) == len(PICKLES)
    assert "hunter2" not in json.dumps(said)
    assert list(prize.iterdir()) == []


def test_a_folder_with_pickles_is_refused_before(way, hostile):
    folder, prize = hostile
    with pytest.raises(UserError) as error:
        require.require_loadable(folder, "owner/model", trusted=False, sandbox="auto")
    assert error.value.cause == (
        "GEM does not load owner/model: adapter_model.bin can be a pickle, which runs code when it is read"
    )
    assert error.value.fix.startswith("Remove it, or set GEM_TRUST_REMOTE_CODE=1")
    assert list(prize.iterdir()) == []


def test_a_template_that_fills_the_memory_fills_that_of_the_check_only(way, hostile, monkeypatch):
    folder, _ = hostile
    for name in PICKLES:
        (folder / name).unlink()
    (folder / "chat_template.jinja").write_text("{{ ('a' * 10 ** 9) | length }}")
    monkeypatch.setattr(require, "_LIMITS", Limits(memory_gb=0.2, processes=64))
    with pytest.raises(UserError, match=r"the template in chat_template\.jinja asks for too much \(MemoryError\)"):
        require.require_loadable(folder, "m", trusted=False, sandbox="auto")


def test_a_check_that_is_killed_says_which_file_it_looked_at(way, hostile, monkeypatch):
    """A large power is computed in native code, which no timer of Python interrupts: the limit of CPU time ends it."""
    folder, _ = hostile
    for name in PICKLES:
        (folder / name).unlink()
    (folder / "chat_template.jinja").write_text("{{ (7 ** (10 ** 9)) % 2 }}")
    monkeypatch.setattr(require, "CPU_S", 1)
    with pytest.raises(UserError, match=r"m: looking through chat_template\.jinja fails, or takes too much"):
        require.require_loadable(folder, "m", trusted=False, sandbox="auto")


def test_a_check_that_is_taken_over_can_say_little(way, hostile, monkeypatch):
    """Only a fault in Jinja's sandbox could make it talk, and then 10 MB at most."""
    endless = (sys.executable, "-I", "-S", "-c", "import os\nwhile True: os.write(1, b'x' * 1000000)")
    monkeypatch.setattr(require, "Job", lambda **given: Job(**{**given, "command": endless}))
    read = []
    monkeypatch.setattr(require, "_read", lambda said: (read.append(len(said)), ({}, ""))[1])
    with pytest.raises(UserError, match="fails, or takes too much time or memory"):
        require.require_loadable(hostile[0], "m", trusted=False, sandbox="auto")
    assert read == [10_000_000]


def test_the_name_of_a_file_does_not_act_on_the_terminal(hostile):
    folder, _ = hostile
    for name in PICKLES:
        (folder / name).unlink()
    (folder / "a\x1b]0;title\x07.exe").touch()
    with pytest.raises(UserError) as error:
        require.require_loadable(folder, "m\x1b[2J", trusted=False, sandbox="auto")
    assert str(error.value).startswith(r"GEM does not load m\x1b[2J: a\x1b]0;title\x07.exe is not a file that models")


def test_a_snapshot_of_the_hub_is_read_through_its_links_and_nothing_else_of_the_cache(way, tmp_path):
    cache = tmp_path / "models--owner--model"
    snapshot, blobs = cache / "snapshots" / "abc", cache / "blobs"
    for each in (snapshot, blobs):
        each.mkdir(parents=True)
    (blobs / "1").write_text("{}", encoding="utf-8")
    (snapshot / "config.json").symlink_to("../../blobs/1")
    tmp_path.chmod(0o755)
    require.require_loadable(snapshot, "owner/model", trusted=False, sandbox="auto")
    assert base.reads(snapshot) == (snapshot, blobs)
    assert base.reads(tmp_path / "snapshots" / "mine") == (tmp_path / "snapshots" / "mine",)


def test_what_uses_up_the_memory_ends_before_anything_of_ours(way, tmp_path):
    job = Job(
        command=(sys.executable, "-I", "-c", "import time; print(1, flush=True); time.sleep(99)"),
        folder=tmp_path / "work",
    )
    with started(job, "auto", stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        program = psutil.Process(process.pid).children(recursive=True)[-1]
        assert Path(f"/proc/{program.pid}/oom_score_adj").read_text(encoding="ascii") == "1000\n"


@pytest.mark.parametrize("kind", ["train", "serve"])
def test_a_training_and_a_server_have_a_bound_of_memory(hostile, kind, tmp_path):
    assert job_of(kind, hostile[0], tmp_path).limits.memory_gb == base.limits(gpus=False).memory_gb > 0


def test_the_memory_of_a_container_bounds_what_it_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(base, "_CONTAINER", tmp_path / "memory.max")
    machine = base.limits(gpus=False).memory_gb
    (tmp_path / "memory.max").write_text("2000000000\n")
    assert base.limits(gpus=False).memory_gb == 2.0
    (tmp_path / "memory.max").write_text("max\n")
    assert base.limits(gpus=False).memory_gb == machine
