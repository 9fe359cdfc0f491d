# The image of every Airflow service of docker-compose.yml and of the Helm chart: locked, multi-stage, without root.
#   docker build -t gem:local .
FROM python:3.12.12-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/gem
COPY requirements-production.lock /src/
RUN /opt/gem/bin/pip install --require-hashes -r /src/requirements-production.lock
COPY pyproject.toml README.md LICENSE /src/
COPY gem_tasks /src/gem_tasks
COPY sql /src/sql
COPY dags /src/dags
COPY plugins /src/plugins
COPY envs /src/envs
COPY examples /src/examples
RUN /opt/gem/bin/pip install --no-deps /src && /opt/gem/bin/python -m compileall -q /opt/gem

FROM python:3.12.12-slim-bookworm
ENV PATH=/opt/gem/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    AIRFLOW_HOME=/var/lib/airflow \
    GEM_HOME=/var/lib/gem
RUN useradd --system --uid 50000 --create-home gem \
    && mkdir -p "$AIRFLOW_HOME" "$GEM_HOME" \
    && chown gem:gem "$AIRFLOW_HOME" "$GEM_HOME"
COPY --from=build /opt/gem /opt/gem
# One folder for Airflow wherever site-packages lies, so that no configuration names a Python version.
RUN ln -s "$(python -c 'from gem_tasks.resources import shipped; print(shipped("dags"))')" /opt/dags \
    && ln -s "$(python -c 'from gem_tasks.resources import shipped; print(shipped("plugins"))')" /opt/plugins
ENV AIRFLOW__CORE__DAGS_FOLDER=/opt/dags \
    AIRFLOW__CORE__PLUGINS_FOLDER=/opt/plugins \
    AIRFLOW__CORE__LOAD_EXAMPLES=False \
    PYTHONPATH=/opt/dags:/opt/plugins
COPY --chmod=755 deploy/entrypoint.sh deploy/init.sh /opt/gem/bin/
USER 50000
WORKDIR /var/lib/gem
ENTRYPOINT ["/opt/gem/bin/entrypoint.sh"]
CMD ["version"]
