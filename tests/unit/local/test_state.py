"""Ports of services that start at the same moment."""

import subprocess
import sys

import pytest

from gem_tasks.local.state import State, settle_ports

_ANOTHER = """
from gem_tasks.local.state import State, settle_ports
state = State()
settle_ports(state)
print(*state.ports.values(), flush=True)
input()
"""


@pytest.mark.enable_socket
def test_two_starts_at_once_choose_different_ports():
    """The services of neither listen yet, so only what the other has chosen tells them apart."""
    with subprocess.Popen([sys.executable, "-c", _ANOTHER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdin and other.stdout
        theirs = {int(port) for port in other.stdout.readline().split()}
        state = State()
        settle_ports(state)
        other.stdin.write("\n")
        other.stdin.flush()
    assert len(theirs) == 4
    assert not theirs & set(state.ports.values())
