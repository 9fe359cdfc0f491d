"""Where things lie in the object store: the layout of DESIGN.md in one place."""


def segments_key(partition: str, shard: int) -> str:
    """Segments of a shard."""
    return f"segments/{partition}/shard-{shard:05d}.parquet"


def stage_key(stage: str, recipe: str, partition: str, shard: int) -> str:
    """Outcomes of a stage over a shard under a recipe."""
    return f"stages/{stage}/{recipe}/{partition}/shard-{shard:05d}.parquet"


def dataset_key(version: str, name: str) -> str:
    """A file of a dataset version; an empty name gives its folder."""
    return f"datasets/{version}/{name}"
