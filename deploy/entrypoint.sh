#!/usr/bin/env bash
# Starts what it is told, as Airflow's own image does: the chart says `bash -c …` and `python -m …`, compose a subcommand.
set -euo pipefail
[ -z "${TMPDIR:-}" ] || mkdir -p "$TMPDIR"

# A secret may come as a file, which no list of the engine shows: NAME_FILE says where, as in the images of Postgres and others.
for name in GEM_POSTGRES_DSN GEM_LLM_API_KEY GEM_GROUND_API_KEY GEM_EVAL_API_KEY GEM_EVAL_USER_API_KEY GEM_ALERT_URL HF_TOKEN \
  GEM_PIPELINE_DB_PASSWORD GEM_CONSOLE_DB_PASSWORD AIRFLOW_DB_PASSWORD AIRFLOW_ADMIN_PASSWORD GEM_AIRFLOW_PASSWORD \
  POSTGRES_PASSWORD REDIS_PASSWORD AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AIRFLOW__DATABASE__SQL_ALCHEMY_CONN \
  AIRFLOW__CORE__FERNET_KEY AIRFLOW__API_AUTH__JWT_SECRET AIRFLOW__API__SECRET_KEY AIRFLOW__CELERY__BROKER_URL \
  AIRFLOW__CELERY__RESULT_BACKEND; do
  file="${name}_FILE"
  [ -n "${!file:-}" ] || continue
  [ -r "${!file}" ] || { echo "$file: ${!file} cannot be read by user $(id -u)" >&2; exit 1; }
  export "$name=$(<"${!file}")"
  unset "$file"
done

# The executor of the chart is in an image of its own: its clients are 60 MB that no other deployment needs.
if grep -Eqs '^ *executor *= *.*Kubernetes' "${AIRFLOW_HOME:-}/airflow.cfg" <(echo "executor = ${AIRFLOW__CORE__EXECUTOR:-}") &&
  ! compgen -G "$(dirname "$(readlink -f "$0")")/../lib/python3*/site-packages/kubernetes" > /dev/null; then
  echo "This image has no Kubernetes executor: build it with \`docker build --build-arg LOCK=kubernetes .\`" >&2
  exit 1
fi

case "${1:-version}" in
  airflow | bash | gem | python) exec "$@" ;;
  *) exec airflow "${@:-version}" ;;
esac
