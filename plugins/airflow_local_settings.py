"""Imports in a worker, once, what each of its tasks needs: Airflow reads this module as any of its processes starts.

A task is a fork of a worker, and finds imported what the worker has imported; otherwise each task spends about a
second of CPU on it. Only modules that start no thread as they are imported may stand here, because a fork copies none:
pyarrow and NumPy stay with the tasks. After a change of GEM's code, restart the workers.
"""

import sys
from importlib import import_module

__all__ = ()  # Airflow would take other names for settings of its own

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
