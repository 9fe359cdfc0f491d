"""Asks a model what conversations of a version really are: a sample drawn by a seed, each conversation once.

The model is that of `validate`. Every answer is recorded as it arrives, with model, prompt and menus, so that an
interrupted command continues where it stopped, and a second one costs nothing.
"""

import asyncio
import heapq
import json
import logging
from collections.abc import Iterable, Sequence
from hashlib import sha256

from gem_tasks.dataset.card import OFFLINE_MODEL
from gem_tasks.dataset.realised import Counting, has_tool_error, messages_of
from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.chat import ChatRequest, Completion
from gem_tasks.domain.costs import known_total
from gem_tasks.domain.realised import Found, Judged, Realised, with_judgements
from gem_tasks.domain.stage import StageName
from gem_tasks.domain.trajectory import Message
from gem_tasks.errors import CONFIGURATION, EndpointError
from gem_tasks.lineage import Ledger
from gem_tasks.lineage.realised import PlanJudge
from gem_tasks.llm.usage.metered import MeteredClient
from gem_tasks.pipeline.recipes import MENUS
from gem_tasks.pipeline.shard.budget import BudgetSpentError, OwnBudget
from gem_tasks.pipeline.shard.endpoint import explain
from gem_tasks.pipeline.shard.spending import priced
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.plans import Menus
from gem_tasks.ports import ChatClient
from gem_tasks.prompts import load
from gem_tasks.prompts.tags import TagError
from gem_tasks.stages import plan_judge
from gem_tasks.stages.base import repair

logger = logging.getLogger(__name__)
_STAGE: StageName = "validate"
NOBODY_ASKED = "no model was asked: gem plans judge, or GEM_PLANS_JUDGED"
OFFLINE = "the offline teacher cannot judge plans: set a model for validate"


class Drawn(Value):
    """A conversation of the sample."""

    trajectory_id: str
    planned: dict[str, str | int]
    messages: tuple[Message, ...]


class JudgeReport(Value):
    """The result of a round of questions."""

    realised: Realised
    sampled: int
    known: int
    """Answers of the sample that an earlier round recorded."""
    failed: int = 0
    """Conversations without an answer; the same command asks again."""
    unaffordable: int = 0
    calls: int = 0
    usd: float | None = None
    error: str = ""
    """Why the last failed call failed."""


def judge_of(work: Workspace, menus: Menus) -> PlanJudge:
    """The identity of the judge in force."""
    asking, prompt = work.chain.asking(_STAGE), plan_judge.prompt()
    sampling = work.settings.options_for(_STAGE).applied_to(plan_judge.SAMPLING)
    parts = [asking.model, prompt.sha256, menus.sha256, sampling.params]
    return PlanJudge(
        judge=sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:20],
        model=asking.model, prompt_sha256=prompt.sha256, menus_sha256=menus.sha256,
    )  # fmt: skip


def draw(rows: Iterable[Json], size: int, seed: int, counting: Counting) -> list[Drawn]:
    """A sample of the rows that depends only on the seed and their ids; counts all of them on the way."""
    kept: list[tuple[int, Drawn]] = []
    for row in rows:
        metadata, messages = row["metadata"], messages_of(row)
        counting.add(messages, metadata.get("plan"), metadata.get("language"))
        key = metadata["trajectory_id"]
        turn = -int(sha256(f"{seed}\0{key}".encode()).hexdigest()[:16], 16)
        drawn = Drawn(trajectory_id=key, planned=metadata.get("plan") or {}, messages=tuple(messages))
        if len(kept) < size:
            heapq.heappush(kept, (turn, drawn))
        elif size and turn > kept[0][0]:
            heapq.heapreplace(kept, (turn, drawn))
    return [drawn for _, drawn in sorted(kept, key=lambda each: each[1].trajectory_id)]


def judge(
    work: Workspace, menus: Menus, sample: Sequence[Drawn], counted: Realised, budget_usd: float | None = None
) -> JudgeReport:
    """Asks about those of the sample that have no recorded answer.

    Args:
        work: workspace of the dataset.
        menus: those from which the plans were drawn.
        sample: the conversations.
        counted: what code counted.
        budget_usd: the most that the questions may cost.

    Raises:
        UserError: the endpoint cannot be used, or there is a budget and no price.
    """
    asked_by, ids = judge_of(work, menus), [each.trajectory_id for each in sample]
    if asked_by.model == OFFLINE_MODEL:
        offline = counted.model_copy(update={"not_judged": OFFLINE})
        return JudgeReport(realised=offline, sampled=len(sample), known=0)
    with work.ledger() as ledger:
        texts = {asked_by.prompt_sha256: (plan_judge.NAME, plan_judge.prompt().text), menus.sha256: (MENUS, menus.text)}
        ledger.stages.record_recipes(texts, [])
        known = {each.trajectory_id for each in ledger.realised.known(asked_by.judge, ids)}
        asking = _Asking(work, menus, asked_by, ledger)
        missing = [each for each in sample if each.trajectory_id not in known]
        if missing:
            asyncio.run(asking.all(missing, budget_usd))
        judged = ledger.realised.known(asked_by.judge, ids)
    realised = with_judgements(counted, judged, asked_by.model_dump(exclude={"judge"})) if judged else counted
    return JudgeReport(
        realised=realised, sampled=len(sample), known=len(known), failed=asking.failed,
        unaffordable=asking.unaffordable, calls=asking.calls, usd=asking.usd, error=asking.error,
    )  # fmt: skip


class _Asking:
    """One round of questions."""

    def __init__(self, work: Workspace, menus: Menus, judge: PlanJudge, ledger: Ledger) -> None:
        self._work, self._menus, self._judge, self._ledger = work, menus, judge, ledger
        self.failed = self.unaffordable = self.calls = 0
        self.usd: float | None = None
        self.error = ""

    async def all(self, sample: Sequence[Drawn], budget_usd: float | None) -> None:
        """Asks about all at once.

        Raises:
            UserError: the endpoint cannot be used, or there is a budget and no price.
        """
        price, limit = priced(self._work, _STAGE), budget_usd or self._work.settings.budget_usd
        async with self._work.client(_STAGE) as endpoint:
            budget = OwnBudget(limit) if limit else None
            client = MeteredClient(endpoint, price, budget, limit_of=endpoint.limit_of) if price else endpoint
            await asyncio.gather(*(self._one(client, each) for each in sample))

    async def _one(self, client: ChatClient, drawn: Drawn) -> None:
        try:
            answer = await self._answer(client, drawn)
        except BudgetSpentError:
            self.unaffordable += 1
        except EndpointError as error:
            self.calls += error.calls
            if error.error_class in CONFIGURATION:
                raise explain(error, self._work, _STAGE) from error
            self.failed, self.error = self.failed + 1, f"{error.error_class}: {error.detail}"[:300]
            logger.warning("conversation %s is not judged: %s", drawn.trajectory_id, self.error)
        else:
            self._ledger.realised.record(self._judge, answer)

    async def _answer(self, client: ChatClient, drawn: Drawn) -> Judged:
        """Asks; an answer that cannot be read at all is asked for once more."""
        messages = plan_judge.request(self._menus, drawn.messages)
        completion = await self._complete(client, messages)
        spent = [completion]
        found, complaint = self._read(completion, drawn)
        if complaint:
            again = repair(load("repair"), messages, completion.text or "", complaint)
            spent.append(await self._complete(client, again))
            found, complaint = self._read(spent[-1], drawn)
        return Judged(
            trajectory_id=drawn.trajectory_id,
            planned=drawn.planned,
            found=Found(unreadable={"answer": complaint[:300]}) if complaint else found,
            prompt_tokens=sum(each.usage.prompt_tokens for each in spent),
            completion_tokens=sum(each.usage.completion_tokens for each in spent),
            usd=known_total(each.usd for each in spent),
        )

    async def _complete(self, client: ChatClient, messages: Sequence[object]) -> Completion:
        sampling = self._work.settings.options_for(_STAGE).applied_to(plan_judge.SAMPLING)
        request = ChatRequest.model_validate(
            {"model": self._judge.model, "messages": messages, "sampling": sampling,
             "answer_schema": plan_judge.answer_schema(self._menus)}
        )  # fmt: skip
        completion = await client.complete(request)
        self.calls += completion.calls
        if completion.usd is not None:
            self.usd = (self.usd or 0.0) + completion.usd
        return completion

    def _read(self, completion: Completion, drawn: Drawn) -> tuple[Found, str]:
        """What the answer says, or why it says nothing."""
        errors = has_tool_error(drawn.messages)
        try:
            return plan_judge.parse(completion.text or "", self._menus, drawn.messages, tool_error=errors), ""
        except TagError as error:
            return Found(), str(error)
