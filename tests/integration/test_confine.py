"""Programs of others get nothing of ours: environment, files, network, keys, processes; and end when we say so."""

import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from pydantic import SecretStr

from gem_tasks.confine import means
from gem_tasks.confine.job import Job, Limits, Upstream
from gem_tasks.confine.launch import started
from gem_tasks.confine.results import TamperedError, require_plain
from gem_tasks.errors import UserError
from tests.confining import WAYS, confine_by

LIMIT_S = 60
KEY = "sk-of-the-endpoint"
ASK = """
import json, os, sys, urllib.error, urllib.request
found = {}
for method, path, token in json.loads(sys.argv[1]):
    request = urllib.request.Request(os.environ["BASE"] + path, b"{}" if method == "POST" else None,
        {"authorization": f"Bearer {token or os.environ['TOKEN']}", "content-type": "application/json"})
    try: found[f"{method} {path}"] = urllib.request.urlopen(request).read().decode()
    except urllib.error.HTTPError as error: found[f"{method} {path}"] = error.code
print(json.dumps(found))
"""


@pytest.fixture(params=WAYS)
def way(request, monkeypatch):
    confine_by(request.param, monkeypatch)
    return request.param


@pytest.fixture
def run(tmp_path):
    """Runs Python confined and returns what it printed."""

    def go(code, *arguments, **changes):
        job = Job(command=(sys.executable, "-I", "-c", code, *map(str, arguments)), folder=tmp_path / "work", **changes)
        with started(job, "auto", stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            said = process.communicate(timeout=LIMIT_S)[0].decode()
        return said, process.returncode

    return go


@pytest.fixture
def endpoint():
    """An endpoint that says what it was asked, at which address."""

    class Endpoint(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps([self.path, self.headers["authorization"]]).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self):
            self.rfile.read(int(self.headers["content-length"]))
            self.do_GET()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_nothing_of_our_environment_is_there(way, run, monkeypatch):
    secrets = {
        "GEM_POSTGRES_DSN": "secret-1", "GEM_LLM_API_KEY": "secret-2", "AIRFLOW__CORE__FERNET_KEY": "secret-3",
        "AWS_SECRET_ACCESS_KEY": "secret-4", "HF_TOKEN": "secret-5", "MY_OWN_PASSWORD": "secret-6",
    }  # fmt: skip
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    code = "import os; print(dict(os.environ)); print(open('/proc/self/environ').read())"
    said, _ = run(code)
    assert "PATH" in said
    assert "secret-" not in said
    assert f"'HOME': '{Path.home()}'" not in said


def test_no_file_of_ours_can_be_read_and_none_changed(way, run, tmp_path):
    home = tmp_path / ".gem"
    home.mkdir(mode=0o755)
    (home / "services.env").write_text("GEM_POSTGRES_DSN=secret", encoding="utf-8")
    code = """
import os, sys
for path in sys.argv[1:]:
    try: print("GOT", path, open(path).read())
    except OSError: pass
    try: open(path, "a").write("x")  # where it lies in a sandbox's own memory, it may
    except OSError: pass
open("mine", "w").write("written")
print("ended")
"""
    wanted = [
        home / "services.env",
        Path(__file__),
        Path.home() / ".bashrc",
        "/etc/shadow",
        f"/proc/{os.getpid()}/environ",
    ]
    said, code = run(code, *wanted)
    assert said.strip() == "ended"
    assert code == 0
    assert (tmp_path / "work" / "mine").read_text() == "written"
    assert (home / "services.env").read_text() == "GEM_POSTGRES_DSN=secret"


def test_no_other_port_of_this_machine_answers_and_nothing_leaves(way, run):
    with socket.create_server(("127.0.0.1", 0)) as other, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        datagrams.bind(("127.0.0.1", 0))
        datagrams.settimeout(1)
        code = """
import socket, sys
def tried(what):
    try: what(); return True
    except OSError: return False
tcp, udp = map(int, sys.argv[1:])
for place in (("127.0.0.1", tcp), ("192.0.2.1", 80)):
    print(tried(lambda: socket.create_connection(place, 5)))
tried(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", udp)))
tried(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
"""
        assert run(code, other.getsockname()[1], datagrams.getsockname()[1])[0].split() == ["False", "False"]
        with pytest.raises(TimeoutError):
            datagrams.recv(1)


def test_the_named_endpoint_answers_with_a_key_that_is_never_inside_and_only_for_what_harnesses_ask(way, run, endpoint):
    asked = [
        *(("GET", path, "") for path in ("/models", "/../admin", "/%2e%2e/admin", "/files")),
        *(("POST", path, "") for path in ("/chat/completions", "/models", "/chat/completions?x=1")),
        ("GET", "/models/", "guessed"),
    ]
    said, _ = run(
        ASK,
        json.dumps(asked),
        environment={"BASE": "{agent}", "TOKEN": "{token}"},
        upstreams={"agent": Upstream(base_url=f"{endpoint}/v1", key=SecretStr(KEY))},
    )
    found = json.loads(said)
    assert json.loads(found["GET /models"]) == ["/v1/models", f"Bearer {KEY}"]
    assert json.loads(found["POST /chat/completions"]) == ["/v1/chat/completions", f"Bearer {KEY}"]
    assert {name: code for name, code in found.items() if code in (401, 403)} == {
        "GET /../admin": 403, "GET /%2e%2e/admin": 403, "POST /models": 403, "POST /chat/completions?x=1": 403,
        "GET /files": 403, "GET /models/": 401,
    }  # fmt: skip
    said, _ = run(
        "import os, sys; print(dict(os.environ), sys.argv)",
        environment={"TOKEN": "{token}"},
        upstreams={"agent": Upstream(base_url=f"{endpoint}/v1", key=SecretStr(KEY))},
    )
    assert "TOKEN" in said
    assert KEY not in said


def test_an_endpoint_that_is_down_is_an_error_of_the_endpoint(way, run):
    said, _ = run(
        ASK,
        json.dumps([("GET", "/models", "")]),
        environment={"BASE": "{agent}", "TOKEN": "{token}"},
        upstreams={"agent": Upstream(base_url="http://127.0.0.1:9/v1")},
    )
    assert json.loads(said) == {"GET /models": 502}


DAEMON = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open("daemon", "w").write("started")
        time.sleep(987654)
    os._exit(0)
os.wait()
while not os.path.exists("daemon"): time.sleep(0.01)
print("ready", flush=True)
time.sleep(float(sys.argv[1]))
"""


def daemons():
    found = [each for each in psutil.process_iter(["cmdline"]) if "987654" in " ".join(each.info["cmdline"] or ())]
    return [each for each in found if each.status() != psutil.STATUS_ZOMBIE]


def gone():
    deadline = time.monotonic() + LIMIT_S
    while daemons() and time.monotonic() < deadline:
        time.sleep(0.05)
    return not daemons()


@pytest.mark.parametrize("lasting", [0, 1000])
def test_whatever_it_started_ends_with_it_and_when_we_say_so(way, tmp_path, lasting):
    job = Job(command=(sys.executable, "-I", "-c", DAEMON, str(lasting)), folder=tmp_path)
    with started(job, "auto", stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        assert lasting == 0 or daemons()
        if not lasting:
            process.wait(LIMIT_S)
    assert gone()


STARTER = """
import sys, subprocess, time
from pathlib import Path
from gem_tasks.confine import means, inside
from gem_tasks.confine.job import Job
from gem_tasks.confine.launch import started
if sys.argv[1] == "landlock":
    means.best = lambda: means._landlock(inside.abi())
code = "import time; print('ready', flush=True); time.sleep(987654)"
job = Job(command=(sys.executable, "-I", "-c", code), folder=Path(sys.argv[2]))
with started(job, "auto", stdout=subprocess.PIPE) as process:
    print(process.stdout.readline().decode(), flush=True)
    time.sleep(1000)
"""


def test_it_ends_when_we_are_killed(way, tmp_path):
    with subprocess.Popen([sys.executable, "-c", STARTER, way, str(tmp_path)], stdout=subprocess.PIPE) as ours:
        assert ours.stdout.readline() == b"ready\n"
        assert daemons()
        ours.send_signal(signal.SIGKILL)
    assert gone()


def test_it_cannot_take_more_than_its_limits(way, run):
    limits = Limits(memory_gb=0.25, processes=64, open_files=64, file_gb=0.01)
    code = """
import os, threading
def tried(what):
    try: what(); return True
    except (MemoryError, OSError, RuntimeError): return False
def file():
    import signal
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with open("large", "wb") as out: [out.write(b"x" * 1000000) and out.flush() for _ in range(20)]
def threads():
    stop = threading.Event()
    made = [threading.Thread(target=stop.wait) for _ in range(5000)]
    try: [each.start() for each in made]
    finally: stop.set()
print(tried(lambda: bytearray(1 << 29)), tried(lambda: [open("/dev/null") for _ in range(100)]), tried(file))
"""
    assert run(code, limits=limits)[0].split() == ["False", "False", "False"]
    if way == "namespaces":  # else our own processes of the same user count, and root's are not counted
        said, _ = run(code.replace("print(", "tried(threads) and print('ALL') #"), limits=limits)
        assert "ALL" not in said


@pytest.mark.parametrize(
    "left",
    [
        lambda path: path.symlink_to("/etc/passwd"),
        lambda path: path.symlink_to("mine"),
        lambda path: os.mkfifo(path),
        lambda path: path.symlink_to("/etc", target_is_directory=True),
        lambda path: path.write_bytes(b"x" * 101),
    ],
)
def test_what_it_leaves_is_looked_at_before_it_is_read(tmp_path, left):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "mine").write_text("x")
    require_plain(tmp_path, 100)
    left(tmp_path / "deep" / "found")
    with pytest.raises(TamperedError):
        require_plain(tmp_path, 100)
    if (tmp_path / "deep" / "found").is_file() and not (tmp_path / "deep" / "found").is_symlink():
        return
    job = Job(command=(sys.executable, "-c", ""), folder=tmp_path)
    with pytest.raises(TamperedError), started(job, "auto"):
        pass


def test_what_lies_in_memory_is_bounded_too(run, monkeypatch):
    confine_by("namespaces", monkeypatch)
    code = """
for place in ("/tmp", "/dev/shm", "/dev", "/", "/run/gem"):
    try:
        with open(place + "/x", "wb", buffering=0) as out: print([out.write(b"x" * 10**6) for _ in range(20)] and "ALL")
    except OSError: print("refused")
"""
    assert run(code, limits=Limits(scratch_gb=0.01))[0].split() == ["refused"] * 5


def test_a_deployment_that_requires_a_sandbox_runs_nothing_without(tmp_path, monkeypatch):
    monkeypatch.setattr(means, "best", means._limits_only)
    job = Job(command=(sys.executable, "-c", "open('ran', 'w')"), folder=tmp_path)
    with pytest.raises(UserError, match="GEM_SANDBOX=require"), started(job, "require"):
        pass
    assert not (tmp_path / "ran").exists()
    with started(job, "auto") as process:
        assert process.wait(LIMIT_S) == 0
    assert (tmp_path / "ran").exists()


def test_where_we_are_root_it_is_another_user(run, monkeypatch):
    confine_by("namespaces", monkeypatch)
    if os.geteuid():
        pytest.skip("we are not root")
    assert run("import os; print(os.getuid(), os.getgid(), os.getgroups())")[0].split() == ["64999", "64999", "[]"]
