"""Where the DAGs and plugins lie."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
DAGS = ROOT / "dags"
PLUGINS = ROOT / "plugins"
