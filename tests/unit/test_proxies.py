"""Which proxy a request goes through."""

import pytest

from gem_tasks.errors import UserError
from gem_tasks.proxies import for_programs, is_loopback, proxy_for, shown, without_proxies

PROXY = "http://proxy.example:3128"


@pytest.fixture(autouse=True)
def variables(monkeypatch):
    """Sets proxy variables, after taking away those of the machine."""
    for kind in ("http", "https", "all", "no"):
        for name in (f"{kind}_proxy", f"{kind.upper()}_PROXY", f"GEM_{kind.upper()}_PROXY"):
            monkeypatch.delenv(name, raising=False)

    def set_all(**values):
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return set_all


LOOPBACK = [
    "localhost", "LOCALHOST.", "teacher.localhost", "127.0.0.1", "127.8.9.10", "[::1]", "[::ffff:127.0.0.1]",
    "[0:0:0:0:0:0:0:1]", "0.0.0.0", "[::]", "127.1", "2130706433",
]  # fmt: skip


@pytest.mark.parametrize("host", LOOPBACK)
@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "GEM_HTTP_PROXY"])
@pytest.mark.parametrize("proxy", [PROXY, "socks5://proxy.example:1080", "nonsense://"])
def test_this_machine_is_never_reached_through_a_proxy(variables, host, name, proxy):
    variables(**{name: proxy, "NO_PROXY": "10.0.0.0/8,[fd00::]/8,.corp"})
    assert proxy_for(f"http://{host}:8080/v1") is None


@pytest.mark.parametrize("host", ["128.0.0.1", "localhost.example.com", "mylocalhost", "[::2]", "localhost.com", "10"])
def test_what_only_looks_like_this_machine_is_another(variables, host):
    variables(HTTP_PROXY=PROXY)
    assert not is_loopback(host)
    assert proxy_for(f"http://{host}/v1") == PROXY


@pytest.mark.parametrize(
    ("set_to", "url", "proxy"),
    [
        ({"HTTP_PROXY": PROXY}, "http://a.example/", PROXY),
        ({"HTTP_PROXY": PROXY}, "https://a.example/", None),
        ({"https_proxy": PROXY}, "https://a.example/", PROXY),
        ({"ALL_PROXY": PROXY}, "https://a.example/", PROXY),
        ({"ALL_PROXY": "socks5://b:1", "HTTPS_PROXY": PROXY}, "https://a.example/", PROXY),
        ({"HTTP_PROXY": "http://upper:1", "http_proxy": PROXY}, "http://a.example/", PROXY),
        ({"HTTP_PROXY": "http://upper:1", "http_proxy": ""}, "http://a.example/", None),
        ({"HTTP_PROXY": "http://upper:1", "GEM_HTTP_PROXY": PROXY}, "http://a.example/", PROXY),
        ({"HTTP_PROXY": "proxy.example:3128"}, "http://a.example/", PROXY),
        ({}, "http://a.example/", None),
    ],
)
def test_the_variable_of_the_scheme_counts_in_lower_case_first(variables, set_to, url, proxy):
    variables(**set_to)
    assert proxy_for(url) == proxy


@pytest.mark.parametrize(
    ("no_proxy", "host", "straight"),
    [
        ("*", "a.example", True),
        ("b.example, *", "a.example", True),
        ("example.com", "example.com", True),
        ("example.com", "api.EXAMPLE.com.", True),
        ("example.com", "notexample.com", False),
        (".example.com", "api.example.com", True),
        ("*.example.com", "api.example.com", True),
        ("api.example.com", "example.com", False),
        ("a.example b.example", "b.example", True),
        ("a.example:8000", "a.example:8000", True),
        ("a.example:8000", "a.example:9000", False),
        ("a.example:80", "a.example", True),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.1.2.3/8", "10.9.9.9", True),
        ("10.1.2.3", "10.1.2.3", True),
        ("10.1.2.3:8000", "10.1.2.3:8000", True),
        ("10.1.2.3:8000", "10.1.2.3:9000", False),
        ("fd00::/8", "[fd12::1]", True),
        ("[fd00::]/8", "[fd12::1]", True),
        ("[fd12::1]", "[fd12:0::1]", True),
        ("[fd12::1]:8000", "[fd12::1]:8000", True),
        ("fd00::/8", "10.1.2.3", False),
        ("10.0.0.0/8", "ten.example", False),
        ("bücher.example", "xn--bcher-kva.example", True),
        ("http://a.example", "a.example", True),
        (",, ,", "a.example", False),
        ("[::1,10.0.0.0/99,:", "a.example", False),
    ],
)
@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_no_proxy_names_hosts_domains_addresses_and_blocks(variables, name, no_proxy, host, straight):
    variables(**{"HTTP_PROXY": PROXY, name: no_proxy})
    assert proxy_for(f"http://{host}/v1") == (None if straight else PROXY)


@pytest.mark.parametrize(
    "proxy", ["socks5://u:secret@p:1080", "socks5h://p:1", "socks4://p:1", "ftp://p", "http://:80"]
)
def test_a_proxy_that_cannot_be_used_is_one_clear_line_without_its_password(variables, proxy):
    variables(ALL_PROXY=proxy)
    with pytest.raises(UserError, match=r"ALL_PROXY.*a\.example in NO_PROXY") as caught:
        proxy_for("https://a.example/v1")
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_port_that_is_none_is_said_without_a_traceback(variables):
    variables(HTTP_PROXY="http://u:secret@p:port")
    with pytest.raises(UserError, match="HTTP_PROXY is not the address of a proxy") as caught:
        proxy_for("http://a.example/")
    assert "secret" not in str(caught.value)


def test_airflow_sees_no_proxy_and_gem_still_does(variables, monkeypatch):
    variables(HTTP_PROXY=PROXY, all_proxy="socks5://p:1", NO_PROXY=".corp,[::1]")
    found = without_proxies({"PATH": "/bin", "HTTP_PROXY": PROXY, "Http_Proxy": "x", "no_proxy": "y"})
    assert found == {
        "PATH": "/bin", "GEM_HTTP_PROXY": PROXY, "GEM_ALL_PROXY": "socks5://p:1", "GEM_NO_PROXY": ".corp,[::1]",
    }  # fmt: skip
    for name in ("HTTP_PROXY", "all_proxy", "NO_PROXY"):
        monkeypatch.delenv(name)
    variables(**found)
    assert proxy_for("http://a.example/") == PROXY
    assert proxy_for("http://a.corp/") is None


def test_programs_of_others_are_told_under_the_usual_names(variables):
    variables(GEM_HTTPS_PROXY=PROXY, GEM_ALL_PROXY="socks5://p:1", GEM_NO_PROXY=".corp")
    found = for_programs({"PATH": "/bin", "http_proxy": "old"})
    assert found == {
        "PATH": "/bin",
        **dict.fromkeys(("https_proxy", "HTTPS_PROXY"), PROXY),
        **dict.fromkeys(("no_proxy", "NO_PROXY"), "localhost,127.0.0.1,::1,.corp"),
    }


def test_a_program_whose_addresses_are_known_gets_just_what_they_take(variables):
    variables(HTTPS_PROXY=PROXY, NO_PROXY="10.0.0.0/8", ALL_PROXY="socks5://p:1")
    found = for_programs({}, "https://a.example/v1", "http://10.1.2.3/v1")
    assert found["https_proxy"] == PROXY
    assert "http_proxy" not in found
    assert "all_proxy" not in found
    assert found["no_proxy"].split(",") == ["localhost", "127.0.0.1", "::1", "10.1.2.3"]
    with pytest.raises(UserError, match="HTTP proxies only"):
        for_programs({}, "http://b.example/v1")


def test_a_proxy_is_shown_without_its_password():
    assert shown("http://user:s3cret@proxy:3128/") == "http://proxy:3128"
