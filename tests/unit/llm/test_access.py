"""What shows an endpoint who asks: which header, and keys that a command prints."""

import asyncio
import base64
import json
import sys
import time

import pytest

from gem_tasks import redaction
from gem_tasks.domain.key_source import KeyCommand
from gem_tasks.errors import Complaint, UserError
from gem_tasks.llm import key_command
from gem_tasks.llm.access import Access
from gem_tasks.llm.key_command import read_key

TOKEN = "eyJhbGciOiJub25lIn0.eyJhIjoxfQ.c2ln"


@pytest.fixture(autouse=True)
def nothing_known():
    key_command._known.clear()


@pytest.mark.parametrize(
    ("url", "api", "key", "headers"),
    [
        ("https://api.openai.com/v1", "openai", "k", {"Authorization": "Bearer k"}),
        ("http://localhost:8000/v1", "openai", None, {}),
        ("https://me.openai.azure.com/openai/v1", "openai", "k", {"api-key": "k"}),
        ("https://me.cognitiveservices.azure.com/openai/deployments/d?api-version=1", "openai", "k", {"api-key": "k"}),
        ("https://me.openai.azure.com/openai/v1", "openai", TOKEN, {"Authorization": f"Bearer {TOKEN}"}),
        ("https://api.anthropic.com/v1", "anthropic", "k", {"x-api-key": "k", "anthropic-version": "2023-06-01"}),
        ("https://azure.com.example/v1", "openai", "k", {"Authorization": "Bearer k"}),
    ],
)
def test_the_key_goes_where_the_endpoint_looks_for_it(url, api, key, headers):
    assert Access(url, key, api).headers == headers


def test_a_header_of_the_user_is_left_to_them():
    given = {"X-Api-Key": "mine", "Anthropic-Version": "2026-10-21"}
    assert Access("https://api.anthropic.com/v1", "k", "anthropic", given).headers == given


def test_a_key_that_would_break_out_of_its_header_is_refused():
    with pytest.raises(UserError, match="characters that HTTP headers do not allow"):
        Access("https://host/v1", "k\r\nX: y", "openai")


def test_a_refusal_that_names_another_header_has_the_key_sent_there_once():
    access = Access("https://gateway.corp/openai/v1", "k", "openai")
    said = Complaint(text="Access denied due to missing subscription key.")
    assert asyncio.run(access.another(access.headers, said))
    assert access.headers == {"api-key": "k"}
    assert not asyncio.run(access.another(access.headers, said))


def test_a_refusal_of_the_key_itself_changes_nothing():
    access = Access("https://api.openai.com/v1", "k", "openai")
    assert not asyncio.run(access.another(access.headers, Complaint(text="Incorrect API key provided: k.")))


def command(code):
    return KeyCommand((sys.executable, "-c", code))


def test_a_command_prints_the_key_and_is_run_again_for_one_that_is_refused(tmp_path):
    count = tmp_path / "count"
    code = f"""
from pathlib import Path
count = Path({str(count)!r})
with count.open("a") as file:
    file.write("x")
print("Minted-key-12345-" + str(count.stat().st_size))
"""
    access = Access("https://host/v1", command(code), "openai")
    assert access.due
    assert access.headers == {}
    asyncio.run(access.renew())
    assert access.headers == {"Authorization": "Bearer Minted-key-12345-1"}
    assert not access.due
    assert "Minted-key" not in redaction.clean("an endpoint says: Minted-key-12345-1 is expired")
    other = Access("https://host/v1", command(code), "openai")
    asyncio.run(other.renew())
    assert other.headers == access.headers, "clients of a process have a key in common"
    assert asyncio.run(access.another(access.headers, Complaint(text="expired")))
    assert access.headers == {"Authorization": "Bearer Minted-key-12345-2"}


def test_a_command_that_prints_the_same_again_is_not_asked_for_ever():
    access = Access("https://host/v1", command("print('same')"), "openai")
    asyncio.run(access.renew())
    assert not asyncio.run(access.another(access.headers, Complaint(text="no")))


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("import sys; print('secret', file=sys.stderr); sys.exit(3)", "ended with exit code 3"),
        ("print()", "printed no key"),
        ("print('two words')", "printed no key"),
        ("print('{\"expires_in\": 5}')", "printed no key"),
    ],
)
def test_a_command_that_prints_none_is_one_line_without_what_it_said(code, told):
    with pytest.raises(UserError, match=told) as raised:
        asyncio.run(Access("https://host/v1", command(code), "openai").renew())
    assert "secret" not in str(raised.value)


def test_a_command_that_is_not_there_is_one_line():
    with pytest.raises(UserError, match="'no-such-program' cannot be run"):
        asyncio.run(Access("https://host/v1", KeyCommand(("no-such-program",)), "openai").renew())


def test_a_command_that_hangs_is_ended(monkeypatch):
    monkeypatch.setattr(key_command, "_LIMIT_S", 0.2)
    with pytest.raises(UserError, match="did not finish within"):
        asyncio.run(Access("https://host/v1", command("import time; time.sleep(60)"), "openai").renew())


def jwt(**claims):
    return "eyJhbGciOiJub25lIn0." + base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=") + ".sig"


@pytest.mark.parametrize(
    ("output", "text", "lasts_s"),
    [
        ("plain\n", "plain", 300),
        ('{"access_token": "a", "expires_in": 3600, "token_type": "Bearer"}', "a", 3540),
        ('{"accessToken": "a", "expiresOn": "2020-01-01 00:00:00.000000", "expires_on": %d}', "a", 940),
        ('{"token": "a", "expires_at": "2020-01-01T00:00:00Z"}', "a", 0),
    ],
)
def test_a_key_is_used_until_a_minute_before_it_expires(output, text, lasts_s):
    output = output % (time.time() + 1000) if "%d" in output else output
    found = read_key(output, KeyCommand(("c",)))
    assert (found.text, found.until - time.time()) == (text, pytest.approx(lasts_s, abs=2))


def test_a_json_web_token_says_itself_when_it_expires():
    token = jwt(exp=time.time() + 1000)
    assert read_key(token, KeyCommand(("c",))).until - time.time() == pytest.approx(940, abs=2)
    assert read_key(jwt(sub="x"), KeyCommand(("c",))).until - time.time() == pytest.approx(300, abs=2)
