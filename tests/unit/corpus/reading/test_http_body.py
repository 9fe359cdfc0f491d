"""Bodies of archived pages: many layers and many members are refused before they cost anything."""

import gzip

import pytest

from gem_tasks.corpus.reading.http_body import BodyError, decoded_body

LIMIT = 20_000_000


def test_members_of_one_body_are_joined():
    data = b"".join(gzip.compress(part) for part in (b"<p>one", b"<p>two"))
    assert decoded_body(data, ["gzip"], [], LIMIT) == b"<p>one<p>two"


def test_a_body_of_a_million_members_is_refused():
    with pytest.raises(BodyError, match="more than 1000 members"):
        decoded_body(gzip.compress(b"") * 5_000, ["gzip"], [], LIMIT)


def test_a_body_with_layer_upon_layer_is_refused():
    with pytest.raises(BodyError, match="it names 11 codings"):
        decoded_body(gzip.compress(b"<p>"), ["gzip, " * 11], [], LIMIT)
    assert decoded_body(gzip.compress(gzip.compress(b"<p>")), ["gzip", "gzip"], [], LIMIT) == b"<p>"
