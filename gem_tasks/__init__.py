"""GEM: validated tool-use trajectories from ordinary text.

For notebooks and scripts (docs/python-api.md):

    synthesize(texts)       makes trajectories from texts, through all stages
    check(rows)             the deterministic checks on conversations with tools
    export(folder)          published trajectories as a file for training
    load()                  Settings from the environment and from what `gem up` wrote

Python imports each name at first use, so `import gem_tasks` itself loads nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gem_tasks.notebook import check, export, synthesize
    from gem_tasks.settings import Settings, load

__all__ = ["Settings", "check", "export", "load", "synthesize"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{'settings' if name in ('Settings', 'load') else 'notebook'}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
