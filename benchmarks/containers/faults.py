"""What can go wrong with one container: each fault breaks something, waits, and fixes it."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter

from benchmarks.containers.stack import Stack

WEIGHTS = {
    "kill worker": 10, "cut worker": 10, "freeze worker": 6, "disk worker": 8, "clock worker": 8, "kill scheduler": 5,
    "kill api-server": 5, "kill triggerer": 3, "kill dag-processor": 3, "kill postgres": 5, "kill redis": 4,
    "kill teacher": 6, "freeze s3": 6, "cut scheduler": 3, "cut api-server": 3,
}  # fmt: skip
SECONDS = {"cut": (5, 100), "freeze": (2, 20), "disk": (3, 15), "clock": (5, 30)}
"""How long a fault lasts. A cut may outlast the heartbeat of a task, which another worker then takes up."""


def docker(*arguments: str) -> str:
    """The output of an engine's command."""
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True).stdout.strip()


class Injector(threading.Thread):
    """Breaks something every few seconds until it is stopped or has broken enough; faults may overlap.

    Args:
        deployed: the deployment.
        number: maximum number of faults.
        every: mean seconds between the beginnings of two.
        seed: the same seed gives the same kinds in the same order; which container each hurts is random.
    """

    def __init__(self, deployed: Stack, number: int, every: float, seed: int) -> None:
        super().__init__(daemon=True)
        self.deployed, self.every, self.random = deployed, every, random.Random(seed)
        self.plan = self.random.choices(list(WEIGHTS), weights=list(WEIGHTS.values()), k=number)
        self.done: Counter[str] = Counter()
        self.over = threading.Event()

    def run(self) -> None:
        """Works through the plan and waits for its last faults; they may overlap."""
        under_way: list[threading.Thread] = []
        for kind in self.plan:
            if self.over.wait(self.random.expovariate(1 / self.every)):
                break
            seconds = self.random.uniform(*SECONDS.get(kind.split()[0], (0, 0)))
            under_way.append(threading.Thread(target=self.fault, args=(kind, seconds), daemon=True))
            under_way[-1].start()
        for each in under_way:
            each.join()

    def fault(self, kind: str, seconds: float) -> None:
        """One fault, to its end; one that cannot be made is told and not counted."""
        how, service = kind.split()
        try:
            container = random.choice(self.deployed.containers(service))
            print(f"# {kind} {container[:12]} {seconds:.0f} s", file=sys.stderr, flush=True)
            {"kill": kill, "cut": cut, "freeze": freeze, "disk": fill, "clock": jump}[how](container, seconds)
            self.done[kind] += 1
        except (subprocess.CalledProcessError, OSError, AssertionError, IndexError) as error:
            print(f"# {kind} could not be done: {error!r}"[:300], file=sys.stderr, flush=True)


def kill(container: str, _: float = 0) -> None:
    """SIGKILL to its first process from the host: the engine restarts it, as after a crash."""
    process = int(docker("inspect", "--format", "{{.State.Pid}}", container))
    if not process:  # it is between two lives, and 0 would be this process's own group
        raise ProcessLookupError(container)
    os.kill(process, signal.SIGKILL)


def cut(container: str, seconds: float) -> None:
    """Takes it off the network and back, with the names that it had."""
    networks = json.loads(docker("inspect", "--format", "{{json .NetworkSettings.Networks}}", container))
    for name in networks:
        docker("network", "disconnect", "--force", name, container)
    time.sleep(seconds)
    for name, was in networks.items():
        aliases = [word for alias in was["Aliases"] or () for word in ("--alias", alias)]
        docker("network", "connect", *aliases, name, container)


def freeze(container: str, seconds: float) -> None:
    """Stops all its processes, as a host that hangs does."""
    docker("pause", container)
    time.sleep(seconds)
    docker("unpause", container)


def fill(container: str, seconds: float) -> None:
    """Fills its disk to the last byte."""
    code = f"cat /dev/zero > /var/lib/gem/filler 2>/dev/null; sleep {seconds:.0f}; rm /var/lib/gem/filler"
    docker("exec", container, "sh", "-c", code)


def jump(container: str, seconds: float) -> None:
    """Its clock is wrong by minutes or hours; monotonic clocks are not."""
    by = random.choice(("-3600", "+3600", "-90", "+90"))
    docker("exec", container, "sh", "-c", f"echo {by} > /tmp/clock; sleep {seconds:.0f}; echo +0 > /tmp/clock")
