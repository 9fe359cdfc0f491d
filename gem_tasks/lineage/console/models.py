"""What the page of scores asks: trained models and promotions, with all the columns that there are."""

from gem_tasks.domain.base import Json
from gem_tasks.lineage.connection import Part


class Models(Part):
    """Small tables, shown whole."""

    def trained(self) -> list[Json]:
        """The newest models first, column by column."""
        return [row["found"] for row in self._db.rows("console_models")]

    def promotions(self) -> list[Json]:
        """The newest decisions first, column by column."""
        return [row["found"] for row in self._db.rows("console_promotions")]
