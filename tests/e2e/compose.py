"""docker-compose.yml under a project, secrets and volumes of its own, with a teacher beside it.

GEM_COMPOSE          the command; default `docker compose`
GEM_COMPOSE_FILES    more compose files, separated by `:`: images of a registry of your own, or stand-ins
GEM_COMPOSE_ENV      a file of variables that replace those made here
GEM_COMPOSE_KEEP     services that are not stopped with the others: stand-ins with memory for a disk
"""

import base64
import json
import os
import re
import secrets
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
AIRFLOW = ("init", "api-server", "scheduler", "dag-processor", "triggerer", "worker", "gem")
_LIMIT_S = 900


class Deployment:
    """Built and started; `remove` takes it away with its volumes.

    Args:
        folder: where its files lie.
        settings: variables for all of Airflow's services.
    """

    def __init__(self, folder: Path, settings: dict[str, str]) -> None:
        self._env, self._override = folder / "env", folder / "override.yml"
        self._env.write_text(filled(), encoding="utf-8")
        self._settings = settings
        self.answer("")
        files = [
            "docker-compose.yml",
            *filter(None, os.environ.get("GEM_COMPOSE_FILES", "").split(":")),
            self._override,
        ]
        envs = [self._env, *filter(None, [os.environ.get("GEM_COMPOSE_ENV")])]
        self.command = [*compose_command(), "--project-name", f"gem-test-{secrets.token_hex(3)}"]
        self.command += [word for env in envs for word in ("--env-file", str(env))]
        self.command += [word for file in files for word in ("--file", str(file))]

    def answer(self, faults: str) -> None:
        """How the teacher answers from the next start on, in its own words: `latency_s=2`."""
        teacher = ["python", "-m", "offline_teacher", "--port", "18100", "--host", "0.0.0.0"]
        services = {name: {"environment": self._settings} for name in AIRFLOW}
        services["teacher"] = {
            "image": "gem:local",  # which has no teacher of its own
            "networks": ["gem"],
            "volumes": [f"{ROOT / 'teacher'}:/opt/teacher:ro"],
            "environment": {"PYTHONPATH": "/opt/teacher"},
            "command": [*teacher, "--faults", faults],
        }
        self._override.write_text(json.dumps({"services": services}), encoding="utf-8")  # JSON is YAML

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """One command of compose to its end."""
        done = subprocess.run(
            [*self.command, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=_LIMIT_S, check=False
        )
        if check:
            assert done.returncode == 0, f"{arguments}\n{done.stdout[-2000:]}{done.stderr[-2000:]}{self.state()}"
        return done

    def gem(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """`gem …`, as docs/operations.md shows it."""
        return self.run("run", "--rm", "-T", "gem", *arguments, check=check)

    def start_gem(self, *arguments: str) -> subprocess.Popen[str]:
        """The same, not waited for."""
        command = [*self.command, "run", "--rm", "-T", "gem", *arguments]
        return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def python(self, code: str) -> str:
        """Runs Python beside the services, in the image and with the variables of `gem`; returns what it printed."""
        return self.run("exec", "-T", "worker", "python", "-c", code).stdout.strip()

    def query(self, sql: str, database: str = "gem") -> list[list[str]]:
        """Rows of Postgres, as text."""
        psql = ("psql", "-U", "gem", "-d", database, "-At", "-F", "\t", "-c", sql)
        return [line.split("\t") for line in self.run("exec", "-T", "postgres", *psql).stdout.splitlines()]

    def start(self) -> None:
        """Everything, until every health check is content."""
        self.run("up", "--detach", "--wait", "--wait-timeout", str(_LIMIT_S - 60))

    def stop(self) -> None:
        """Takes all containers away; the volumes stay."""
        kept = os.environ.get("GEM_COMPOSE_KEEP", "").split()
        if not kept:
            self.run("down")
            return
        others = [name for name in self.run("config", "--services").stdout.split() if name not in kept]
        self.run("rm", "--stop", "--force", *others)

    def state(self) -> str:
        """What each service is doing, and the last that the unhealthy ones said."""
        listed = subprocess.run([*self.command, "ps", "--all"], cwd=ROOT, capture_output=True, text=True, check=False)
        logs = subprocess.run(
            [*self.command, "logs", "--tail", "8", "--no-color"], cwd=ROOT, capture_output=True, text=True, check=False
        )
        return f"\n{listed.stdout}\n{logs.stdout[-6000:]}"

    def remove(self) -> None:
        """Containers, network and volumes."""
        self.run("--profile", "*", "down", "--volumes", "--timeout", "5", check=False)


def compose_command() -> list[str]:
    """Docker Compose, as this machine has it."""
    return shlex.split(os.environ.get("GEM_COMPOSE", "docker compose"))


def filled() -> str:
    """`.env.example` with every secret made and the teacher as the model."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    text = re.sub(r"(?m)^(\w*(?:PASSWORD|SECRET\w*))=$", lambda match: f"{match[1]}={secrets.token_urlsafe(16)}", text)
    made = {
        "AIRFLOW_FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "GEM_LLM_BASE_URL": "http://teacher:18100/v1",
        "GEM_LLM_MODEL": "offline-rules",
        "AIRFLOW_PORT": "0",
    }
    return re.sub(
        r"(?m)^(\w+)=.*$", lambda match: f"{match[1]}={made[match[1]]}" if match[1] in made else match[0], text
    )


def unusable() -> str | None:
    """Why containers cannot be tested on this machine; None when they can."""
    try:
        for command in (["docker", "info"], [*compose_command(), "version"]):
            if subprocess.run(command, capture_output=True, check=False).returncode:
                return f"`{shlex.join(command)}` fails"
    except FileNotFoundError as error:
        return f"there is no `{error.filename}`"
    with tempfile.TemporaryDirectory() as folder:
        images = set(Deployment(Path(folder), {}).run("config", "--images").stdout.split()) - {"gem:local"}
    bases = set(re.findall(r"(?m)^FROM (\S+)", (ROOT / "Dockerfile").read_text(encoding="utf-8"))) - {"scratch"}
    for image in sorted(images | bases):
        here = subprocess.run(["docker", "image", "inspect", image], capture_output=True, check=False).returncode == 0
        if not here and subprocess.run(["docker", "pull", "-q", image], capture_output=True, check=False).returncode:
            return f"the image {image} cannot be fetched"
    return None


def wait(condition, limit_s: float = _LIMIT_S):
    """What `condition` returns once it is true.

    Raises:
        AssertionError: it has not been for `limit_s` seconds.
    """
    deadline = time.monotonic() + limit_s
    while not (found := condition()):
        assert time.monotonic() < deadline, "not in time"
        time.sleep(1)
    return found


if __name__ == "__main__":
    sys.exit(unusable())
