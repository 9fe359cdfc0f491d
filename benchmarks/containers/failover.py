"""Postgres fails over to a standby in the middle of a run: no run is started by hand, and nothing is lost.

    python -m benchmarks.containers.failover CORPUS.jsonl      # root

A second server follows the first one synchronously. The first is killed for good, the second promoted, and takes its
name on the network. `benchmarks.distributed.invariants` then reads store and database. Prints JSON; exits with 1 if
anything does not hold.
"""

import argparse
import json
import os
import sys
import time
from contextlib import suppress
from pathlib import Path

from benchmarks.containers.faults import docker
from benchmarks.containers.stack import RAW, Stack, drive, stack
from tests.e2e.compose import wait

STANDBY = """
services:
  standby:
    image: postgres:17.6-bookworm
    user: postgres
    networks: [gem]
    tmpfs: ["/data:mode=1777"]
    environment: {PGPASSWORD: "${POSTGRES_PASSWORD}", PGUSER: gem}
    entrypoint: [sh, -c]
    command: ["until pg_basebackup -h postgres -D /data/pg -R -X stream; do sleep 1; done;
      exec postgres -D /data/pg -c listen_addresses='*' -c max_connections=300
      -c unix_socket_directories=/var/run/postgresql"]
"""
ADMIT = 'echo "host replication gem samenet scram-sha-256" >> "$PGDATA/pg_hba.conf"'
STREAMING = "SELECT sync_state FROM pg_stat_replication WHERE state = 'streaming'"
RESULTS = "SELECT count(*) FROM stage_results"


def main() -> None:
    """A run with a failover in its middle, and what it leaves."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--teacher", default="latency_s=1")
    options = parser.parse_args()
    settings = {"GEM_SHARD_SEGMENTS": "20", "GEM_LLM_CONCURRENCY": "4", "GEM_LLM_SLOTS": str(2 * options.workers)}
    with stack(settings, options.teacher, options.workers, STANDBY) as deployed:
        follow(deployed)
        deployed.upload(options.corpus)
        deployed.trigger("gem_ingest", {"source": RAW, "license": "CC0-1.0"})
        before, away = fail_over(deployed)
        result = {
            **drive(deployed),
            "results_before": before,
            "seconds_without_postgres": away,
            **deployed.invariants(),
        }
    print(json.dumps(result, indent=1))
    sys.exit(bool(result["broken"] or result["runs_started_by_hand"]))


def follow(deployed: Stack) -> None:
    """Makes the standby a synchronous one: what is committed is on both."""
    deployed.run("exec", "-T", "postgres", "sh", "-c", "PGDATA=${PGDATA:-/var/lib/postgresql/data}; " + ADMIT)
    deployed.psql("SELECT pg_reload_conf()")
    wait(lambda: deployed.psql(STREAMING), 300)
    deployed.psql("ALTER SYSTEM SET synchronous_standby_names = '*'")
    deployed.psql("SELECT pg_reload_conf()")
    wait(lambda: deployed.psql(STREAMING) == [["sync"]], 60)


def fail_over(deployed: Stack) -> tuple[int, float]:
    """Kills the first server once there are results; returns how many, and how long no server answered."""
    enough = wait(lambda: int(deployed.psql(RESULTS)[0][0]) > 20 and deployed.psql(RESULTS), 1200)
    (first,), (second,) = deployed.containers("postgres"), deployed.containers("standby")
    (network,) = json.loads(docker("inspect", "--format", "{{json .NetworkSettings.Networks}}", second))
    began = time.monotonic()
    docker("update", "--restart", "no", first)  # fencing: it must not come back beside its successor
    docker("kill", first)
    docker("exec", second, "pg_ctl", "promote", "-D", "/data/pg")
    docker("network", "disconnect", network, second)
    docker("network", "connect", "--alias", "postgres", network, second)
    deployed.database = "standby"

    def answers() -> bool:
        with suppress(OSError):
            return deployed.psql("SELECT pg_is_in_recovery()") == [["f"]]
        return False

    wait(answers, 120)
    return int(enough[0][0]), round(time.monotonic() - began, 1)


if __name__ == "__main__":
    if os.geteuid():
        sys.exit("needs root")
    main()
