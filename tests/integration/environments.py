"""Where the environments of training and harnesses are installed."""

import os
from pathlib import Path

HOME = Path(__file__).parents[2] / ".gem"
"""That of `make`: it has uv, and what is installed there once is kept."""
SMALL_TORCH = bool(os.environ.keys() & {"PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"})
"""Somebody has said where a build for CPUs is; the index's own brings 5 GB of CUDA."""
