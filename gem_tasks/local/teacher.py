"""The offline teacher: a separate distribution, which `gem up` starts if it is installed."""

import sys
from importlib.util import find_spec
from pathlib import Path

_MODULE = "offline_teacher"
INSTEAD = (
    "Set GEM_LLM_BASE_URL, or install the offline teacher (`make install` in a checkout, otherwise"
    " `pip install gem-offline-teacher`)"
)


def installed() -> bool:
    """Whether it can be started with this Python."""
    return find_spec(_MODULE) is not None


def command(port: str, state: Path) -> list[str]:
    """The command line that starts it.

    Args:
        port: where it listens, on loopback; "0" for any.
        state: the folder of its files and batches.
    """
    return [sys.executable, "-m", _MODULE, "--port", port, "--state", str(state)]
