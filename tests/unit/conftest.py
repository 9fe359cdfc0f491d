"""Unit tests open no connection; event loops may have their internal socket pair."""

import gc
import warnings

import pytest
from pytest_socket import disable_socket, enable_socket


@pytest.fixture(autouse=True, scope="session")
def nothing_of_earlier_tests():
    """A connection that an integration test left open would fail the first test here that collects garbage."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture(autouse=True)
def no_network():
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()
