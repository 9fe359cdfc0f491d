"""Where a run may send questions and keys."""

import pytest

from gem_tasks.errors import UserError
from gem_tasks.evals.admission import admit

ALLOWED = ("https://models.example:8443/team/", "http://127.0.0.1:8000")


@pytest.mark.parametrize(
    "url", ["https://models.example:8443/team/v1", "https://MODELS.example:8443/team", "http://127.0.0.1:8000/v1"]
)
def test_what_lies_below_an_allowed_address_may_be_asked(url):
    assert admit(url, ALLOWED) == url


@pytest.mark.parametrize(
    "url",
    [
        "https://models.example:8443/teams/v1",
        "https://models.example:8443/team/../admin",
        "https://models.example/team/v1",
        "http://models.example:8443/team/v1",
        "http://127.0.0.1:8000@evil.example/v1",
        "http://127.0.0.1:80001/v1",
        "http://127.0.0.1:8000.evil.example/v1",
    ],
)
def test_what_only_looks_like_it_may_not(url):
    with pytest.raises(UserError):
        admit(url, ALLOWED)


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest",
        "http://[fe80::1]/v1",
        "http://2852039166/v1",
        "http://0xa9fea9fe/",
        "http://[::ffff:169.254.169.254]/v1",
        "http://[fd00:ec2::254]/latest",
        "http://100.100.100.200/v1",
    ],
)
def test_addresses_that_hand_out_a_machines_credentials_are_never_asked(url):
    with pytest.raises(UserError, match="hand out credentials"):
        admit(url)


@pytest.mark.parametrize("url", ["", "file:///etc/passwd", "//host/v1", "https://user:secret@host/v1", "gopher://host"])
def test_what_is_no_address_is_said(url):
    with pytest.raises(UserError, match="no address"):
        admit(url)
