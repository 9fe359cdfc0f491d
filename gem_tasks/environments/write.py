"""Writes environments as packages: `verifiers/` for verifiers, `nemo_gym/gem_worlds/` for NeMo Gym.

Each is complete: the framework's files from `envs/`, the modules of GEM that run worlds, the worlds and the tasks.
"""

import shutil
from pathlib import Path

from gem_tasks.domain.base import Json
from gem_tasks.environments import vendored
from gem_tasks.environments.kit.play import Row
from gem_tasks.environments.rows import Environments
from gem_tasks.errors import UserError
from gem_tasks.files import json_line
from gem_tasks.resources import shipped

_NAME = "gem_worlds"
_EXAMPLES = 5
"""Rows of `example.jsonl`, as NeMo Gym has them."""


def write_packages(found: Environments, out: Path) -> list[Path]:
    """Writes both packages, and returns their folders.

    Raises:
        UserError: a folder exists and is no earlier export, or cannot be written.
    """
    folders = [out / "verifiers", out / "nemo_gym"]
    try:
        for folder, write in zip(folders, (_verifiers, _nemo_gym), strict=True):
            _make_way(folder)
            write(found, folder)
    except OSError as error:
        raise UserError(f"{out} cannot be written: {error.strerror}", "Choose another --out.") from error
    return folders


def _verifiers(found: Environments, folder: Path) -> None:
    _copy(shipped("envs") / "verifiers", folder, ("pyproject.toml", "README.md", _NAME))
    vendored.copy(folder / _NAME / "gem", f"{_NAME}.gem")
    _data(found, folder / _NAME / "data")


def _nemo_gym(found: Environments, folder: Path) -> None:
    _copy(shipped("envs") / "nemo_gym", folder, (_NAME,))
    vendored.copy(folder / _NAME / "gem", f"resources_servers.{_NAME}.gem")
    data = folder / _NAME / "data"
    _data(found, data)
    lines = [json_line(_of_nemo_gym(row)) for row in found.rows]
    (data / "train.jsonl").write_text("".join(lines), encoding="utf-8")
    (data / "example.jsonl").write_text("".join(lines[:_EXAMPLES]), encoding="utf-8")


def _of_nemo_gym(row: Row) -> Json:
    """A row with the request as the Responses API has it; the user's first message comes from `reset`."""
    tools = [{"type": "function", "strict": False, **tool["function"]} for tool in row.tools]
    request = {"input": [{"role": "system", "content": row.system}], "tools": tools}
    agent = {"type": "responses_api_agents", "name": f"{_NAME}_agent"}
    return {"responses_create_params": request, "gem": row.model_dump(mode="json"), "agent_ref": agent}


def _data(found: Environments, folder: Path) -> None:
    (folder / "worlds").mkdir(parents=True)
    for name, shelf in found.worlds.items():
        (folder / "worlds" / name).write_text(shelf.model_dump_json(), encoding="utf-8")
    rows = [json_line(row.model_dump(mode="json")) for row in found.rows]
    (folder / "tasks.jsonl").write_text("".join(rows), encoding="utf-8")


def _copy(source: Path, target: Path, names: tuple[str, ...]) -> None:
    target.mkdir(parents=True)
    for name in names:
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source / name, target / name)


def _make_way(folder: Path) -> None:
    """Removes an earlier export; any other folder stays."""
    if not folder.exists():
        return
    if not (folder / _NAME / "gem").is_dir() or folder.is_symlink():
        raise UserError(f"{folder} exists and is no exported environment", "Choose another --out.")
    shutil.rmtree(folder)
