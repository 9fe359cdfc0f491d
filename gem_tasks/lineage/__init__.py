"""The lineage in Postgres: every document's life. SQL is in `sql/`; only this package runs it."""

from gem_tasks.lineage.audits import AuditRows
from gem_tasks.lineage.batches import Batches, BatchRow, EndState, Place
from gem_tasks.lineage.failures import FailureRows
from gem_tasks.lineage.ingestion import Ingestion
from gem_tasks.lineage.judging import JudgingRows
from gem_tasks.lineage.prefilters import PrefilterRows
from gem_tasks.lineage.prompting import PromptRows
from gem_tasks.lineage.reports import Reports, TrajectoryRow
from gem_tasks.lineage.retention import RetentionRows
from gem_tasks.lineage.similar import SimilarRows
from gem_tasks.lineage.stages import Purse, RunContext, Stages

__all__ = ["BatchRow", "EndState", "Ledger", "Place", "Purse", "RunContext", "TrajectoryRow"]


class Ledger(
    Ingestion,
    Stages,
    Batches,
    FailureRows,
    JudgingRows,
    SimilarRows,
    AuditRows,
    PromptRows,
    PrefilterRows,
    RetentionRows,
    Reports,
):
    """One connection with everything that is recorded and asked; use it in a `with` block."""
