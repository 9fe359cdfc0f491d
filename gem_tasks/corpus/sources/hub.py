"""A dataset on the Hugging Face Hub as a source, through the Hub's own client.

`hf://datasets/OWNER/NAME[@REVISION][/PATH]`. HF_TOKEN and HF_ENDPOINT are the client's usual variables. The Hub does
not list a repository by name, so its names (not its files) are sorted in memory; the largest have about 100,000.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import IO, Any, cast

import httpx2

from gem_tasks import http_clients
from gem_tasks.corpus.sources.objects import ANOTHER_TRY, SourceObject, hidden, media_type, why
from gem_tasks.errors import StoreError, UnavailableError, UserError

_FORM = re.compile(r"datasets/([\w.-]+/[\w.-]+?)(?:@([\w.%/-]+?))?(?:/(.+?))?/?")
_BLOCK = 1 << 20
_TOO_MANY, _SERVER_FAULT = 429, 500


def list_dataset(name: str, after: str) -> Iterator[SourceObject]:
    """The readable files of a dataset after `after`.

    Args:
        name: the part after `hf://`.
        after: a URI.

    Raises:
        UserError: the dataset does not exist or GEM may not read it, or the Hub does not answer.
    """
    form = _FORM.fullmatch(name)
    if form is None:
        raise UserError(
            f"hf://{name} is not a dataset", "Write hf://datasets/OWNER/NAME, optionally with @REVISION and /PATH."
        )
    repo, revision, path = form[1], form[2], form[3] or ""
    base = f"hf://datasets/{repo}{f'@{revision}' if revision else ''}/"
    files = sorted(_files(repo, revision, path), key=lambda file: (base + file.path).encode())
    for file in files:
        uri = base + file.path
        if uri.encode() > after.encode() and (kind := media_type(file.path)):
            opener = partial(_open, f"datasets/{repo}@{file.commit}/{file.path}")
            yield SourceObject(uri, file.etag, file.size, *kind, open=opener, remote=True)


class _File:
    """A name in a repository, and its version there."""

    __slots__ = ("commit", "etag", "path", "size")

    def __init__(self, path: str, etag: str, size: int, commit: str) -> None:
        self.path, self.etag, self.size, self.commit = path, etag, size, commit


def _files(repo: str, revision: str | None, path: str) -> list[_File]:
    from huggingface_hub import HfApi

    route()
    api = cast("Any", HfApi())
    commit = str(_asked(repo, lambda: api.dataset_info(repo, revision=revision, timeout=60).sha))
    found: list[Any] = _asked(
        repo,
        lambda: list(api.list_repo_tree(repo, path, recursive=True, revision=commit, repo_type="dataset")),
    )
    return [
        _File(entry.path, entry.lfs.sha256 if entry.lfs else entry.blob_id, entry.size, commit)
        for entry in found
        if hasattr(entry, "blob_id") and not hidden(entry.path)
    ]


@cache
def route() -> None:
    """Gives the Hub's client GEM's proxy rule; the client's own hook is still called."""
    from huggingface_hub import set_client_factory
    from huggingface_hub.utils._http import hf_request_event_hook

    hooks = {"request": [hf_request_event_hook]}
    set_client_factory(lambda: http_clients.client(event_hooks=hooks, follow_redirects=True, timeout=None))


def _asked(repo: str, ask: Callable[[], Any]) -> Any:
    """Returns an answer of the Hub; translates the errors of its HTTP client, and of sockets."""
    from huggingface_hub.errors import HfHubHTTPError

    try:
        return ask()
    except (
        HfHubHTTPError,
        httpx2.HTTPError,
        OSError,
        RuntimeError,
        ValueError,
    ) as error:  # the Hub raises ValueError for a name against its rules
        fix = "Check the name, HF_TOKEN and HF_ENDPOINT."
        kind = UnavailableError if _may_pass(error) else UserError
        raise kind(f"hf://datasets/{repo} cannot be listed ({why(error)})", fix) from error


def _may_pass(error: Exception) -> bool:
    """Whether the Hub did not answer, refused for now (429), or failed itself (5xx)."""
    if isinstance(error, httpx2.TransportError | ConnectionError | TimeoutError):
        return True
    status = getattr(getattr(error, "response", None), "status_code", 0)
    return status == _TOO_MANY or status >= _SERVER_FAULT


def _open(path: str) -> IO[bytes]:
    """A seekable stream that fetches blocks as they are read.

    Raises:
        OSError: this file no longer exists, or GEM may not read it.
        StoreError: the Hub does not answer.
    """
    from huggingface_hub import HfFileSystem
    from huggingface_hub.errors import HfHubHTTPError

    route()
    try:
        return cast("IO[bytes]", cast("Any", HfFileSystem()).open(path, "rb", block_size=_BLOCK))
    except HfHubHTTPError as error:
        status = getattr(error.response, "status_code", 0)
        if 400 <= status < 500 and status not in ANOTHER_TRY:
            raise OSError(why(error)) from error
        raise StoreError(f"hf://{path} cannot be read: {why(error)}") from error
    except httpx2.HTTPError as error:
        raise StoreError(f"hf://{path} cannot be read: {why(error)}") from error
