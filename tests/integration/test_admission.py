"""Where a run may send questions and keys."""

import pytest

from gem_tasks.errors import UserError
from gem_tasks.evals.admission import admit

ALLOWED = ("https://models.example:8443/team/", "http://127.0.0.1:8000", "https://strasse.example/")


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
    with pytest.raises(UserError, match="provide credentials"):
        admit(url)


@pytest.mark.parametrize("url", ["", "file:///etc/passwd", "//host/v1", "https://user:secret@host/v1", "gopher://host"])
def test_what_is_no_address_is_said(url):
    with pytest.raises(UserError, match="is not the URL of a server"):
        admit(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://models.example:8443/team/%2e%2e/admin",
        "https://models.example:8443/team/%2E%2e/admin",
        "https://models.example:8443/team/%252e%252e/admin",
        "https://models.example:8443/team/..%2fadmin",
        "https://models.example:8443/team/..;/admin",
        "https://models.example:8443/team/..\\admin",
        "https://models.example:8443/team//../admin",
        "https://models.example:8443/team/\t../admin",
        "https://models.example:8443\\@evil.example/team/",
        "https://models.example:8443#@evil.example/team/",
        "https://models.example:8443%2f@evil.example/team/",
        "https://models.example:08443x/team/",
        "https://models.example:8443/team/\uff0e\uff0e/admin",
        "https://models.example:8443/team/\u2025/admin",
        "https://models.example:8443/team/%c0%ae%c0%ae/admin",
        "https://models.example:8443/team/%u002e%u002e/admin",
        "https://models.example:8443//team/v1",
        "https://stra\xdfe.example/v1",
        "https://\u24dcodels.example:8443/team/",
        "https://models\u00ad.example:8443/team/",
        "http://127.0.0.1:8000/v1/%00/../x",
        "http://127.0.0.1:8000\n.evil.example/v1",
    ],
)
def test_a_url_that_climbs_or_can_be_read_in_two_ways_may_not_be_asked(url):
    with pytest.raises(UserError, match=r"is not the URL of a server|no endpoint|is not an endpoint"):
        admit(url, ALLOWED)


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://models.example/team/v1", "https://models.example:443/team"),
        ("HTTPS://Models.Example.:443/team", "https://models.example/team/"),
        ("https://models.example/%74eam/v1", "https://models.example/team/"),
        ("https://modèles.example/v1", "https://xn--modles-5ua.example/v1"),
        ("http://[::1]:8000/v1?api-version=1", "http://[::1]:8000"),
    ],
)
def test_the_same_address_written_differently_is_the_same(url, allowed):
    assert admit(url, [allowed]) == url


@pytest.mark.parametrize(
    "host",
    [
        "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::169.254.169.254]",
        "[64:ff9b:1:a9fe:a9:fe00::]",
        "[64:ff9b:1:a9:fe:a9fe::]", "[64:ff9b:1:0:a9:fea9:fe00:0]", "[::ffff:0:169.254.169.254]",
        "[2002:a9fe:a9fe::1]", "[::a9fe:a9fe]",
        "[2001:0:a9fe:a9fe::1]", "[2001:0:4136:e378:8000:63bf:5601:5601]", "[fe80::5efe:169.254.169.254]",
        "[2001:db8::5efe:169.254.169.254]", "[fd20:ce::254]", "[fd00:42::42]", "192.0.0.192", "168.63.129.16",
        "[64:ff9b::168.63.129.16]", "224.0.0.1", "metadata.google.internal", "METADATA.google.internal.",
    ],
)  # fmt: skip
def test_the_credentials_of_a_machine_hide_behind_no_other_notation(host):
    with pytest.raises(UserError, match="provide credentials"):
        admit(f"http://{host}/v1")


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]", "10.1.2.3", "[fd12::1]", "[64:ff9b::8.8.8.8]", "[64:ff9b:1:808:8:800::]", "8.8.8.8"]
)
def test_servers_of_ones_own_and_of_others_may_be_asked(host):
    assert admit(f"http://{host}:8000/v1") == f"http://{host}:8000/v1"
