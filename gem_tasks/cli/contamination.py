"""`gem contamination`: the index of benchmark test items that datasets are compared with."""

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
from gem_tasks.dataset.select import index_of
from gem_tasks.errors import UserError
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.redaction import beginning
from gem_tasks.resources import shipped
from gem_tasks.settings import load


def show(
    build: Annotated[
        bool,
        typer.Option("--build", help="Build the index from the locked packages."),
    ] = False,
    packages: Annotated[
        Path | None, typer.Option(help="Folder with both packages installed, instead of downloading them.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the facts as JSON.")] = False,
) -> None:
    """Shows the benchmark test items (BFCL, τ²-bench) that are kept out of datasets.

    GEM comes with an index of them, so every dataset is checked. Build another for other versions of the benchmarks.

    Examples:
        gem contamination --build
        gem contamination
    """
    work = Workspace.open(load())
    if build:
        index = contamination.build(packages) if packages else fetched()
        work.store.put(contamination.KEY, contamination.encode(index))
    else:
        index = index_of(work)
    if as_json:
        facts = {"packages": index.packages, "items": index.items, "ngrams": len(index.ngrams)}
        echo_json(json.dumps({**facts, "toolsets": sorted(index.toolsets)}, indent=1))
        return
    names = ", ".join(f"{name} {version}" for name, version in index.packages.items())
    echo(f"{index.items} test items of {names}: {len(index.ngrams)} {contamination.WORDS}-grams,")
    echo(f"and the tools of {len(index.toolsets)} systems. Datasets published from now on are compared with them.")


def fetched() -> contamination.Index:
    """Builds the index from the data of the locked packages, without running their code."""
    wanted = shipped("envs") / "contamination" / "requirements.txt"
    uv = shutil.which("uv") or load().home / "uv" / "bin" / "uv"
    # Environments made by uv have no pip; others may.
    pip = [uv, "pip"] if Path(uv).exists() else [sys.executable, "-m", "pip"]
    with tempfile.TemporaryDirectory() as folder:
        install = [*pip, "install", "-q", "--no-deps", "--require-hashes", "--target", folder, "-r", wanted]
        done = subprocess.run(install, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            line = (done.stderr.strip().splitlines() or ["pip printed no message"])[-1]
            raise UserError(
                f"The packages cannot be downloaded: {beginning(line, 200)}",
                "Fix it, or name a folder with --packages.",
            )
        return contamination.build(Path(folder))
