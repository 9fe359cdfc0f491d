"""Connections are values: they follow a rotated key, never outrank the deployment, and never reach the environment."""

import os
from types import SimpleNamespace

import pytest

from gem_tasks import variables
from gem_tasks.connections import values
from gem_tasks.settings import load


def connection(host=None, login=None, password=None, uri="", **extra):
    return SimpleNamespace(host=host, login=login, password=password, extra_dejson=extra, get_uri=lambda: uri)


WORLD = {
    "gem_llm": connection(host="http://llm/v1", password="old-key", api="anthropic", extra_headers={"X-Team": "a"}),
    "gem_store": connection(url="s3://one/p", login="id", password="secret", endpoint_url="http://minio"),
    "gem_postgres": connection(uri="postgres://u:p@one/gem"),
}


@pytest.fixture(autouse=True)
def empty(monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.startswith(("GEM_", "AWS_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GEM_HOME", str(tmp_path))


def test_connections_are_settings_and_leave_the_environment_alone():
    before = dict(os.environ)
    settings = load(values(WORLD.get, os.environ))
    assert settings.database == "postgresql://u:p@one/gem"
    assert settings.store_root == "s3://one/p"
    assert settings.endpoint_for("filter") == "http://llm/v1"
    assert settings.key_for("filter") == "old-key"
    assert settings.options_for("filter").headers == {"X-Team": "a"}
    assert settings.options_for("filter").api == "anthropic"
    assert settings.s3.endpoint_url == "http://minio"
    assert settings.s3.access_key_id == "id"
    assert settings.s3.secret_access_key.get_secret_value() == "secret"
    assert dict(os.environ) == before


def test_a_rotated_key_and_a_store_elsewhere_are_seen_at_the_next_look():
    rotated = WORLD | {
        "gem_llm": connection(host="http://llm/v1", password="new-key"),
        "gem_store": connection(url="s3://two"),
    }
    settings = load(values(rotated.get, os.environ))
    assert settings.key_for("filter") == "new-key"
    assert settings.s3.endpoint_url is None, "an endpoint that the Connection no longer names"
    assert load(values({}.get, os.environ)).llm_base_url is None


def test_what_the_deployment_sets_wins(monkeypatch):
    monkeypatch.setenv("GEM_LLM_BASE_URL", "http://own/v1")
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    found = values((WORLD | {"gem_store": connection(url="s3://one", region_name="us-east-1")}).get, os.environ)
    settings = load(found)
    assert settings.endpoint_for("filter") == "http://own/v1"
    assert settings.key_for("filter") is None, "a key is not shown to another endpoint than its own"
    assert "AWS_REGION" not in found


def test_a_secret_of_a_connection_is_kept_out_of_texts_and_of_the_settings_own():
    settings = load(values(WORLD.get, os.environ))
    assert dict(settings.secrets())["AWS_SECRET_ACCESS_KEY"] == "secret"
    assert "secret" not in repr(settings.s3).replace("secret_access_key", "")


def test_a_field_that_looks_mistyped_is_logged_once(caplog, monkeypatch):
    monkeypatch.setattr(variables, "_said", set())
    world = {
        "gem_llm": connection(baseurl="http://llm/v1", team="a"),
        "gem_store": connection(url="s3://one", urls="x"),
    }
    for _ in range(2):
        values(world.get, {})
    assert [each.getMessage() for each in caplog.records] == [
        "Connection gem_store: urls does nothing. Did you mean url?",
        "Connection gem_llm: baseurl does nothing. Did you mean base_url?",
    ]
