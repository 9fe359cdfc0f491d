"""The layout of the object store in one place, and the rules for keys.

Directories and buckets disagree about odd keys: one reads `a//b` as `a/b`, the other refuses it; one allows 255 bytes
per name, the other 1024 per key. A key is only what means the same on both, so that data can move between them.
"""

import re

from gem_tasks.errors import StoreError

SAMPLE = "sample"
"""Replaces the partition in the journals of estimates."""
PULSES = "pulses"
_NAME_BYTES = 200
"""File systems allow 255; the rest is for the suffix of an unfinished write."""
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def segments_key(partition: str, shard: int) -> str:
    """Segments of a shard."""
    return f"segments/{partition}/shard-{shard:05d}.parquet"


def stage_key(stage: str, recipe: str, partition: str, shard: int) -> str:
    """Outcomes of a stage over a shard under a recipe."""
    return f"stages/{stage}/{recipe}/{partition}/shard-{shard:05d}.parquet"


def journal_prefix(recipe: str, partition: str, shard: int) -> str:
    """Answers of an unfinished shard."""
    return f"journal/{recipe}/{partition}/shard-{shard:05d}/"


def sample_prefix(recipe: str) -> str:
    """Answers of estimates, not yet requested by a shard."""
    return journal_prefix(recipe, SAMPLE, 0)


def pulse_key(recipe: str, partition: str, shard: int) -> str:
    """What a running task says about itself."""
    return f"{PULSES}/{recipe}/{partition}/shard-{shard:05d}.json"


def dataset_key(version: str, name: str) -> str:
    """A file of a dataset version; an empty name gives its folder."""
    return f"datasets/{version}/{name}"


def set_key(set_id: str, name: str) -> str:
    """A file of a training set; an empty name gives its folder."""
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
    """A version of what is known about a model at an endpoint; an empty name gives its folder."""
    return f"dialects/{digest}/{name}"


def checked(key: str) -> str:
    """Returns the key if it is valid: relative, names between single slashes, without `.` or `..`.

    Raises:
        StoreError: it is not valid.
    """
    for name in key.split("/"):
        if name in ("", ".", "..") or _FORBIDDEN.search(name) or len(name.encode()) > _NAME_BYTES:
            raise StoreError(f"{key[:300]!r} is not a valid object key")
    return key


def checked_prefix(prefix: str) -> str:
    """Returns the prefix if keys can begin with it: empty, or a key, which may end in a slash.

    Raises:
        StoreError: no key can begin with it.
    """
    if prefix:
        checked(prefix.removesuffix("/"))
    return prefix
