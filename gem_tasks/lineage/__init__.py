"""The lineage in Postgres: the history of every document. SQL is in `sql/`; only this package runs it."""

from collections.abc import Generator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

import psycopg

from gem_tasks.lineage.announcements import Announcements
from gem_tasks.lineage.api_findings import ApiFindings
from gem_tasks.lineage.audits import Audits, RatedRow, Said
from gem_tasks.lineage.batches import Batches, BatchRow, EndState, Place
from gem_tasks.lineage.budgets import BudgetAccount, Budgets
from gem_tasks.lineage.changes import Changes
from gem_tasks.lineage.compare import Comparisons
from gem_tasks.lineage.connection import Connection, Row
from gem_tasks.lineage.datasets import Datasets, TrajectoryRow
from gem_tasks.lineage.distill import Distill
from gem_tasks.lineage.evaluations import EvaluationRow, Evaluations
from gem_tasks.lineage.failures import Failures
from gem_tasks.lineage.gates import Gates
from gem_tasks.lineage.ingestion import Ingestion
from gem_tasks.lineage.judging import Judging
from gem_tasks.lineage.locks import Locks
from gem_tasks.lineage.near_duplicates import NearDuplicates
from gem_tasks.lineage.observed import Observed
from gem_tasks.lineage.prefilters import Prefilters
from gem_tasks.lineage.prompts import Prompts
from gem_tasks.lineage.quotas import QuotaTexts
from gem_tasks.lineage.realised import Realisations
from gem_tasks.lineage.rebuild import Link, Rebuild, Scope
from gem_tasks.lineage.reports import Reports
from gem_tasks.lineage.retention import Retention
from gem_tasks.lineage.sources import ListedObject, ReadObject, Registered, Sources
from gem_tasks.lineage.stages import RunContext, Stages
from gem_tasks.lineage.stale import Stale
from gem_tasks.lineage.synthesizer import Synthesizer
from gem_tasks.lineage.top import Top
from gem_tasks.lineage.versions import Settled, Versions

__all__ = [
    "BatchRow",
    "BudgetAccount",
    "EndState",
    "EvaluationRow",
    "Evaluations",
    "Ledger",
    "Link",
    "ListedObject",
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


class Ledger:
    """One connection with all records and queries, by subject; use it in a `with` block.

    Each subject is a class in a module of the same name, with its SQL in `sql/queries/` under that name.
    """

    def __init__(self, dsn: str) -> None:
        self._db = db = Connection(dsn)
        self.announcements = Announcements(db)
        self.api_findings = ApiFindings(db)
        self.audits = Audits(db)
        self.batches = Batches(db)
        self.budgets = Budgets(db)
        self.changes = Changes(db)
        self.comparisons = Comparisons(db)
        self.datasets = Datasets(db)
        self.distill = Distill(db)
        self.evaluations = Evaluations(db)
        self.failures = Failures(db)
        self.gates = Gates(db)
        self.ingestion = Ingestion(db)
        self.judging = Judging(db)
        self.locks = Locks(db)
        self.near_duplicates = NearDuplicates(db)
        self.observed = Observed(db)
        self.prefilters = Prefilters(db)
        self.prompts = Prompts(db)
        self.quotas = QuotaTexts(db)
        self.realised = Realisations(db)
        self.rebuild = Rebuild(db)
        self.reports = Reports(db)
        self.retention = Retention(db)
        self.sources = Sources(db)
        self.stages = Stages(db)
        self.stale = Stale(db)
        self.synthesizer = Synthesizer(db)
        self.top = Top(db)
        self.versions = Versions(db)

    def __enter__(self) -> Self:
        """Connects.

        Raises:
            UserError: Postgres does not answer or refuses the login; the password is not in the message.
        """
        self._db.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the connection; an open transaction is rolled back."""
        self._db.__exit__(kind, error, trace)

    @property
    def pg(self) -> psycopg.Connection[Row]:
        """The driver's connection, for tests and benchmarks."""
        return self._db.pg

    @contextmanager
    def transaction(self) -> Generator[None]:
        """All statements inside take effect together, regardless of their subject."""
        with self._db.transaction():
            yield
