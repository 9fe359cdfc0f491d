"""Evaluates people's ratings of the checks: which kinds of findings should no longer reject.

Checks are pure, so findings are computed from the stored conversations; Postgres caches them per version of the checks,
because every chain of recipes needs the kinds that do not refuse.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from statistics import fmean

from pydantic import ValidationError

from gem_tasks.checks import CHECKS_VERSION
from gem_tasks.checks.faults import refusing
from gem_tasks.domain.audit import GOOD
from gem_tasks.domain.gate import MinimumAgreement
from gem_tasks.domain.judgement import Judgement
from gem_tasks.domain.outcome import Outcome
from gem_tasks.domain.people import Rated, kind_of, precision
from gem_tasks.errors import first_line
from gem_tasks.lineage import Ledger, RatedRow, Said
from gem_tasks.pipeline.conversations import Conversation, Place, conversations
from gem_tasks.pipeline.policy_file import policy
from gem_tasks.settings import Settings
from gem_tasks.stages.validate import findings_of
from gem_tasks.store import open_store

logger = logging.getLogger(__name__)


def rated(ledger: Ledger, fetch: Callable[[str], bytes]) -> list[Rated]:
    """Every rated conversation whose objects still exist, once, even if several audits drew it.

    Args:
        ledger: an open connection.
        fetch: returns an object of the store by its key; raises KeyError if it is missing.

    Raises:
        StoreError: the store does not answer.
    """
    rows = ledger.audits.rated_conversations(GOOD, CHECKS_VERSION)
    if missing := [row for row in rows if row.said is None]:
        ledger.audits.insert_findings(CHECKS_VERSION, _said(ledger, fetch, missing))
        rows = ledger.audits.rated_conversations(GOOD, CHECKS_VERSION)
    return _weighted([row for row in rows if row.said])


def kinds_to_open(settings: Settings) -> tuple[str, ...]:
    """Kinds of errors (`check/kind`) that may no longer reject under the policy, because people disagree with them.

    Reads nothing unless the policy sets a minimum agreement.

    Raises:
        UserError: the policy is not valid, or the lineage database does not answer.
        StoreError: the store does not answer.
    """
    least = policy(settings).agreement
    if least is None or settings.postgres_dsn is None:
        return ()
    with Ledger(settings.database) as ledger:
        return below(rated(ledger, open_store(settings.store_root, settings.s3).get), least)


def below(found: Sequence[Rated], least: MinimumAgreement) -> tuple[str, ...]:
    """Kinds of errors that agree with people less than required, in alphabetical order."""
    counts = {kind: precision(found, kind) for kind in refusing()}
    return tuple(
        sorted(
            kind
            for kind, count in counts.items()
            if count.items >= least.sample and count.share is not None and count.share < least.min_precision
        )
    )


def _said(ledger: Ledger, fetch: Callable[[str], bytes], rows: Iterable[RatedRow]) -> list[Said]:
    """Findings and verdicts. Missing or unreadable conversations have none: they are tried again."""
    by_shard: defaultdict[tuple[str, int, str], dict[Place, RatedRow]] = defaultdict(dict)
    for row in rows:
        place = Place(row.partition, row.shard, row.recipe_id, row.segment_id)
        by_shard[place[:3]][place] = row
    said: list[Said] = []
    for wanted in by_shard.values():
        try:
            said += [_say(wanted[each.place], each) for each in conversations(ledger, fetch, wanted)]
        except (KeyError, ValidationError) as error:
            logger.warning("%d rated conversations are missing or unreadable: %s", len(wanted), first_line(error))
    return said


def _say(row: RatedRow, found: Conversation) -> Said:
    kinds = frozenset(kind_of(finding) for finding in findings_of(found.record))
    judged, faults = _verdict(found.outcome)
    return Said(item_id=row.item_id, recipe_id=row.recipe_id, kinds=kinds, judged=judged, faults=faults)


def _verdict(outcome: Outcome) -> tuple[bool, frozenset[str]]:
    """Whether the judge was asked, and its reasons to refuse; older refusals are stored without their judgement."""
    if outcome.payload:
        return True, frozenset(Judgement.model_validate_json(outcome.payload).faults)
    reason = outcome.reason or ""
    return (True, frozenset({reason})) if reason.startswith("judge_") else (False, frozenset())


def _weighted(rows: Sequence[RatedRow]) -> list[Rated]:
    """Ratings of all audits combined. Within a sample every conversation has the same weight; together they weigh as
    much as the population that the sample was drawn from, averaged over the ratings.
    """
    merged: dict[tuple[str, str, str], list[RatedRow]] = {}
    for row in rows:
        merged.setdefault((row.sample, row.recipe_id, row.item_id), []).append(row)
    counts = Counter(sample for sample, _, _ in merged)
    population = {sample: fmean(row.population for row in rows if row.sample == sample) for sample in counts}
    return [
        Rated(
            sample=sample,
            weight=population[sample] / counts[sample],
            refused=2 * sum(row.keepers for row in same) <= sum(row.raters for row in same),
            kinds=said.kinds,
            judged=said.judged,
            faults=said.faults,
        )
        for (sample, _, _), same in merged.items()
        if (said := same[0].said)
    ]
