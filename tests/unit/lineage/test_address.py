"""A DSN's password never reaches a message, even when the DSN is malformed."""

import pytest

from gem_tasks.errors import UserError
from gem_tasks.lineage.address import refuse_malformed, unreachable

SOUND = [
    "postgresql://gem:hush@127.0.0.1:5432/gem",
    "postgres://gem:hush@db/gem?sslmode=require",
    "postgresql://gem:hu%2Fs%40h@a,b:5432,5433/gem",
    "host=db dbname=gem password=hush",
]
MALFORMED = [
    "postgresql://gem:hu/sh@127.0.0.1:5432/gem",
    "postgresql://gem:hu%sh@127.0.0.1:5432/gem",
    "postgresql://gem:hu@sh@127.0.0.1:5432/gem",
    "postgresql://gem:hush@127.0.0.1:port/gem",
    "mysql://gem:hush@127.0.0.1/gem",
    "hush",
]


@pytest.mark.parametrize("dsn", SOUND)
def test_an_address_that_libpq_reads_is_taken_and_named_without_the_password(dsn):
    refuse_malformed(dsn)
    line = str(unreachable(dsn, OSError("first line\n\tand the reason")))
    assert "/gem cannot be reached (and the reason)" in line
    assert "hu" not in line


@pytest.mark.parametrize("dsn", MALFORMED)
def test_an_address_with_an_unescaped_password_is_refused_without_quoting_it(dsn):
    with pytest.raises(UserError, match="%2F for /") as error:
        refuse_malformed(dsn)
    assert not any(piece in str(error.value) for piece in ("hu", "sh@", "gem:"))
