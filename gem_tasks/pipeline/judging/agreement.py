"""Measures what the judge adds to the checks: how often the two agree on the same trajectories.

Trajectories that pass the checks go to the judge anyway, so its verdicts on them are known. It never sees those that
the checks refuse: here it judges a random sample of them, and only the report uses those verdicts.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Sequence

from gem_tasks.domain.base import Value
from gem_tasks.domain.chat import ChatRequest
from gem_tasks.domain.judgement import Judgement
from gem_tasks.domain.record import Record
from gem_tasks.errors import CONFIGURATION, EndpointError
from gem_tasks.llm.usage.metered import MeteredClient
from gem_tasks.pipeline.shard.budget import BudgetSpentError, OwnBudget
from gem_tasks.pipeline.shard.endpoint import explain
from gem_tasks.pipeline.shard.records import load_records
from gem_tasks.pipeline.shard.spending import priced
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.ports import ChatClient
from gem_tasks.prompts.tags import TagError
from gem_tasks.stages.validate import Validate, judged

_STAGE = Validate()


class Opinion(Value):
    """The judge's verdicts on trajectories that one check refused."""

    asked: int
    refused: int
    """Number that the judge refuses too."""


class Agreement(Value):
    """Checks compared with the judge. Rows of the two-by-two table add up to all trajectories with a result."""

    both_pass: int
    judge_refuses: int
    """Passed by the checks, refused by the judge: what the judge adds."""
    checks_refuse: int
    """Refused by the checks, so the judge was not called."""
    by_reason: dict[str, int]
    """The judge's refusals by rule or open finding."""
    sample: dict[str, Opinion]
    """Opinions by the first check that refused."""
    values: int = 0
    """Argument values in accepted trajectories: the number of questions to the judge without the check `grounding`."""
    open_values: int = 0
    """Values that the judge was asked about."""
    unreadable: int = 0
    """Unreadable answers in the sample, and failed calls."""
    unaffordable: int = 0
    """Trajectories of the sample that were not judged because the budget was too small."""
    calls: int = 0
    usd: float | None = None

    @property
    def asked(self) -> int:
        """Trajectories of the sample that have a verdict."""
        return sum(opinion.asked for opinion in self.sample.values())

    @property
    def confirmed(self) -> float | None:
        """Share of the sample that the judge refuses as well."""
        refused = sum(opinion.refused for opinion in self.sample.values())
        return refused / self.asked if self.asked else None

    @property
    def kappa(self) -> float | None:
        """Cohen's kappa (1960); the sample stands for all that the checks refuse. None without a sample."""
        if self.confirmed is None:
            return None
        both_refuse = self.checks_refuse * self.confirmed
        total = self.both_pass + self.judge_refuses + self.checks_refuse
        agree = (self.both_pass + both_refuse) / total
        judge_passes = (self.both_pass + self.checks_refuse - both_refuse) / total
        checks_pass = (self.both_pass + self.judge_refuses) / total
        chance = judge_passes * checks_pass + (1 - judge_passes) * (1 - checks_pass)
        return None if chance == 1 else (agree - chance) / (1 - chance)


def agreement(work: Workspace, sample: int, seed: int) -> Agreement:
    """Counts verdicts under the current recipe, and asks the judge about a sample of those that the checks refused.

    Raises:
        UserError: the lineage database or the endpoint cannot be used, or there is a budget and no price.
        StoreError: an object is missing.
    """
    recipe = work.chain.id_of(_STAGE.name)
    with work.ledger() as ledger:
        counts = ledger.judging.judged_counts(recipe)
        values = ledger.judging.settled_values(recipe)
        drawn = ledger.judging.refused_by_checks(recipe, seed, sample)
    wanted: dict[tuple[str, int], dict[str, str]] = defaultdict(dict)
    for row in drawn:
        wanted[row.partition, row.shard][row.segment_id] = row.reason
    records = [
        (segments[record.segment.segment_id], record)
        for (partition, shard), segments in wanted.items()
        for record in load_records(work, _STAGE.name, partition, shard, segments.keys())
    ]
    asked = asyncio.run(_ask(work, [record for _, record in records])) if records else _Asked(work)
    opinions: Counter[tuple[str, bool]] = Counter()
    for (reason, _), judgement in zip(records, asked.judgements, strict=True):
        if judgement:
            opinions[reason, judgement.kept] += 1
    return Agreement(
        both_pass=counts.get(None, 0),
        judge_refuses=sum(count for reason, count in counts.items() if _starts(reason, "judge_")),
        checks_refuse=sum(count for reason, count in counts.items() if _starts(reason, "check_")),
        by_reason={reason: count for reason, count in counts.items() if reason and _starts(reason, "judge_")},
        sample={
            reason: Opinion(asked=opinions[reason, True] + opinions[reason, False], refused=opinions[reason, False])
            for reason in sorted({reason for reason, _ in opinions})
        },
        values=values.total,
        open_values=values.open,
        unreadable=asked.judgements.count(None) - asked.unaffordable,
        unaffordable=asked.unaffordable,
        calls=asked.calls,
        usd=asked.usd,
    )


class _Asked:
    """Answers in the order of the records; None for each that is missing."""

    def __init__(self, work: Workspace) -> None:
        self._work = work
        self.judgements: list[Judgement | None] = []
        self.calls = 0
        self.usd: float | None = None
        self.unaffordable = 0
        """Number of records that the budget did not cover."""
        self.error: EndpointError | None = None
        """Why the last failed call failed."""
        self.answered = False

    async def ask(self, client: ChatClient, record: Record) -> Judgement | None:
        """Asks once, without a repair request.

        Raises:
            UserError: the endpoint cannot be used.
        """
        try:
            completion = await client.complete(self._request(record))
        except EndpointError as error:
            self.calls, self.error = self.calls + error.calls, error
            if error.error_class in CONFIGURATION:
                raise explain(error, self._work, _STAGE.name) from error
            return None
        except BudgetSpentError:
            self.unaffordable += 1
            return None
        self.calls += completion.calls
        if completion.usd is not None:
            self.usd = (self.usd or 0.0) + completion.usd
        self.answered = True
        try:
            return judged(completion.text or "", record)
        except TagError:
            return None

    def _request(self, record: Record) -> ChatRequest:
        asking = self._work.chain.asking(_STAGE.name)
        return ChatRequest(
            model=asking.model,
            messages=_STAGE.request(record, asking.prompt),
            sampling=asking.sampling,
            answer_schema=_STAGE.answer_schema,
        )


async def _ask(work: Workspace, records: Sequence[Record]) -> _Asked:
    """Asks about all records at once.

    Raises:
        UserError: the endpoint cannot be used, or there is a budget and no price.
    """
    price, limit = priced(work, _STAGE.name), work.settings.budget_usd
    asked = _Asked(work)
    async with work.client(_STAGE.name) as endpoint:
        budget = OwnBudget(limit) if limit else None
        client = MeteredClient(endpoint, price, budget, limit_of=endpoint.limit_of) if price else endpoint
        asked.judgements = list(await asyncio.gather(*(asked.ask(client, record) for record in records)))
    if asked.error and not asked.answered:
        raise explain(asked.error, work, _STAGE.name)
    return asked


def _starts(reason: str | None, prefix: str) -> bool:
    return reason is not None and reason.startswith(prefix)
