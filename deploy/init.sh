#!/usr/bin/env bash
# What has to happen once per deployment and per upgrade, before any service starts; safe to repeat.
set -euo pipefail

refuse() {
  echo "init: $*" >&2
  exit 1
}

# What would otherwise show as services that restart for ever, or not at all.
for folder in "$AIRFLOW_HOME/logs" "$GEM_HOME"; do
  mkdir -p "$folder" 2>/dev/null || true  # an empty volume over AIRFLOW_HOME hides the image's folders
  [ -w "$folder" ] || refuse "$folder cannot be written by user $(id -u): change the owner of the volume mounted there"
done
for name in POSTGRES_PASSWORD REDIS_PASSWORD AIRFLOW_DB_PASSWORD GEM_PIPELINE_DB_PASSWORD GEM_CONSOLE_DB_PASSWORD; do
  [[ "${!name:-}" =~ ^[A-Za-z0-9._~-]*$ ]] || refuse "$name is part of URLs: use letters, digits and . _ ~ - only"
done
server="${AWS_ENDPOINT_URL:-}"
if [[ "${server,,}" =~ ^http://s3(\.|:|/|$) ]]; then
  for name in AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY; do
    [ -n "${!name:-}" ] || refuse "$name is missing: set it in .env, or the bundled S3 server is open to every container"
  done
fi

python - <<'PY'  # beside the lineage, where both are to be on one server
import os
from urllib.parse import unquote, urlsplit

import psycopg
from psycopg.sql import SQL, Identifier, Literal

airflow, gem = urlsplit(os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]), urlsplit(os.environ["GEM_POSTGRES_DSN"])
if airflow.hostname == gem.hostname and airflow.port == gem.port:
    name, owner = airflow.path.strip("/"), unquote(airflow.username or "")
    with psycopg.connect(gem.geturl(), autocommit=True) as connection:
        if owner != connection.info.user:
            known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [owner]).fetchone()
            login = SQL("{} ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD {}")
            password = Literal(unquote(airflow.password or ""))
            connection.execute(login.format(SQL("ALTER" if known else "CREATE"), Identifier(owner), password))
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            connection.execute(SQL("CREATE DATABASE {} TEMPLATE template0").format(Identifier(name)))
        connection.execute(SQL("ALTER DATABASE {} OWNER TO {}").format(Identifier(name), Identifier(owner)))
        connection.execute(SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(Identifier(name)))
    # What an older GEM made there belongs to the owner of everything.
    with psycopg.connect(gem.geturl(), dbname=name, autocommit=True) as connection:
        connection.execute(SQL("ALTER SCHEMA public OWNER TO {}").format(Identifier(owner)))
        kinds = {"r": "TABLE", "p": "TABLE", "v": "VIEW"}
        owned = connection.execute(
            "SELECT relname, relkind::text FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " AND relkind IN ('r', 'p', 'v') AND relowner <> %s::regrole", [owner]
        ).fetchall()
        for relation, kind in owned:  # a sequence of a column follows its table
            change = SQL("ALTER {} {} OWNER TO {}").format(SQL(kinds[kind]), Identifier(relation), Identifier(owner))
            connection.execute(change)
        types = connection.execute(
            "SELECT typname FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype = 'e'"
        ).fetchall()
        for (kind,) in types:
            connection.execute(SQL("ALTER TYPE {} OWNER TO {}").format(Identifier(kind), Identifier(owner)))
PY
airflow db migrate
python -m gem_tasks.lineage.migrate
if [ -n "${GEM_PIPELINE_DB_PASSWORD:-}" ]; then
  python -m gem_tasks.lineage.roles
fi
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

# Through Airflow's own classes: FAB's commands take a password as an argument, which every process list shows, and each of
# Airflow's imports all of it again.
python - <<'PY'
import os

from airflow.models.pool import Pool
from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder

from gem_tasks.settings import load

with get_application_builder() as builder:
    manager, password = builder.sm, os.environ["AIRFLOW_ADMIN_PASSWORD"]
    if user := manager.find_user("admin"):
        manager.reset_password(user.id, password)
    elif not manager.add_user("admin", "GEM", "Admin", "admin@localhost", manager.find_role("Admin"), password):
        raise SystemExit("the user admin cannot be made")

# Tasks that talk to one LLM endpoint at once; each adapts its own number of requests (docs/llm-plane.md).
pools = {"gem_llm": "Tasks that talk to the LLM endpoint at once"}
for stage in ("filter", "extract", "generate", "refine", "validate"):
    pools[f"gem_llm_{stage}"] = f"The same for {stage}, when it has an endpoint of its own"
slots = load().llm_slots  # ingestion divides a bulk import by the same number
for name, description in pools.items():
    Pool.create_or_update_pool(name=name, slots=slots, description=description, include_deferred=False)
PY
