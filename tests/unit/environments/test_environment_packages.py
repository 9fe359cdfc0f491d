"""Exported environments: which tasks they have, and packages that need nothing of GEM's but their own copy."""

import ast
import json
import re
import sys

import pytest

from gem_tasks.environments import vendored
from gem_tasks.environments.kit.play import Row, Worlds, called, rows, turned
from gem_tasks.environments.kit.user import scripted, spoken
from gem_tasks.environments.rows import IDLE_REASON, environments_of
from gem_tasks.environments.write import write_packages
from gem_tasks.errors import UserError
from tests.executed import LENT, REPLAYABLE, STEPS, TASKS, executed

PROVIDED = {"jsonschema_rs", "httpcore2", "httpx2", "psutil", "pydantic", "pydantic_core"}
FRAMEWORKS = {"verifiers", "mcp", "gem_worlds", "nemo_gym", "resources_servers"}


@pytest.fixture(scope="module")
def found():
    return environments_of([REPLAYABLE.model_copy(update={"tasks": TASKS, "segment_id": "s-1"})], seed=5)


@pytest.fixture(scope="module")
def out(found, tmp_path_factory):
    folder = tmp_path_factory.mktemp("rl")
    write_packages(found, folder)
    return folder


def test_a_row_has_what_players_see_and_no_goal(found):
    (row,) = found.rows
    world = executed()["metadata"]["world"]
    assert (row.id, row.world, row.kind, row.document) == (
        f"{world[:12]}/0/returned",
        f"{world}.json",
        "fault+event",
        "s-1",
    )
    assert [tool["function"]["name"] for tool in row.tools] == ["show_book", "lend_book"]
    assert "Lend b-2 to m-1" in row.user[1]["content"]
    assert [(said.deeds, said.stops) for said in scripted(row.script, row.deeds)] == [
        ((), False),
        (("call",), False),
        ((), True),
    ]
    assert "reference" not in row.model_dump_json()
    assert found.refused == {f"{world[:12]}/1/plain": IDLE_REASON}


async def test_the_kit_plays_as_the_world_does(found, out):
    (row,) = rows(out / "verifiers" / "gem_worlds" / "data")
    assert row == found.rows[0]
    worlds = Worlds(out / "verifiers" / "gem_worlds" / "data")
    try:
        assert await worlds.oracle(row) == STEPS
        assert await worlds.result(row, STEPS) == LENT
        assert (await worlds.verdict(row, STEPS)).reached
        idle = [*turned([]), *turned(["call"])]
        assert (await worlds.verdict(row, idle)).reasons == (
            'table books, record b-2, field lent_to: is null, not "m-1"',
        )
        unknown = [*turned([]), called("nothing", "no object")]
        assert (await worlds.result(row, unknown))["error"]["code"] == "UNKNOWN_TOOL"
        with pytest.raises(ValueError, match="more than 2,000 steps"):
            await worlds.result(row, STEPS * 400)
    finally:
        worlds.close()


def test_both_packages_are_complete(out):
    (line,) = (out / "nemo_gym/gem_worlds/data/train.jsonl").read_text("utf-8").splitlines()
    row = json.loads(line)
    assert row["responses_create_params"]["tools"][0]["name"] == "show_book"
    assert Row.model_validate(row["gem"]).system == row["responses_create_params"]["input"][0]["content"]
    for package in ("verifiers/gem_worlds", "nemo_gym/gem_worlds"):
        assert (out / package / "gem/worlds/engine/realm.js").exists()
        assert len(list((out / package / "data/worlds").iterdir())) == 1


def imported(file):
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (each.name for each in node.names)


def test_copied_modules_import_each_other_and_what_the_package_requires(out):
    for package, prefix in (
        ("verifiers/gem_worlds", "gem_worlds"),
        ("nemo_gym/gem_worlds", "resources_servers.gem_worlds"),
    ):
        for file in (out / package).rglob("*.py"):
            names = set(imported(file))
            own = {name for name in names if name.startswith(f"{prefix}.gem")}
            for name in own:
                place = (out / package).joinpath(*name.removeprefix(f"{prefix}.").split("."))
                assert place.with_suffix(".py").exists() or (place / "__init__.py").exists(), (file, name)
            others = {name.partition(".")[0] for name in names - own} - sys.stdlib_module_names
            assert others <= (PROVIDED if "gem" in file.relative_to(out / package).parts else FRAMEWORKS | PROVIDED), (
                file
            )


def test_the_package_requires_what_the_copied_modules_import(out):
    text = (out / "verifiers/pyproject.toml").read_text("utf-8")
    assert set(vendored.REQUIREMENTS) <= set(re.findall(r'"([^"]+)"', text))
    assert set(vendored.REQUIREMENTS) <= set(
        (out / "nemo_gym/gem_worlds/requirements.txt").read_text("utf-8").splitlines()
    )


def test_only_an_earlier_export_is_replaced(found, out, tmp_path):
    write_packages(found, out)
    (tmp_path / "verifiers").mkdir()
    (tmp_path / "verifiers" / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match="is no exported environment"):
        write_packages(found, tmp_path)
    assert (tmp_path / "verifiers" / "mine.txt").exists()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("Good day.", ("Good day.", (), False)),
        ("<deed>call</deed>I phoned. <stop>", ("I phoned.", ("call",), True)),
        ("<deed>call</deed><deed>call</deed> <deed>fly</deed> Well.", ("Well.", ("call",), False)),
        ("</stop>", ("", (), True)),
    ],
)
def test_a_user_s_answer_is_read(answer, said):
    assert spoken(answer, {"call"}) == said
