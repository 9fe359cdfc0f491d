"""What holds for every test: no connection but event loops' own, and the same made-up examples every time."""

import hypothesis
import pytest
from pytest_socket import disable_socket, enable_socket

hypothesis.settings.register_profile("gem", deadline=None, print_blob=True, derandomize=True)
hypothesis.settings.load_profile("gem")


@pytest.fixture(autouse=True)
def no_network():
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()
