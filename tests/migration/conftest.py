"""The same Postgres as the integration tests use, and databases that nothing has migrated yet."""

from uuid import uuid4

import pytest

from tests.integration.conftest import no_user_settings, postgres

__all__ = ["no_user_settings", "postgres"]


@pytest.fixture
def empty_dsn(postgres):
    name = f"e{uuid4().hex[:12]}"
    postgres.create_database(name)
    return postgres.dsn(name)
