"""The first program in the check's sandbox: finds the packages that it needs without seeing the folders around them.

python -I -S begin.py CPU_S MODEL_FOLDER SHARED TRUSTED NAME=FOLDER …          packages in the order of their use
"""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType


def add(name: str, folder: str) -> None:
    """Imports a package from its folder; those above it become empty names."""
    above = ""
    for part in name.split(".")[:-1]:
        above = f"{above}.{part}".lstrip(".")
        sys.modules.setdefault(above, ModuleType(above)).__path__ = []
    spec = spec_from_file_location(name, f"{folder}/__init__.py", submodule_search_locations=[folder])
    if spec is None or spec.loader is None:
        raise ImportError(name)
    sys.modules[name] = module = module_from_spec(spec)
    spec.loader.exec_module(module)


if __name__ == "__main__":
    cpu_s, model, shared, trusted, *packages = sys.argv[1:]
    for package in packages:
        add(*package.split("=", 1))
    from gem_tasks.distill.inspection.inside import main

    main(cpu_s, model, shared, trusted)
