"""Measures a trajectory synthesizer: one call per unseen text, parsed and checked like the pipeline's answers.

A case is a text; it scores 1 if the answer parses and the deterministic checks, those that the validate stage runs
before its judge, find no error. There is no second chance: a good synthesizer needs none. `answers.jsonl` contains
reason, tokens, cost and latency of every answer, so that every number can be recomputed.
"""

import asyncio
import math
import time
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from statistics import fmean

from pydantic import Field

from gem_tasks.checks import run_checks
from gem_tasks.checks.reading.case import Evidence
from gem_tasks.dataset.diversity import diversity
from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.chat import ChatRequest, Completion, Sampling
from gem_tasks.domain.corpus import Segment
from gem_tasks.domain.costs import total_cost
from gem_tasks.domain.evaluation import CaseScore, Endpoint, EvalReport, RunSettings
from gem_tasks.domain.finding import Severity
from gem_tasks.domain.trajectory import Trajectory
from gem_tasks.errors import EndpointError, UserError
from gem_tasks.evals import own
from gem_tasks.evals.folder import save_report
from gem_tasks.evals.health import require_healthy
from gem_tasks.evals.options import SynthesizerOptions
from gem_tasks.evals.progress import Progress, silent
from gem_tasks.evals.stats import average
from gem_tasks.llm.usage.prices import Pricing, pricing
from gem_tasks.prompts import load, synthesis
from gem_tasks.prompts.tags import TagError

CATEGORY = "held_out"
VERSION = "gem checks"


class Answer(Value):
    """The result for one text."""

    segment_id: str
    valid: bool
    reason: str = ""
    """Reason for a failure: `truncated`, `malformed`, or `check_…` of the first error."""
    detail: str = ""
    error: str | None = None
    """The endpoint's error, if it gave no answer."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    usd: float | None = None
    latency_s: float = 0.0
    trajectory: Trajectory | None = None

    @property
    def calls(self) -> int:
        """Requests that were answered."""
        return int(self.error is None)


class Yield(Value):
    """Cost and yield of making trajectories, for a synthesizer or for the pipeline."""

    texts: int
    accepted: int
    calls: int
    prompt_tokens: int
    completion_tokens: int
    usd: float | None
    """Cost in USD; None if a price is not known."""
    latency_s: dict[str, float] = Field(default_factory=dict)
    """Latency per text: mean, p50, p90."""
    diversity: Json = Field(default_factory=dict)
    size: dict[str, float] = Field(default_factory=dict)
    """Mean messages, tools and calls of accepted trajectories."""

    def per_accepted(self) -> Json:
        """Tokens and cost per accepted trajectory; None until one is accepted."""
        tokens, some = self.prompt_tokens + self.completion_tokens, self.accepted or None
        return {
            "tokens": tokens / some if some else None,
            "usd": self.usd / some if some and self.usd is not None else None,
        }


def evaluate(
    endpoint: Endpoint,
    options: SynthesizerOptions,
    out_dir: Path,
    *,
    segments: Sequence[Segment],
    pipeline: Yield | None = None,
    progress: Progress = silent,
) -> EvalReport:
    """Sends every text once and returns the report, which is also in `out_dir/report.json`.

    Args:
        endpoint: the synthesizer.
        options: sampling and prices.
        out_dir: folder for `answers.jsonl` and the report.
        segments: texts that it was not trained on.
        pipeline: results of the pipeline for the same texts, to compare.
        progress: called with the activity, finished texts and total texts.

    Raises:
        UserError: there is no text, or the endpoint does not answer.
    """
    if not segments:
        raise UserError("There are no held-out texts", "Name a set, a partition or a file with held-out texts.")
    require_healthy(endpoint)
    out_dir.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    answers = asyncio.run(_ask_all(endpoint, options, segments, progress))
    with (out_dir / "answers.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(f"{answer.model_dump_json()}\n" for answer in answers)
    cases = tuple(
        CaseScore(case_id=each.segment_id, category=CATEGORY, score=float(each.valid), error=each.error)
        for each in answers
    )
    report = EvalReport(
        harness="synthesizer",
        model=endpoint.model,
        scores=average(cases, "valid"),
        cases=cases,
        settings=_settings(options, segments),
        seconds=time.monotonic() - started,
        measures=_measures(answers, pipeline),
    )
    return save_report(out_dir, report)


async def _ask_all(
    endpoint: Endpoint, options: SynthesizerOptions, segments: Sequence[Segment], progress: Progress
) -> list[Answer]:
    price = pricing(endpoint.model, endpoint.base_url, options.prices)
    slots, done = asyncio.Semaphore(options.concurrency), 0
    sampling = Sampling(temperature=options.temperature, max_tokens=options.max_tokens)

    async def one(segment: Segment) -> Answer:
        nonlocal done
        request = ChatRequest(model=endpoint.model, messages=synthesis.ask(segment.text), sampling=sampling)
        try:
            async with slots:
                answer = read(await client.complete(request), segment, price)
        except EndpointError as error:
            answer = Answer(segment_id=segment.segment_id, valid=False, error=str(error)[:300])
        done += 1
        progress("synthesizer: ask and check", done, len(segments))
        return answer

    async with own.client_of(endpoint, options) as client:
        return await asyncio.gather(*map(one, segments))


def read(completion: Completion, segment: Segment, price: Pricing | None = None) -> Answer:
    """Judges an answer; never raises because of a model's text."""
    trajectory, reason, detail = None, "", ""
    if completion.finish_reason == "length":
        reason, detail = "truncated", "the answer was truncated at its length limit"
    else:
        try:
            trajectory = synthesis.read(completion.text.encode("utf-8", "replace").decode())
        except TagError as error:
            reason, detail = "malformed", str(error)[:300]
    if trajectory:
        found = run_checks(trajectory, Evidence(segment.text))
        if wrong := next((each for each in found if each.severity is Severity.ERROR), None):
            reason, detail = f"check_{wrong.check}", wrong.detail[:300]
    usage = completion.usage
    return Answer(
        segment_id=segment.segment_id,
        valid=not reason,
        reason=reason,
        detail=detail,
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        usd=price(usage) if price else None,
        latency_s=completion.latency_s,
        trajectory=trajectory,
    )


def _settings(options: SynthesizerOptions, segments: Sequence[Segment]) -> RunSettings:
    digest = sha256("\n".join(sorted(each.segment_id for each in segments)).encode()).hexdigest()[:12]
    return RunSettings(
        version=VERSION,
        subset=f"ids:{digest}",
        mode="prompt",
        temperature=options.temperature,
        extra={"prompt": load(synthesis.PROMPT).sha256, "max_tokens": options.max_tokens},
    )


def _measures(answers: Sequence[Answer], pipeline: Yield | None) -> Json:
    rows = {"synthesizer": yield_of(answers), **({"pipeline": pipeline} if pipeline else {})}
    measures: Json = {name: {**row.model_dump(), "per_accepted": row.per_accepted()} for name, row in rows.items()}
    measures["reasons"] = dict(Counter(each.reason for each in answers if each.reason).most_common())
    return measures


def yield_of(answers: Sequence[Answer]) -> Yield:
    """Sums tokens, cost and valid trajectories over the answers without an error."""
    came = [each for each in answers if each.error is None]
    accepted = [each.trajectory for each in came if each.valid and each.trajectory]
    return Yield(
        texts=len(answers),
        accepted=len(accepted),
        calls=len(came),
        prompt_tokens=sum(each.prompt_tokens for each in came),
        completion_tokens=sum(each.completion_tokens for each in came),
        usd=total_cost(came),
        latency_s=spread([each.latency_s for each in came]),
        diversity=variety(accepted),
        size=sizes(accepted),
    )


def spread(values: Sequence[float]) -> dict[str, float]:
    """Mean, median and 90th percentile (nearest rank)."""
    if not values:
        return {}
    ranked = sorted(values)
    rank = {share: ranked[max(math.ceil(share * len(ranked)) - 1, 0)] for share in (0.5, 0.9)}
    return {"mean": round(fmean(ranked), 4), "p50": round(rank[0.5], 4), "p90": round(rank[0.9], 4)}


def variety(accepted: Sequence[Trajectory]) -> Json:
    """Diversity of tool names, and the number of conversations with the same beginning."""
    if not accepted:
        return {}
    names = Counter(name for each in accepted for name in {tool.name for tool in each.tools})
    openings = Counter(
        next((message.content or "" for message in each.messages if message.role == "user"), "") for each in accepted
    )
    return {
        "tools": diversity(names, len(accepted)).model_dump(),
        "distinct_openings": len(openings) / len(accepted),
    }


def sizes(accepted: Sequence[Trajectory]) -> dict[str, float]:
    """Mean numbers of messages, tools and calls; empty without trajectories."""
    if not accepted:
        return {}
    found = [each.size for each in accepted]
    return {name: round(fmean(getattr(size, name) for size in found), 2) for name in ("messages", "tools", "calls")}
