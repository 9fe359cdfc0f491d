"""What is learned of an endpoint is shared, whoever learns it and when, and lost by nobody."""

import threading

from gem_tasks.llm.dialects import memory as module
from gem_tasks.llm.dialects.dialect import PLAIN, Dialect
from gem_tasks.llm.dialects.memory import Memory, forget, remembered
from gem_tasks.llm.dialects.presets import preset_for
from gem_tasks.store import open_store

URL = "https://user:secret@e.example/v1?key=secret"


def test_workers_that_learn_at_once_lose_nothing(tmp_path):
    store = open_store(str(tmp_path))
    shapes = [f"shape{number}" for number in range(8)]
    workers = [
        threading.Thread(target=Memory(store, URL).learned, args=("m", PLAIN, Dialect(dropped=(shape,)), shape, "m"))
        for shape in shapes
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    known = Memory(store, URL).recall("m", PLAIN)
    assert list(known.proved) == shapes
    assert list(known.dialect.dropped) == shapes
    assert len(list(store.list("dialects/"))) == 1


def test_it_is_kept_apart_by_model_expires_is_forgotten_and_holds_no_secret(tmp_path, monkeypatch):
    store = open_store(str(tmp_path))
    Memory(store, URL).learned("m", PLAIN, Dialect(stream=True), "s", "m-2026")
    assert Memory(store, URL).recall("other", PLAIN).dialect == PLAIN
    (known,) = remembered(store)
    assert (known.endpoint, known.model, known.answered_as) == ("https://e.example/v1", "m", "m-2026")
    assert "secret" not in known.model_dump_json()
    later = module.time.time() + 31 * 24 * 3600
    monkeypatch.setattr(module.time, "time", lambda: later)
    assert Memory(store, URL).recall("m", PLAIN).dialect == PLAIN
    monkeypatch.undo()
    assert forget(store) == 1
    assert Memory(store, URL).recall("m", PLAIN).dialect == PLAIN


def test_presets_go_by_host_and_model_and_the_users_come_first(tmp_path):
    assert preset_for("https://api.openai.com/v1", "o3-mini").limit == "max_completion_tokens"
    assert preset_for("https://api.openai.com/v1", "gpt-4o") == PLAIN
    assert preset_for("https://api.mistral.ai/v1", "m").efforts == ("none", "high")
    assert preset_for("https://evilapi.mistral.ai.example/v1", "m") == PLAIN
    assert preset_for("https://evilapi.mistral.ai/v1", "m") == PLAIN
    own = tmp_path / "own.toml"
    own.write_text('[[preset]]\nhost = "localhost:8000"\nstream = true\n', encoding="utf-8")
    assert preset_for("http://localhost:8000/v1", "any", own).stream
    assert preset_for("https://api.openai.com/v1", "o3-mini", own).limit == "max_completion_tokens"
