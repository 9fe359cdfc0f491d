"""What holds for every test."""

import hypothesis
import pytest

# The machine may be busy, and a first call may load a model: how long an example takes is not what is tested.
hypothesis.settings.register_profile("gem", deadline=None, print_blob=True)
hypothesis.settings.load_profile("gem")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Beside each other run files, not tests, so that what a file sets up is set up once; `e2e` has one stack."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            group = "stack" if item.get_closest_marker("e2e") else item.nodeid.partition("::")[0]
            item.add_marker(pytest.mark.xdist_group(group))
