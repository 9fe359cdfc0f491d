"""A new stage is a module, a prompt, a line in `STAGES` and its name: added to a copy of the project, and run."""

import json
import subprocess
import sys

import pytest
from aiohttp import web

from tests.integration.endpoint import Front, answer
from tests.new_stage import HERE, ROOT, add, environment

DOCUMENTS = ("library-loans.txt", "parcel-locker.md")


@pytest.fixture
def poet(teacher_url):
    """An endpoint that knows nothing but verse."""
    with Front(
        teacher_url, lambda body: web.json_response(answer("<poem>Renew it <b>twice</b>,\nthen no more.</poem>"))
    ) as front:
        yield front


@pytest.fixture
def seen(poet, teacher_url, dsn, tmp_path):
    add(tmp_path / "project")
    (tmp_path / "corpus").mkdir()
    for name in DOCUMENTS:
        (tmp_path / "corpus" / name).write_bytes((ROOT / "examples/corpus" / name).read_bytes())
    variables = {
        "GEM_HOME": str(tmp_path / "home"),
        "GEM_POSTGRES_DSN": dsn,
        "GEM_STORE_URL": str(tmp_path / "store"),
        "GEM_LLM_BASE_URL": teacher_url,
        "GEM_LLM_BASE_URL_POEM": poet.url,
        "GEM_LLM_MODEL_POEM": "poet-1",
        "GEM_LLM_TEMPERATURE_POEM": "0.25",
    }
    command = [sys.executable, str(HERE / "inside.py"), str(tmp_path / "corpus")]
    ended = subprocess.run(
        command, env=environment(tmp_path / "project", **variables), capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])


def test_it_has_recipe_settings_contract_results_and_a_place_on_the_page(seen, poet):
    assert seen["stages"][:3] == ["filter", "poem", "extract"]
    assert (seen["parents"]["poem"], seen["parents"]["extract"]) == ("filter", "poem")

    filtered, poem, extracted = seen["reports"]
    assert filtered["accepted"] == poem["calls"] == poem["accepted"] == len(poet.asked) >= 1
    assert (poem["failed"], extracted["failed"]) == (0, 0)
    assert extracted["accepted"] >= 1, "the stage after it takes what it accepted"
    assert {(asked["model"], asked["temperature"]) for asked in poet.asked} == {("poet-1", 0.25)}

    assert "never mentions <poem>" in seen["refusals"][0]
    assert seen["refusals"][1] is None

    made = {stage: (model, output) for stage, model, output in seen["results"]}
    assert made["poem"] == ("poet-1", {"lines": ["Renew it <b>twice</b>,", "then no more."]})
    assert made["filter"] == ("offline-rules", None), "the page shows it elsewhere"
    assert "output of poem" in seen["page"]
    assert "Renew it &lt;b&gt;twice&lt;/b&gt;," in seen["page"]
