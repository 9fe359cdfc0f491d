"""Versions of the packages that a harness's environment has: those of its lock, which `environment` installs."""

import re
from functools import cache
from typing import Literal

from gem_tasks.evals.environment import EnvironmentName
from gem_tasks.resources import shipped


@cache
def locked(name: EnvironmentName | Literal["contamination"], package: str) -> str:
    """Version of a package in the lock of an environment.

    Raises:
        LookupError: the lock does not have it.
    """
    text = (shipped("envs") / name / "requirements.txt").read_text(encoding="utf-8")
    found = re.search(rf"^{re.escape(package)}==(\S+)", text, re.MULTILINE)
    if found is None:
        raise LookupError(f"{package} is not in the lock of {name}")
    return found[1]
