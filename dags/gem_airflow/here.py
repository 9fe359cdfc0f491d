"""The name of this machine where all of Airflow runs on it: its log server listens on loopback only."""


def hostname() -> str:
    """For `[core] hostname_callable`."""
    return "localhost"
