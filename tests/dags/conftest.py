"""Airflow on a throw-away SQLite home, pointed there before anything imports it."""

import os
import sys
import tempfile

from tests.dags.folder import DAGS

home = tempfile.mkdtemp(prefix="gem-airflow-")
os.environ.update(
    {
        "AIRFLOW_HOME": home,
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
    }
)
sys.path.insert(0, str(DAGS))
