"""What a source holds: the readable files of a path, a bucket or a dataset, with the version each has now.

Listings stream, in the byte order of their URIs, and can begin behind any of them: so a scan can be compared with what
is recorded piece by piece, and an interrupted one goes on. Hidden files and files of other kinds are passed over. What
is there but closed to us is listed all the same, so that reading it gives it a reason.
"""

from collections.abc import Iterator, Sequence

from gem_tasks.corpus.buckets import list_bucket
from gem_tasks.corpus.hub import list_dataset
from gem_tasks.corpus.objects import READABLE, SourceObject
from gem_tasks.corpus.trees import list_tree, real_path
from gem_tasks.domain.s3_access import S3Access
from gem_tasks.errors import UserError

__all__ = ["EmptySourceError", "SourceObject", "admit", "inside", "kind_of", "list_objects"]


class EmptySourceError(UserError):
    """The source can be listed, and nothing readable is in it."""


def admit(source: str, roots: Sequence[str] = ()) -> str:
    """The kind of a source that may be read: `files`, `s3` or `hf`. The place to refuse one.

    Args:
        source: as a user gave it.
        roots: folders and prefixes that sources have to lie in; none: anywhere.

    Raises:
        UserError: it is none, or outside.
    """
    kind = kind_of(source)
    if roots and not any(_below(source, kind, root) for root in roots):
        raise UserError(
            f"{source} is outside the folders that GEM may read", f"GEM_SOURCE_ROOTS allows: {' '.join(roots)}"
        )
    return kind


def _below(source: str, kind: str, root: str) -> bool:
    if kind != "files":
        if {".", ".."} & set(source.split("/")):  # to a bucket a name like any other, to an HTTP client perhaps not
            return False
        return source == root or source.startswith(root.rstrip("/") + "/")
    if not _is_local(root):
        return False
    try:
        # Where the names lead, not what they are: neither `..` nor a link gets out.
        return real_path(source).is_relative_to(real_path(root))
    except (OSError, ValueError):
        return False


def _is_local(root: str) -> bool:
    return "://" not in root or root.startswith("file://")


def inside(item: SourceObject, roots: Sequence[str]) -> bool:
    """Whether a listed object lies in one of the roots.

    A prefix that ends inside a name also meets its neighbours; and what a local source is may have been swapped since
    it was admitted. So it is asked of the very file that is opened later.
    """
    if not roots:
        return True
    if item.path:
        local = [str(real_path(root)) for root in roots if _is_local(root)]
        return any(item.path == root or item.path.startswith(f"{root.rstrip('/')}/") for root in local)
    return item.uri in roots or item.uri.startswith(tuple(root.rstrip("/") + "/" for root in roots))


def kind_of(source: str) -> str:
    """How a source is listed.

    Raises:
        UserError: it is none.
    """
    scheme, separator, rest = source.partition("://")
    if source and (not separator or scheme == "file"):
        return "files"
    if scheme in ("s3", "hf") and rest.partition("/")[0]:
        if scheme == "s3" and rest.endswith("//"):
            whole = f"s3://{rest.rstrip('/')}/"
            raise UserError(f"{source} ends in an unnamed folder", f"Give {whole}, which holds it.")
        return scheme
    raise UserError(
        f"{source!r} is not a source", "Give a file, a folder, s3://bucket/prefix, or hf://datasets/owner/name."
    )


def list_objects(source: str, after: str = "", access: S3Access | None = None) -> Iterator[SourceObject]:
    """The readable files of a source, sorted.

    Args:
        source: a file, a folder, `file:///…`, `s3://bucket/prefix`, `s3://bucket/key`, `hf://datasets/owner/name`.
        after: only what comes behind this URI.
        access: how buckets are reached; by the usual `AWS_*` variables if not given.

    Raises:
        EmptySourceError: it holds nothing that can be read.
        UserError: the source does not exist or cannot be listed.
    """
    kind = kind_of(source)
    if kind == "s3":
        bucket, _, prefix = source.removeprefix("s3://").partition("/")
        found = list_bucket(bucket, prefix, after, access or S3Access())
    else:
        found = list_tree(source, after) if kind == "files" else list_dataset(source.removeprefix("hf://"), after)
    empty = not after
    for item in found:
        empty = False
        yield item
    if empty:
        raise EmptySourceError(f"{source} contains no supported files", READABLE)
