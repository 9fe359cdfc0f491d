"""What the DAG files share: the bridge from Airflow to gem_tasks."""
