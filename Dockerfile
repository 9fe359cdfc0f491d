# The image of every Airflow service of docker-compose.yml and of the Helm chart: locked, multi-stage, without root.
#   docker build -t gem:local .
#   docker build -t gem:local --build-arg LOCK=kubernetes .      # with KubernetesExecutor, for the chart
# Any engine from 20.10 on builds it, with BuildKit or without: nothing here needs more than COPY and RUN.
# What is in it, and why it is no larger: docs/operations.md.
FROM python:3.12.12-slim-bookworm AS packages
ARG LOCK=production
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    UV_NO_CACHE=1 \
    UV_PYTHON_DOWNLOADS=never
# `strip`, for compiled modules. Debian has no older one to pin.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends binutils \
    && rm -rf /var/lib/apt/lists/*
COPY requirements-uv.lock /src/
RUN python -m venv /opt/uv && /opt/uv/bin/pip install --require-hashes -r /src/requirements-uv.lock
# As `make install` does, and as tested: the same uv, the same locks.
RUN /opt/uv/bin/uv venv --python "$(command -v python)" /opt/gem
COPY requirements-${LOCK}.lock /src/
RUN /opt/uv/bin/uv pip install --python /opt/gem --require-hashes -r "/src/requirements-$LOCK.lock"
COPY deploy/image /src/deploy/image
RUN python /src/deploy/image/slim.py /opt/gem/lib/python3*/site-packages
COPY requirements-build.lock pyproject.toml README.md LICENSE /src/
COPY gem_tasks /src/gem_tasks
COPY sql /src/sql
COPY dags /src/dags
COPY plugins /src/plugins
COPY envs /src/envs
COPY examples /src/examples
RUN /opt/uv/bin/uv pip install --python /opt/gem --no-deps --build-constraints /src/requirements-build.lock /src \
    && rm /opt/gem/lib/python3*/site-packages/gem_tasks-*.dist-info/uv_cache.json
RUN PYTHONHASHSEED=0 /opt/gem/bin/python /src/deploy/image/bytecode.py /opt/gem

# What the system has beside them. Its files are copied once more below, so that what is removed here is not in a layer.
FROM python:3.12.12-slim-bookworm AS system
# What confines programs of others, where the engine allows namespaces (docs/security.md). Debian has no older one to pin.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends bubblewrap
COPY deploy/image/system.sh /
RUN sh /system.sh && rm /system.sh

FROM scratch
ENV PATH=/opt/gem/bin:/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin \
    LANG=C.UTF-8 \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    AIRFLOW_HOME=/var/lib/airflow \
    GEM_HOME=/var/lib/gem
# The linter warns of an entire system: it is the base, without what was removed above.
# hadolint ignore=DL3067
COPY --from=system / /
COPY --from=packages /opt/gem /opt/gem
COPY deploy/entrypoint.sh deploy/init.sh /opt/gem/bin/
# Every folder that something is written to exists and belongs to the user: a volume over a missing one belongs to root.
# One folder for Airflow wherever site-packages lies, so that no configuration names a Python version.
# The chart's probes call the entry point by the name that it has in Airflow's own image.
RUN useradd --uid 50000 --gid 0 --home-dir "$GEM_HOME" --no-create-home gem \
    && install -d -o gem -g root -m 775 "$AIRFLOW_HOME" "$AIRFLOW_HOME/logs" "$GEM_HOME" \
    && ln -s "$(python -c 'from gem_tasks.resources import shipped; print(shipped("dags"))')" /opt/dags \
    && ln -s "$(python -c 'from gem_tasks.resources import shipped; print(shipped("plugins"))')" /opt/plugins \
    && chmod 755 /opt/gem/bin/entrypoint.sh /opt/gem/bin/init.sh && ln -s /opt/gem/bin/entrypoint.sh /entrypoint
ENV AIRFLOW__CORE__DAGS_FOLDER=/opt/dags \
    AIRFLOW__CORE__PLUGINS_FOLDER=/opt/plugins \
    AIRFLOW__CORE__LOAD_EXAMPLES=False \
    PYTHONPATH=/opt/dags:/opt/plugins
USER 50000
WORKDIR /var/lib/gem
ENTRYPOINT ["/entrypoint"]
CMD ["version"]
