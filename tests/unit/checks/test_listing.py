"""The listing of `gem_tasks/checks` is the list of checks, each called like its id; what they read with is apart."""

from importlib import import_module
from pkgutil import iter_modules

import gem_tasks.checks
from gem_tasks.checks import CHECKS

NO_CHECK = {"faults", "reading"}


def test_every_module_is_a_registered_check_of_its_own_name():
    listed = {module.name for module in iter_modules(gem_tasks.checks.__path__)} - NO_CHECK
    assert listed == set(CHECKS)
    for name in listed:
        module = import_module(f"gem_tasks.checks.{name}")
        assert (module.CHECK, module.check) == (name, CHECKS[name])
