"""Shared code of the DAG files: the bridge from Airflow to gem_tasks."""
