"""The host name when all of Airflow runs on one machine: its log server listens on loopback only."""


def hostname() -> str:
    """The callable for `[core] hostname_callable`."""
    return "localhost"
