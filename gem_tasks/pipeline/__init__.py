"""Where stages, checks, store, lineage and LLM meet; Airflow tasks, the CLI and notebooks call these functions."""
