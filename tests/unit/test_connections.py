"""Connections become variables, follow their changes in a process that lives on, and never outrank the deployment's."""

import os
from types import SimpleNamespace

import pytest

from gem_tasks import connections


def connection(host=None, login=None, password=None, uri="", **extra):
    return SimpleNamespace(host=host, login=login, password=password, extra_dejson=extra, get_uri=lambda: uri)


@pytest.fixture
def world(monkeypatch):
    """Connections by id; the environment is put back."""
    before = dict(os.environ)
    monkeypatch.setattr(connections, "_taken", {})
    for name in [name for name in os.environ if name.startswith(("GEM_", "AWS_"))]:
        del os.environ[name]
    yield {}
    os.environ.clear()
    os.environ.update(before)


def test_a_rotated_key_and_another_store_are_seen_without_a_restart(world):
    world["gem_llm"] = connection(host="http://llm/v1", password="old-key", api="anthropic")
    world["gem_store"] = connection(url="s3://one", login="id", password="secret", endpoint_url="http://minio")
    world["gem_postgres"] = connection(uri="postgres://u:p@one/gem")
    assert connections.refresh(world.get)
    assert os.environ["GEM_LLM_API_KEY"] == "old-key"
    assert os.environ["GEM_LLM_API"] == "anthropic"
    assert os.environ["GEM_POSTGRES_DSN"] == "postgresql://u:p@one/gem"
    assert not connections.refresh(world.get)

    world["gem_llm"] = connection(host="http://llm/v1", password="new-key")
    world["gem_store"] = connection(url="s3://two", login="id", password="secret")
    world["gem_postgres"] = connection(uri="postgres://u:q@two/gem")
    assert connections.refresh(world.get)
    assert os.environ["GEM_LLM_API_KEY"] == "new-key"
    assert os.environ["GEM_STORE_URL"] == "s3://two"
    assert "AWS_ENDPOINT_URL" not in os.environ, "an endpoint that the Connection no longer names"
    assert os.environ["GEM_POSTGRES_DSN"] == "postgresql://u:q@two/gem"

    world.clear()
    assert connections.refresh(world.get)
    assert not [name for name in os.environ if name.startswith(("GEM_", "AWS_"))]


def test_what_the_deployment_sets_wins_and_stays(world):
    os.environ["GEM_LLM_BASE_URL"] = "http://own/v1"
    os.environ["AWS_REGION"] = "eu-north-1"
    world["gem_llm"] = connection(host="http://llm/v1", password="key")
    world["gem_store"] = connection(url="s3://one", region_name="us-east-1")
    connections.refresh(world.get)
    assert os.environ["GEM_LLM_BASE_URL"] == "http://own/v1"
    assert "GEM_LLM_API_KEY" not in os.environ, "a key is not shown to another endpoint than its own"
    assert os.environ["AWS_REGION"] == "eu-north-1"
    world.clear()
    connections.refresh(world.get)
    assert os.environ["AWS_REGION"] == "eu-north-1"
    assert "GEM_STORE_URL" not in os.environ
