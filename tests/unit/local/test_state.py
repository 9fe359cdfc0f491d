"""Ports of services that start at the same moment."""

import subprocess
import sys

_STARTS = """
from gem_tasks.local.state import State, settle_ports
state = State()
settle_ports(state)
print(*state.ports.values(), flush=True)
input()
"""


def test_two_starts_at_once_choose_different_ports():
    """The services of neither listen yet, so only what the other has chosen tells them apart."""
    command = [sys.executable, "-c", _STARTS]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout
        theirs = first.stdout.readline().split()
        second = subprocess.run(command, input="\n", capture_output=True, text=True, check=True)
        first.communicate("\n")
    assert len(theirs) == 4
    assert not set(theirs) & set(second.stdout.split())
