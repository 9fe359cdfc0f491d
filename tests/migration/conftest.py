"""The same Postgres as the integration tests use, and databases that nothing has migrated yet."""

from uuid import uuid4

import pytest


@pytest.fixture(autouse=True)
def only_defaults(no_user_settings):
    """No test sees the settings of the environment."""


@pytest.fixture
def empty_dsn(postgres):
    name = f"e{uuid4().hex[:12]}"
    postgres.create_database(name)
    return postgres.dsn(name)
