"""Queries of the page of scores: trained models and promotions, with all columns."""

from gem_tasks.domain.base import Json
from gem_tasks.lineage.connection import Part


class Models(Part):
    """Small tables, shown completely."""

    def trained(self) -> list[Json]:
        """Models, newest first, with all columns."""
        return [row["found"] for row in self._db.rows("console_models")]

    def promotions(self) -> list[Json]:
        """Decisions, newest first, with all columns."""
        return [row["found"] for row in self._db.rows("console_promotions")]
