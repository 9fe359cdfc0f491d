"""`gem publish`: the current dataset versions on the Hugging Face Hub."""

from typing import Annotated

import typer

from gem_tasks.cli.progress import shown
from gem_tasks.cli.terminal import echo, echo_json
from gem_tasks.hub.publish import publish_to_hub
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import load


def publish(
    hub: Annotated[str, typer.Option("--hub", help="Repository, such as my-team/manuals; created if necessary.")],
    public: Annotated[bool, typer.Option("--public", help="Create a public repository.")] = False,
    audited: Annotated[bool, typer.Option("--audited", help="Refuse versions that people have not audited.")] = False,
    accept_diversity: Annotated[
        str | None,
        typer.Option(metavar="REASON", help="Accept versions whose conversations are alike; the reason is recorded."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was published as JSON.")] = False,
) -> None:
    """Publishes the current dataset versions on the Hugging Face Hub, privately unless --public.

    Set HF_TOKEN to a token with write access to the repository. GEM sends only versions that the repository
    lacks, and removes outdated ones. It refuses if a source's licence forbids it, if a version
    contains test items of benchmarks, if it failed its audit, or if its conversations are more alike than the gate
    policy allows.

    Examples:
        gem publish --hub my-team/manuals
        gem publish --hub my-team/manuals --public --audited
    """
    work = Workspace.open(load())
    with shown(quiet=as_json) as say:
        found = publish_to_hub(
            work, hub, public=public, audited=audited, accept_diversity=accept_diversity, progress=say
        )
    if as_json:
        echo_json(found.model_dump_json(indent=1))
        return
    sent = f"{len(found.sent)} sent" if found.sent else "all there already"
    echo(f"{found.trajectories} trajectories in {len(found.versions)} versions ({sent}) at {found.url}")
