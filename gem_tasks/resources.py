"""Files of GEM outside the package: migrations and queries, DAGs, examples."""

from pathlib import Path

_PACKAGE = Path(__file__).parent


def shipped(name: str) -> Path:
    """The folder `name`: inside an installed wheel, otherwise in the checkout."""
    packed = _PACKAGE / "_shipped" / name
    return packed if packed.exists() else _PACKAGE.parent / name
