"""Imports in a worker, once, what each of its tasks needs: Airflow reads this module as any of its processes starts.

A task is a fork of a worker, and finds imported what the worker has imported; otherwise each task spends one to two
seconds of CPU on it. A fork copies no threads, so no module may start one as it is imported: NumPy and pyarrow are told
not to. After a change of GEM's code, restart the workers.

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

_WITHOUT_THREADS = {"OPENBLAS_NUM_THREADS": "1", "JE_ARROW_MALLOC_CONF": "background_thread:false"}
"""Read by NumPy's and pyarrow's libraries as they are loaded; programs that tasks start do not inherit it."""
_MODULES = (
    "airflow.sdk.execution_time.task_runner",
    "gem_tasks.checks",
    "gem_tasks.connections",
    "gem_tasks.dataset.publish",
    "gem_tasks.lineage",
    "gem_tasks.llm.batch.client",
    "gem_tasks.llm.client",
    "gem_tasks.pipeline.ingest.source",
    "gem_tasks.pipeline.judging.gating",
    "gem_tasks.pipeline.rebuild.plan",
    "gem_tasks.pipeline.shard.run",
    "gem_tasks.settings",
    "gem_tasks.stages",
    "gem_tasks.store.s3",
)

if _WORKERS & set(sys.argv[1:3]):
    _added = {name: value for name, value in _WITHOUT_THREADS.items() if name not in os.environ}
    os.environ.update(_added)
    for _module in _MODULES:
        import_module(_module)
    for _name in _added:
        del os.environ[_name]
