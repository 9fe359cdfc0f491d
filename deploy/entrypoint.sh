#!/usr/bin/env bash
# Starts what it is told, as Airflow's own image does: the chart says `bash -c …` and `python -m …`, compose a subcommand.
set -euo pipefail
[ -z "${TMPDIR:-}" ] || mkdir -p "$TMPDIR"

case "${1:-version}" in
  airflow | bash | gem | python) exec "$@" ;;
  *) exec airflow "${@:-version}" ;;
esac
