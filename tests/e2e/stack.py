"""The embedded stack as a user drives it: its commands, its logs, its database."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psycopg

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "corpus"
PLANTED = "sk-planted-0f3d9a51c7"
"""The key for the LLM, which nothing may keep."""
PROXIES = {"HTTP_PROXY": "http://127.0.0.1:9", "all_proxy": "socks5://127.0.0.1:9", "NO_PROXY": "10.0.0.0/8,[::1]"}
"""Of no use to anybody: what is on this machine must not be asked of them, and all of the stack is."""
ONE = {"GEM_MAX_WORKFLOWS": "1"}
"""One conversation a text: tests of several are in `tests/integration`."""
GEM = Path(sys.executable).with_name("gem")


def gem(home, *arguments, check=True, **variables):
    env = {
        name: value for name, value in os.environ.items() if not name.startswith(("GEM_", "AIRFLOW")) and name != "HOME"
    }
    done = subprocess.run(
        [GEM, *map(str, arguments)],
        env={**env, **PROXIES, "GEM_HOME": str(home), "GEM_LLM_API_KEY": PLANTED, **ONE, **variables},
        umask=0o077,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    if check:
        assert done.returncode == 0, f"gem {arguments}: {done.stdout[-2000:]}{done.stderr[-4000:]}{logs(home)}"
    return done


def logs(home):
    """The ends of the services' logs: what a failing test is explained by."""
    return "".join(
        f"\n--- {path.name}\n{path.read_text(errors='replace')[-1500:]}" for path in (home / "logs").glob("*.log")
    )


def connect(home, database="gem"):
    dsn = next(
        line.split("=", 1)[1].strip("'")
        for line in (home / "services.env").read_text().splitlines()
        if line.startswith("GEM_POSTGRES_DSN")
    )
    return psycopg.connect(dsn.rpartition("/")[0] + f"/{database}")


def query(home, sql, *values):
    with connect(home) as connection:
        return connection.execute(sql, values).fetchall()


def change(home, sql, *values):
    with connect(home) as connection:
        connection.execute(sql, values)


def wait(condition, complaint, limit_s=120):
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, complaint
        time.sleep(0.3)
