"""Assets that connect the DAGs. A partition of `gem_segments` is one tick of the ingestion schedule."""

from airflow.sdk import Asset

SEGMENTS = Asset(name="gem_segments", uri="gem://segments", group="gem")
DATASET = Asset(name="gem_dataset", uri="gem://dataset", group="gem")
