"""What has to hold of store and database whatever happened, looked at without any of GEM's own code.

    python -m benchmarks.distributed.invariants 'postgresql://…' s3://bucket/store     # of a deployment of your own

Each broken one is a line; none: the list is empty.
"""

import io
import json
import sys
from collections import Counter, defaultdict
from urllib.parse import urlsplit

import boto3
import psycopg
import pyarrow.parquet as pq

STAGES = ("filter", "extract", "generate", "refine", "validate", "revise", "revalidate")
TAKES = {"revise": "rejected"}
"""What a stage takes of the one before, where it is not what that accepted."""


def check(dsn, s3, bucket, prefix="store/"):
    """`{"segments": …, "outcomes": …, "broken": [...]}`."""
    with psycopg.connect(dsn) as pg:
        broken = [*one_outcome_each(pg), *published_is_accepted(pg), *known_objects(pg, s3, bucket, prefix)]
        broken += whole_datasets(pg, s3, bucket, prefix)
        outcomes = pg.execute(
            "SELECT stage, outcome, count(*) FROM stage_results GROUP BY 1, 2 ORDER BY 1, 2"
        ).fetchall()
        return {
            "segments": pg.execute("SELECT count(*) FROM segments").fetchone()[0],
            "outcomes": {f"{stage} {outcome}": count for stage, outcome, count in outcomes},
            "calls_recorded": int(pg.execute("SELECT coalesce(sum(calls), 0) FROM stage_results").fetchone()[0]),
            "attempts_beyond_one": pg.execute("SELECT count(*) FROM stage_results WHERE attempts > 1").fetchone()[0],
            "broken": broken,
        }


def one_outcome_each(pg):
    """A segment has one outcome of the first stage, and one of each further stage exactly when accepted before."""
    rows = pg.execute("SELECT segment_id, stage, outcome FROM stage_results").fetchall()
    found = defaultdict(dict)
    for segment, stage, outcome in rows:
        if stage in found[segment]:
            yield f"{segment} has two outcomes of {stage}"
        found[segment][stage] = outcome
    for (segment,) in pg.execute("SELECT segment_id FROM segments").fetchall():
        alive = True
        for stage in STAGES:
            has = stage in found[segment]
            if has != alive:
                yield f"{segment}: {stage} is {'there' if has else 'missing'}"
            following = STAGES[STAGES.index(stage) + 1] if stage != STAGES[-1] else ""
            alive = alive and found[segment].get(stage) == TAKES.get(following, "accepted")


def published_is_accepted(pg):
    """What was published is what the last stage accepted, less what was left out with a reason."""
    last = "SELECT segment_id FROM stage_results WHERE stage IN ('validate', 'revalidate') AND outcome = 'accepted'"
    accepted = {row[0] for row in pg.execute(last)}
    published = Counter(
        row[0]
        for row in pg.execute(
            "SELECT segment_id FROM trajectories JOIN datasets ON version = dataset_version WHERE superseded_by IS NULL"
        )
    )
    left_out = {row[0] for row in pg.execute("SELECT segment_id FROM dataset_exclusions")}
    yield from (f"{segment} is published {count} times" for segment, count in published.items() if count > 1)
    yield from (f"{segment} is published and was not accepted" for segment in published.keys() - accepted)
    yield from (f"{segment} was accepted and is nowhere" for segment in accepted - published.keys() - left_out)


def known_objects(pg, s3, bucket, prefix):
    """Every result stands in the object that its row names, once, with the row's outcome."""
    rows = defaultdict(dict)
    for key, segment, outcome in pg.execute("SELECT object_key, segment_id, outcome FROM stage_results").fetchall():
        rows[key][segment] = outcome
    for key, wanted in rows.items():
        try:
            table = pq.read_table(io.BytesIO(s3.get_object(Bucket=bucket, Key=prefix + key)["Body"].read()))
        except s3.exceptions.NoSuchKey:
            yield f"{key} is gone"
            continue
        there = list(zip(table["segment_id"].to_pylist(), table["kind"].to_pylist(), strict=True))
        if len({segment for segment, _ in there}) != len(there):
            yield f"{key} has a segment twice"
        for segment, outcome in wanted.items():
            if dict(there).get(segment) != outcome:
                yield f"{key}: {segment} is {dict(there).get(segment)}, its row says {outcome}"


def whole_datasets(pg, s3, bucket, prefix):
    """A dataset that is visible is whole: the files of its manifest have as many rows as manifest and table say."""
    for version, count in pg.execute("SELECT version, trajectories FROM datasets").fetchall():
        folder = f"{prefix}datasets/{version}/"
        manifest = json.loads(s3.get_object(Bucket=bucket, Key=folder + "manifest.json")["Body"].read())
        rows = sum(
            pq.read_table(io.BytesIO(s3.get_object(Bucket=bucket, Key=folder + name)["Body"].read())).num_rows
            for name in manifest["files"]
        )
        if not rows == count == manifest["trajectories"]:
            yield f"{version}: {rows} rows, the manifest says {manifest['trajectories']}, the table {count}"


def published(dsn, partition):
    """Whether a version of the partition is current and nothing of it is left to do."""
    with psycopg.connect(dsn) as pg:
        return bool(pg.execute(
            "SELECT count(*) FROM datasets WHERE partition_key = %s AND superseded_by IS NULL", [partition]
        ).fetchone()[0])  # fmt: skip


def collect(dsn, s3, bucket, out, prefix="store/"):
    """Copies the current datasets, so that runs can be compared byte by byte."""
    with psycopg.connect(dsn) as pg:
        versions = [row[0] for row in pg.execute("SELECT version FROM datasets WHERE superseded_by IS NULL").fetchall()]
    for version in versions:
        found = s3.list_objects_v2(Bucket=bucket, Prefix=f"{prefix}datasets/{version}/").get("Contents", [])
        for each in found:
            path = out / each["Key"].removeprefix(prefix)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read())


def compare(one, other):
    """Files that only one has, or that differ."""
    names = {path.relative_to(top).as_posix() for top in (one, other) for path in top.rglob("*") if path.is_file()}
    return sorted(name for name in names if _bytes(one / name) != _bytes(other / name))


def _bytes(path):
    """A file's content; of a manifest without what the calls took, which is more where some were made again."""
    if not path.is_file():
        return None
    if path.name != "manifest.json":
        return path.read_bytes()
    manifest = json.loads(path.read_bytes())
    for stage in manifest["funnel"]["stages"]:
        for name in ("calls", "prompt_tokens", "completion_tokens", "usd"):
            stage.pop(name)
    return json.dumps(manifest).encode()


if __name__ == "__main__":
    url = urlsplit(sys.argv[2])
    report = check(sys.argv[1], boto3.client("s3"), url.netloc, f"{url.path.strip('/')}/".lstrip("/"))
    print(json.dumps(report, indent=1))
    sys.exit(bool(report["broken"]))
