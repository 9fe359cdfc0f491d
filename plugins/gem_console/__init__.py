"""GEM's pages in the Airflow UI. HTTP and markup only: what they show comes from `gem_tasks.console`."""
