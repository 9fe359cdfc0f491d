#!/usr/bin/env bash
# What has to happen once per deployment and per upgrade, before any service starts; safe to repeat.
set -euo pipefail

airflow db migrate
python -m gem_tasks.lineage.migrate
python - <<'PY'  # the bundled S3 server starts without a bucket
import os
from urllib.parse import urlsplit

url = urlsplit(os.environ["GEM_STORE_URL"])
if url.scheme == "s3" and os.environ.get("AWS_ENDPOINT_URL"):
    import boto3
    from botocore.config import Config

    from gem_tasks.proxies import proxy_for

    proxy = proxy_for(os.environ["AWS_ENDPOINT_URL"])
    s3 = boto3.client("s3", config=Config(proxies={"http": proxy, "https": proxy} if proxy else {}))
    if url.netloc not in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket=url.netloc)
PY

# Through FAB's own classes: its commands take a password as an argument, which every process list shows.
python - <<'PY'
import os

from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder

with get_application_builder() as builder:
    manager, password = builder.sm, os.environ["AIRFLOW_ADMIN_PASSWORD"]
    if user := manager.find_user("admin"):
        manager.reset_password(user.id, password)
    elif not manager.add_user("admin", "GEM", "Admin", "admin@localhost", manager.find_role("Admin"), password):
        raise SystemExit("the user admin cannot be made")
PY

# Tasks that talk to one LLM endpoint at once; each adapts its own number of requests (docs/llm-plane.md).
airflow pools set gem_llm "${GEM_LLM_SLOTS:-8}" "Tasks that talk to the LLM endpoint at once"
for stage in filter extract generate refine validate; do
  airflow pools set "gem_llm_$stage" "${GEM_LLM_SLOTS:-8}" "The same for $stage, when it has an endpoint of its own"
done
