"""Combines stages, checks, store, lineage and LLM; Airflow tasks, the CLI and notebooks call these functions."""
