"""The contents of a source: the readable files of a path, a bucket, a dataset or a web site, with their versions.

Listings stream in the byte order of their URIs, and can start after any of them: so a scan can be compared with the
recorded objects piece by piece, and an interrupted one can continue. Hidden files and unsupported formats are skipped.
Files that GEM may not read are listed, so that reading them records a reason.
"""

import os
from collections.abc import Iterator, Sequence
from math import inf

from gem_tasks.corpus.sources.buckets import list_bucket
from gem_tasks.corpus.sources.hub import list_dataset
from gem_tasks.corpus.sources.objects import READABLE, SourceObject
from gem_tasks.corpus.sources.trees import list_tree, real_path
from gem_tasks.corpus.sources.web import address
from gem_tasks.corpus.sources.web.site import Known, has_pages, list_pages, nothing_known
from gem_tasks.domain.s3_access import S3Access
from gem_tasks.domain.web_access import WebAccess
from gem_tasks.errors import UserError

__all__ = ["EmptySourceError", "SourceObject", "admit", "inside", "kind_of", "list_objects", "require_objects"]

WEB = "web"
_NOWHERE = WebAccess()


class EmptySourceError(UserError):
    """The source can be listed, but has no supported files."""


def admit(source: str, roots: Sequence[str] = ()) -> str:
    """The kind of a permitted source: `files`, `s3`, `hf` or `web`. Sources are refused here.

    Args:
        source: as the user gave it.
        roots: folders and prefixes that must contain the source; none: anywhere.

    Raises:
        UserError: it is not a source, or is outside the roots.
    """
    kind = kind_of(source)
    if roots and not any(_below(source, kind, root) for root in roots):
        raise UserError(
            f"{source} is outside the folders that GEM may read", f"GEM_SOURCE_ROOTS allows: {' '.join(roots)}"
        )
    return kind


def _below(source: str, kind: str, root: str) -> bool:
    if kind == WEB:
        source = address.parse(source).url
    if kind != "files" and not source.startswith("file://"):
        if {".", ".."} & set(source.split("/")):  # an ordinary name to a bucket, but maybe not to an HTTP client
            return False
        return source == root or source.startswith(root.rstrip("/") + "/")
    if not _is_local(root):
        return False
    try:
        # Compares the targets of names, not their spelling: neither `..` nor a link leads outside.
        return real_path(source).is_relative_to(real_path(root))
    except (OSError, ValueError):
        return False


def _is_local(root: str) -> bool:
    return "://" not in root or root.startswith("file://")


def inside(item: SourceObject, roots: Sequence[str]) -> bool:
    """Whether a listed object is in one of the roots.

    A prefix that ends inside a name also matches its neighbours, and a local source may have been swapped since it was
    admitted. So this checks the very file that is opened later.
    """
    if not roots:
        return True
    if item.path:
        local = [str(real_path(root)) for root in roots if _is_local(root)]
        return any(item.path == root or item.path.startswith(f"{root.rstrip('/')}/") for root in local)
    return item.uri in roots or item.uri.startswith(tuple(root.rstrip("/") + "/" for root in roots))


def kind_of(source: str) -> str:
    """How to list a source.

    Raises:
        UserError: it is not a source.
    """
    scheme, separator, rest = source.partition("://")
    try:
        source.encode() if separator and scheme != "file" else os.fsencode(source)
    except UnicodeEncodeError:  # half a character
        scheme, separator, rest = "", "://", ""
    if source and (not separator or scheme == "file"):
        return "files"
    if separator and address.is_web(source):
        address.parse(source)
        return WEB
    if scheme in ("s3", "hf") and rest.partition("/")[0]:
        if scheme == "s3" and rest.endswith("//"):
            whole = f"s3://{rest.rstrip('/')}/"
            raise UserError(f"{source} ends in an unnamed folder", f"Give {whole}, which holds it.")
        return scheme
    raise UserError(
        f"{source!r} is not a source",
        "Give a file, a folder, s3://bucket/prefix, hf://datasets/owner/name, or https://host/.",
    )


def require_objects(source: str, access: S3Access, web: WebAccess) -> None:
    """Checks that a source can be listed and is not empty; fetches no page of a web site.

    Raises:
        EmptySourceError: it has no supported files.
        UserError: the source does not exist or cannot be listed.
    """
    if kind_of(source) != WEB:
        next(list_objects(source, access=access))
    elif not has_pages(source, web):
        raise _empty(source)


def list_objects(
    source: str,
    after: str = "",
    access: S3Access | None = None,
    web: WebAccess = _NOWHERE,
    known: Known = nothing_known,
    room: float = inf,
) -> Iterator[SourceObject]:
    """The readable files of a source, sorted.

    Args:
        source: a file, a folder, `file:///…`, `s3://bucket/prefix`, `s3://bucket/key`, `hf://datasets/owner/name`, or
            an address of `web.address`.
        after: only files after this URI.
        access: how to reach buckets; by default through the usual `AWS_*` variables.
        web: how to visit web sites.
        known: the recorded versions of web pages, which are fetched only if they changed.
        room: number of web pages without a recorded version to fetch.

    Raises:
        EmptySourceError: it has no supported files.
        UserError: the source does not exist or cannot be listed.
    """
    kind = kind_of(source)
    if kind == "s3":
        bucket, _, prefix = source.removeprefix("s3://").partition("/")
        found = list_bucket(bucket, prefix, after, access or S3Access())
    elif kind == WEB:
        found = list_pages(source, after, web, known, room)
    else:
        found = list_tree(source, after) if kind == "files" else list_dataset(source.removeprefix("hf://"), after)
    empty = not after
    for item in found:
        empty = False
        yield item
    if empty:
        raise _empty(source)


def _empty(source: str) -> EmptySourceError:
    if kind_of(source) == WEB:
        return EmptySourceError(f"{source} lists no pages", "Check its sitemap, and include= and exclude= after #.")
    return EmptySourceError(f"{source} contains no supported files", READABLE)
