"""`gem publish`: the current dataset versions as a dataset on the Hugging Face Hub, one commit for all changes.

The name of a version's folder reflects the version, the trajectories withdrawn from it, and the columns. A folder that
the repository has is therefore not sent again, and one that lost rows, or has columns of an earlier GEM, replaces its
predecessor in the same commit: readers of the whole dataset need the same columns in all files.
"""

import json
import re
import tempfile
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple, cast

import httpx2

from gem_tasks.audit.rate import so_far
from gem_tasks.corpus.sources.hub import route
from gem_tasks.corpus.sources.objects import why
from gem_tasks.dataset import worlds
from gem_tasks.dataset.export import published_of
from gem_tasks.dataset.judged import require_diverse
from gem_tasks.domain.base import Json, Value
from gem_tasks.errors import UserError
from gem_tasks.evals.progress import Progress, silent
from gem_tasks.hub import card, rows
from gem_tasks.hub.licence import licence_of
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.store import keys

_DATA = "data/"
_OURS = re.compile(r"data/\d{8}T\d{4,6}-[0-9a-f]{8}(?:-[0-9a-f]{8})?/")
"""Folders of versions; GEM does not touch other files of the repository."""
_AUDITS = 1000


class OnHub(Value):
    """The result of a publication."""

    url: str
    trajectories: int
    versions: tuple[str, ...]
    """All versions that the repository has now."""
    sent: tuple[str, ...]
    """Versions whose files were sent; empty if the repository had them."""
    removed: int
    """Files of versions that are no longer current."""


class _Version(NamedTuple):
    name: str
    folder: str
    manifest: Json


def publish_to_hub(
    work: Workspace,
    repo: str,
    *,
    public: bool = False,
    audited: bool = False,
    accept_diversity: str | None = None,
    progress: Progress = silent,
) -> OnHub:
    """Publishes the current versions.

    Args:
        work: workspace with the versions.
        repo: `OWNER/NAME`; created if it does not exist. HF_TOKEN and HF_ENDPOINT are the client's usual variables.
        public: makes a new repository public. Without it, a repository that is public already is refused.
        audited: refuse versions that people have not audited.
        accept_diversity: why a person accepts versions whose conversations are alike, where the policy asks one.
        progress: receives each version.

    Raises:
        UserError: there is nothing to publish, it may not be published, or the Hub refuses.
    """
    found = [_version(work, name) for name in _current(work)]
    if not found:
        raise UserError("There are no published trajectories", "Make some with `gem run SOURCE`.")
    _require_allowed(work, found, audited)
    for each in found:
        require_diverse(work, str(each.manifest["partition"]), each.manifest, accept_diversity)
    licence = licence_of(_summed(found, "licenses"))
    if public and licence.id == "unknown":
        raise UserError(
            "Some sources claim no licence, so the dataset cannot be public",
            "Give the sources a licence (`gem source add --license`), or leave out --public.",
        )
    languages = [name for name in _summed(found, "languages") if name != "unknown"]
    files = {each.name: f"{each.folder}train-00000.parquet" for each in found}
    manifests = [each.manifest for each in found]
    pages = {"README.md": card.render(repo, manifests, files, licence, languages).encode(), **card.pictures(manifests)}
    return _commit(work, repo, found, pages, public, progress)


def _current(work: Workspace) -> list[str]:
    with work.ledger() as ledger:
        return sorted(ledger.datasets.current())


def _version(work: Workspace, name: str) -> _Version:
    with work.ledger() as ledger:
        withdrawn = sorted(ledger.versions.withdrawn_trajectories(name))
    manifest: Json = json.loads(work.fetch(keys.dataset_key(name, "manifest.json")))
    contents = sha256("\n".join([*rows.COLUMNS, *withdrawn]).encode()).hexdigest()[:8]
    manifest["trajectories"] -= len(withdrawn)
    return _Version(name, f"{_DATA}{name}-{contents}/", manifest)


def _require_allowed(work: Workspace, found: Sequence[_Version], audited: bool) -> None:
    for each in found:
        contamination: Json = each.manifest.get("contamination") or {}
        if not contamination.get("packages"):
            raise UserError(f"Version {each.name} was not compared with benchmarks", "Publish its partition again.")
        if contamination.get("kept"):
            raise UserError(
                f"Version {each.name} contains {contamination['kept']} trajectories with test items of benchmarks",
                "Unset GEM_KEEP_CONTAMINATED, and publish its partition again.",
            )
    verdicts = _audits(work)
    for each in found:
        if verdicts.get(each.name) is False:
            raise UserError(f"Version {each.name} failed its audit", "See `gem audit report`, and fix its findings.")
        if audited and not verdicts.get(each.name):
            raise UserError(f"Version {each.name} has passed no audit", "Draw one: gem audit draw")


def _audits(work: Workspace) -> dict[str, bool]:
    """Whether each version passed its last completed audit."""
    with work.ledger() as ledger:
        audits = sorted(ledger.audits.find("", limit=_AUDITS), key=lambda each: each.drawn_at)
    return {
        version: passed
        for audit in audits
        if (passed := so_far(work, audit).passed) is not None
        for version in audit.versions
    }


def _summed(found: Sequence[_Version], name: str) -> dict[str, int]:
    sums: dict[str, int] = {}
    for each in found:
        counted: dict[str, int] = each.manifest.get(name) or {}
        for key, count in counted.items():
            sums[key] = sums.get(key, 0) + count
    return dict(sorted(sums.items(), key=lambda item: (-item[1], item[0])))


def _commit(
    work: Workspace, repo: str, found: Sequence[_Version], pages: dict[str, bytes], public: bool, progress: Progress
) -> OnHub:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, get_token

    route()
    api = cast("Any", HfApi(token=get_token()))
    url = str(_asked(repo, lambda: api.create_repo(repo, repo_type="dataset", private=not public, exist_ok=True)))
    if not public and not _asked(repo, lambda: api.dataset_info(repo)).private:
        raise UserError(
            f"{repo} exists and is public, so the dataset would be public",
            "Give --public if that is intended, or name another repository.",
        )
    there = set(cast("list[str]", _asked(repo, lambda: api.list_repo_files(repo, repo_type="dataset"))))
    missing = [each for each in found if f"{each.folder}train-00000.parquet" not in there]
    folders = tuple(each.folder for each in found)
    stale = sorted(name for name in there if _OURS.match(name) and not name.startswith(folders))
    with tempfile.TemporaryDirectory() as folder:
        # The client leaves out pages that the repository has.
        operations: list[Any] = [CommitOperationAdd(name, page) for name, page in pages.items()]
        for number, each in enumerate(missing):
            progress("write versions", number, len(missing))
            path = Path(folder, f"{number}.parquet")
            rows.write(published_of(work, each.name), path, rows.schema_of(each.manifest))
            operations.append(CommitOperationAdd(f"{each.folder}train-00000.parquet", path))
            own = {"README.md": _own_card(work, each.name), **card.pictures([each.manifest])}
            own |= {f"{worlds.FOLDER}{name}": data for name, data in worlds.fetch(work, each.name)}
            operations += [CommitOperationAdd(f"{each.folder}{name}", page) for name, page in own.items()]
        progress("write versions", len(missing), len(missing))
        operations += [CommitOperationDelete(name) for name in stale]
        message = f"GEM: {len(missing)} versions sent, {len(stale)} files removed"
        _asked(
            repo,
            lambda: api.create_commit(repo, operations, commit_message=message, repo_type="dataset", num_threads=2),
        )
    return OnHub(
        url=url,
        trajectories=sum(each.manifest["trajectories"] for each in found),
        versions=tuple(each.name for each in found),
        sent=tuple(each.name for each in missing),
        removed=len(stale),
    )


def _own_card(work: Workspace, version: str) -> bytes:
    """The version's own card without its header, which only a repository's README may have."""
    text = work.fetch(keys.dataset_key(version, "README.md")).decode("utf-8", "replace")
    return text.removeprefix("---\n").partition("\n---\n")[2].encode() if text.startswith("---\n") else text.encode()


def _asked(repo: str, ask: Callable[[], Any]) -> Any:
    from huggingface_hub.errors import HfHubHTTPError

    try:
        return ask()
    except HfHubHTTPError as error:
        status = getattr(error.response, "status_code", 0)
        fix = "Set HF_TOKEN to a token with write access." if status in (401, 403, 404) else "Try again later."
        raise UserError(f"The Hub refuses {repo} ({why(error)})", fix) from error
    except (httpx2.HTTPError, OSError, RuntimeError, ValueError) as error:
        raise UserError(f"{repo} cannot be published ({why(error)})", "Check the name and HF_ENDPOINT.") from error
