"""Brings the lineage's schema to the newest version."""

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from gem_tasks.errors import UserError
from gem_tasks.resources import shipped


def migrate(dsn: str, revision: str = "head") -> None:
    """Upgrades, or downgrades to an older revision (`base` for nothing). Safe when two processes do it at once.

    Raises:
        UserError: the database does not answer.
    """
    engine = create_engine(dsn.replace("postgresql://", "postgresql+psycopg://", 1))
    config = Config()
    config.set_main_option("script_location", str(shipped("sql") / "migrations"))
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('gem-migrate', 0))"))
            config.attributes["connection"] = connection
            step = command.downgrade if revision == "base" else command.upgrade
            step(config, revision)
    except OperationalError as error:
        raise UserError("The lineage database cannot be reached", "Start it with `gem up`.") from error
    finally:
        engine.dispose()
