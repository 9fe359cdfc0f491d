"""Runs the benchmark: k tries of every case, several at a time, with a journal."""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import MappingProxyType

from gem_tasks.confine.job import SandboxMode
from gem_tasks.domain.base import Json
from gem_tasks.domain.evaluation import Endpoint, EvalReport, RunSettings
from gem_tasks.errors import UserError
from gem_tasks.evals import own
from gem_tasks.evals.folder import keep_job, save_report
from gem_tasks.evals.health import require_healthy
from gem_tasks.evals.options import WorldsOptions
from gem_tasks.evals.progress import Progress, silent
from gem_tasks.evals.tries import Journal, run_tries
from gem_tasks.evals.worlds import policies, report
from gem_tasks.evals.worlds.admission import Admitted, admitted
from gem_tasks.evals.worlds.attempts import Attempt
from gem_tasks.evals.worlds.cases import IDLE, Case, set_id, task_of
from gem_tasks.evals.worlds.play import Casting, Clients, Stage, play
from gem_tasks.prompts import load
from gem_tasks.simulate.scene import Player, Players
from gem_tasks.worlds.pool import Pool

HARNESS = "worlds"
_SCRIPTED_AT_ONCE = 2
"""Conversations at a time that wait for no endpoint: more of them only start more children."""


def evaluate(
    model: Endpoint | str,
    cases: Sequence[Case],
    options: WorldsOptions,
    out_dir: Path,
    *,
    left_out: Mapping[str, str] = MappingProxyType({}),
    sandbox: SandboxMode = "auto",
    progress: Progress = silent,
) -> EvalReport:
    """Plays every case k times and returns the report, which is also in `out_dir/report.json`.

    Args:
        model: the endpoint under test, or the name of a policy.
        cases: what to play.
        options: the user, the number of tries, and limits.
        out_dir: folder of the journal `attempts.jsonl` and the report; an unfinished run in it continues.
        left_out: other cases, and why they are not played, for the report.
        sandbox: strictness of the worlds' confinement.
        progress: called with the activity, finished tries and total tries.

    Raises:
        UserError: an endpoint does not answer or keeps failing, no case counts, or the folder belongs to another run.
    """
    started = time.monotonic()
    settings = settings_of(model, cases, options)
    if isinstance(model, Endpoint):
        for each in filter(None, (model, options.user)):
            require_healthy(each)
    keep_job(out_dir, {"model": own.name_of(model), **settings.model_dump(mode="json")})
    with Pool(most=options.concurrency, mode=sandbox) as pool:
        counted = admitted(cases, options.seed, pool, progress)
        if not set(counted.kinds.values()) - {IDLE}:
            why = next(iter(counted.refused.values()), "a conversation without calls solves all of them")
            raise UserError(f"No case counts: {why}", "Name other tasks.")
        attempts = asyncio.run(_play_all(model, cases, counted, options, out_dir, pool, progress))
    scores = tuple(each.score for each in attempts)
    found = EvalReport(
        harness=HARNESS,
        model=own.name_of(model),
        scores=report.scores(scores),
        cases=scores,
        settings=settings,
        seconds=time.monotonic() - started,
        measures=report.measures(attempts, {**left_out, **counted.refused}),
    )
    return save_report(out_dir, found)


def settings_of(model: Endpoint | str, cases: Sequence[Case], options: WorldsOptions) -> RunSettings:
    """All that scores have to share to be compared: the tasks, user, tries, seeds and caps."""
    chosen = set_id(cases)
    user = policies.SCRIPTED if isinstance(model, str) else (options.user or model).model
    extra: Json = {
        "worlds": chosen,
        "tasks": len({task_of(case.case_id) for case in cases}),
        "variants": len(cases),
        "seeds": [options.seed + number for number in range(options.tries)],
        "caps": options.caps.model_dump(),
        "user_prompt": load("simulate.user").sha256,
    }
    return own.settings_of(HARNESS, chosen, options, extra, epochs=options.tries, user_model=user)


async def _play_all(
    model: Endpoint | str,
    cases: Sequence[Case],
    counted: Admitted,
    options: WorldsOptions,
    out_dir: Path,
    pool: Pool,
    progress: Progress,
) -> list[Attempt]:
    wanted = [(case, epoch) for case in cases if case.case_id in counted.kinds for epoch in range(1, options.tries + 1)]
    async with AsyncExitStack() as stack:
        journal = stack.enter_context(Journal(out_dir, Attempt))
        clients = await stack.enter_async_context(_casting(model, options))
        stage = Stage(pool, _players(model, options), options.caps, clients)
        at_once = min(options.concurrency, _SCRIPTED_AT_ONCE) if isinstance(model, str) else options.concurrency

        async def one(wish: tuple[Case, int]) -> Attempt:
            case, epoch = wish
            return await play(stage, case, counted.kinds[case.case_id], epoch, options.seed + epoch - 1)

        left = [each for each in wanted if (each[0].case_id, each[1]) not in journal.found]
        await run_tries(
            left, one, journal, at_once=at_once, total=len(wanted), what=f"{HARNESS}: talk", progress=progress
        )
        return [journal.found[case.case_id, epoch] for case, epoch in wanted]


@asynccontextmanager
async def _casting(model: Endpoint | str, options: WorldsOptions) -> AsyncGenerator[Casting]:
    if isinstance(model, str):
        yield _scripted(model)
        return
    async with own.client_of(model, options) as assistant, own.client_of(options.user or model, options) as user:
        both = Clients(assistant, user)
        yield lambda case, reference: both


def _scripted(name: str) -> Casting:
    def cast(case: Case, reference: Sequence[policies.Step]) -> Clients:
        assistant = policies.oracle(reference) if name == "oracle" else policies.apology()
        return Clients(assistant, policies.user(case.task, reference))

    return cast


def _players(model: Endpoint | str, options: WorldsOptions) -> Players:
    user = own.name_of(model) if isinstance(model, str) else (options.user or model).model
    return Players(
        assistant=Player(model=own.name_of(model), sampling=own.sampling_of(options), native=options.mode == "native"),
        user=Player(model=user, native=False),
        form=load("simulate"),
        briefing=load("simulate.user"),
    )
