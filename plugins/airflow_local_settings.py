"""Imports in a worker, once, what each of its tasks needs: Airflow reads this module as any of its processes starts.

A task is a fork of a worker, and finds imported what the worker has imported; otherwise each task spends about a
second of CPU on it. Only modules that start no thread as they are imported may stand here, because a fork copies none:
pyarrow and NumPy stay with the tasks. After a change of GEM's code, restart the workers.

Airflow reads one module of this name. If a deployment has its own, with policies, this one hands its names on.
"""

import os
import runpy
import sys
from importlib import import_module
from pathlib import Path

_OWN = Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser() / "config" / "airflow_local_settings.py"
_policies = runpy.run_path(str(_OWN)) if _OWN.exists() else {}
__all__ = tuple(_policies.get("__all__", [name for name in _policies if not name.startswith("__")]))  # pyright: ignore[reportUnsupportedDunderAll]
globals().update({name: _policies[name] for name in __all__})

_WORKERS = {"scheduler", "worker"}
"""`airflow scheduler`, whose children are the LocalExecutor's workers, and `airflow celery worker`."""

if _WORKERS & set(sys.argv[1:3]):
    for _module in (
        "airflow.sdk.execution_time.task_runner",
        "gem_tasks.checks",
        "gem_tasks.connections",
        "gem_tasks.lineage",
        "gem_tasks.llm.batch.client",
        "gem_tasks.llm.client",
        "gem_tasks.settings",
        "gem_tasks.stages",
    ):
        import_module(_module)
