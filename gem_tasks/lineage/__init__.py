"""The lineage in Postgres: every document's life. SQL is in `sql/`; only this package runs it."""

from gem_tasks.lineage.audits import AuditRows, RatedRow, Said
from gem_tasks.lineage.batches import Batches, BatchRow, EndState, Place
from gem_tasks.lineage.compare import CompareRows
from gem_tasks.lineage.distill import DistillRows
from gem_tasks.lineage.evaluations import EvaluationRow, EvaluationRows
from gem_tasks.lineage.failures import FailureRows
from gem_tasks.lineage.ingestion import Ingestion
from gem_tasks.lineage.judging import JudgingRows
from gem_tasks.lineage.observing import ObservedRows
from gem_tasks.lineage.prefilters import PrefilterRows
from gem_tasks.lineage.prompting import PromptRows
from gem_tasks.lineage.rebuild import Link, Rebuild, Scope
from gem_tasks.lineage.reports import Reports, TrajectoryRow
from gem_tasks.lineage.retention import RetentionRows
from gem_tasks.lineage.similar import SimilarRows
from gem_tasks.lineage.sources import Compared, ReadObject, Registered, SourceRows
from gem_tasks.lineage.stages import BudgetAccount, RunContext, Stages
from gem_tasks.lineage.stale import StaleRows
from gem_tasks.lineage.versions import Settled, Versions

__all__ = [
    "BatchRow",
    "BudgetAccount",
    "Compared",
    "EndState",
    "EvaluationRow",
    "EvaluationRows",
    "Ledger",
    "Link",
    "Place",
    "RatedRow",
    "ReadObject",
    "Registered",
    "RunContext",
    "Said",
    "Scope",
    "Settled",
    "TrajectoryRow",
]


class Ledger(
    Ingestion,
    SourceRows,
    Versions,
    Stages,
    Rebuild,
    StaleRows,
    CompareRows,
    Batches,
    FailureRows,
    JudgingRows,
    SimilarRows,
    AuditRows,
    DistillRows,
    EvaluationRows,
    ObservedRows,
    PromptRows,
    PrefilterRows,
    RetentionRows,
    Reports,
):
    """One connection with everything that is recorded and asked; use it in a `with` block."""
