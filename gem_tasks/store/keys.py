"""Where things lie in the object store: the layout of DESIGN.md in one place, and what a key may be.

A directory and a bucket disagree about odd keys: one takes `a//b` for `a/b`, the other refuses it; one takes 255 bytes
a name, the other 1024 a key. Only what means the same on both is a key, so that data can move between them.
"""

import re

from gem_tasks.errors import StoreError

SAMPLE = "sample"
"""Stands for the partition in the journals of estimates."""
_NAME_BYTES = 200
"""Of 255 that file systems allow; the rest is for the suffix of an unfinished write."""
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def segments_key(partition: str, shard: int) -> str:
    """Segments of a shard."""
    return f"segments/{partition}/shard-{shard:05d}.parquet"


def stage_key(stage: str, recipe: str, partition: str, shard: int) -> str:
    """Outcomes of a stage over a shard under a recipe."""
    return f"stages/{stage}/{recipe}/{partition}/shard-{shard:05d}.parquet"


def journal_prefix(recipe: str, partition: str, shard: int) -> str:
    """Answers of a shard that is not finished."""
    return f"journal/{recipe}/{partition}/shard-{shard:05d}/"


def sample_prefix(recipe: str) -> str:
    """Answers of estimates, which no shard has asked for yet."""
    return journal_prefix(recipe, SAMPLE, 0)


def dataset_key(version: str, name: str) -> str:
    """A file of a dataset version; an empty name gives its folder."""
    return f"datasets/{version}/{name}"


def set_key(set_id: str, name: str) -> str:
    """A file of a set to train on; an empty name gives its folder."""
    return f"sets/{set_id}/{name}"


def model_key(model_id: str, name: str) -> str:
    """A file of a trained model; an empty name gives its folder."""
    return f"models/{model_id}/{name}"


def evaluation_key(evaluation_id: str, name: str) -> str:
    """A file of an evaluation; an empty name gives its folder."""
    return f"evals/{evaluation_id}/{name}"


def experiment_key(experiment_id: str, name: str) -> str:
    """A file of an experiment's report; an empty name gives its folder."""
    return f"experiments/{experiment_id}/{name}"


def prefilter_key(digest: str) -> str:
    """A learned prefilter, by the SHA-256 of its bytes."""
    return f"models/prefilter/{digest}.npz"


def dialect_key(digest: str, name: str) -> str:
    """A version of what is known of a model at an endpoint; an empty name gives its folder."""
    return f"dialects/{digest}/{name}"


def checked(key: str) -> str:
    """The key itself, if it names an object: relative, names between single slashes, nothing that climbs.

    Raises:
        StoreError: it does not.
    """
    for name in key.split("/"):
        if name in ("", ".", "..") or _FORBIDDEN.search(name) or len(name.encode()) > _NAME_BYTES:
            raise StoreError(f"{key[:300]!r} is not a valid object key")
    return key


def checked_prefix(prefix: str) -> str:
    """The prefix itself, if keys can begin so: empty, or a key, which may end in a slash.

    Raises:
        StoreError: no key begins so.
    """
    if prefix:
        checked(prefix.removesuffix("/"))
    return prefix
