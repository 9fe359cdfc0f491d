"""Which failures to reach the lineage may pass by themselves."""

import pytest

from gem_tasks.errors import UnavailableError, UserError
from gem_tasks.lineage import Ledger
from tests.services import free_port


def refused(dsn):
    with pytest.raises(UserError, match="cannot be reached") as error, Ledger(dsn):
        pass
    return type(error.value)


def test_no_server_may_be_one_that_restarts(dsn):
    assert refused(f"postgresql://gem:x@127.0.0.1:{free_port()}/gem") is UnavailableError


def test_a_refused_login_or_a_missing_database_stays_one(dsn):
    host = dsn.rpartition("@")[2].partition("/")[0]
    assert refused(f"postgresql://gem:wrong@{host}/gem") is UserError
    assert refused(f"{dsn}_missing") is UserError
