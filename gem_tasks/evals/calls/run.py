"""Runs the benchmark: every turn once, teacher-forced, several at a time, with a journal."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from gem_tasks.domain.base import Json
from gem_tasks.domain.evaluation import Endpoint, EvalReport, RunSettings
from gem_tasks.errors import CONFIGURATION, EndpointError, ErrorClass, UserError, first_line
from gem_tasks.evals import own
from gem_tasks.evals.calls import markdown, report
from gem_tasks.evals.calls.asking import FORM, Asker, interleaved
from gem_tasks.evals.calls.attempts import Attempt, judged
from gem_tasks.evals.calls.conversations import Conversation, LeftOut
from gem_tasks.evals.calls.kinds import CALLING
from gem_tasks.evals.calls.policies import policy
from gem_tasks.evals.calls.turns import Turn, chosen, conversation_of, set_id, turns_of
from gem_tasks.evals.folder import keep_job, save_report
from gem_tasks.evals.health import require_healthy
from gem_tasks.evals.options import CallsOptions
from gem_tasks.evals.progress import Progress, silent
from gem_tasks.evals.tries import Journal, run_tries
from gem_tasks.files import replacing
from gem_tasks.prompts import load

HARNESS = "calls"
_OF_THE_TURN = {ErrorClass.CONTEXT_LENGTH: "too_long", ErrorClass.REFUSED: "filtered", ErrorClass.EMPTY: "empty"}
"""Errors that say something about the model, and no other about the endpoint."""
Answering = Callable[[Turn], Awaitable[Attempt]]


def evaluate(
    model: Endpoint | str,
    conversations: Sequence[Conversation],
    options: CallsOptions,
    out_dir: Path,
    *,
    left_out: LeftOut | None = None,
    name: str | None = None,
    progress: Progress = silent,
) -> EvalReport:
    """Asks for every turn and returns the report, which is also in `out_dir`, as `report.json` and `report.md`.

    Args:
        model: the endpoint under test, or the name of a policy.
        conversations: with tools; held out of the model's training.
        options: limits, mode and sampling.
        out_dir: folder of the journal `attempts.jsonl` and the reports; an unfinished run in it continues.
        left_out: rows that are no conversations, for the report.
        name: of the model in the report; None: as at the endpoint.
        progress: called with the activity, finished turns and all turns.

    Raises:
        UserError: the endpoint does not answer or keeps failing, no turn counts, or the folder belongs to another run.
    """
    started, left_out = time.monotonic(), left_out or LeftOut()
    turns = chosen(turns_of(conversations, options.max_context, left_out), options.turns)
    if not any(turn.kind in CALLING for turn in turns):
        why = ", ".join(f"{reason} {count}" for reason, count in left_out.counts.items())
        raise UserError(f"No turn with a call counts{f' ({why})' if why else ''}", "Give other conversations.")
    settings, name = settings_of(turns, options), name or own.name_of(model)
    if isinstance(model, Endpoint):
        require_healthy(model)
    keep_job(out_dir, {"model": name, **settings.model_dump(mode="json")})
    attempts = asyncio.run(_ask_all(model, turns, options, out_dir, progress))
    scored = tuple(each.score for each in attempts)
    found = EvalReport(
        harness=HARNESS,
        model=name,
        scores=report.scores(attempts),
        cases=scored,
        settings=_as_sent(settings, attempts),
        seconds=time.monotonic() - started,
        measures=report.measures(attempts, left_out.plain()),
    )
    save_report(out_dir, found)
    with replacing(out_dir / "report.md") as part:
        part.write_text(markdown.render(found), encoding="utf-8")
    return found


def settings_of(turns: Sequence[Turn], options: CallsOptions) -> RunSettings:
    """All that scores have to share to be compared: the turns, their contexts, and the form of calls."""
    extra: Json = {
        "turns": len(turns),
        "conversations": len({conversation_of(turn.case_id) for turn in turns}),
        "max_context": options.max_context,
        "form": load(FORM).sha256,
    }
    return own.settings_of(HARNESS, set_id(turns), options, extra)


def _as_sent(settings: RunSettings, attempts: Sequence[Attempt]) -> RunSettings:
    """The settings, without what the endpoint refused."""
    refused = sorted({name for each in attempts for name in each.not_sent})
    if not refused:
        return settings
    update: Json = {"extra": settings.extra | {"not_sent": refused}}
    return settings.model_copy(update=update | dict.fromkeys({"temperature", "seed"} & set(refused)))


async def _ask_all(
    model: Endpoint | str, turns: Sequence[Turn], options: CallsOptions, out_dir: Path, progress: Progress
) -> list[Attempt]:
    with Journal(out_dir, Attempt) as journal:
        left = [turn for turn in turns if (turn.case_id, 1) not in journal.found]
        async with _answering(model, turns, options) as answer:
            await run_tries(
                interleaved(left, options.concurrency),
                answer,
                journal,
                at_once=options.concurrency,
                total=len(turns),
                what=f"{HARNESS}: ask",
                progress=progress,
            )
        return [journal.found[turn.case_id, 1] for turn in turns]


@asynccontextmanager
async def _answering(model: Endpoint | str, turns: Sequence[Turn], options: CallsOptions) -> AsyncGenerator[Answering]:
    if isinstance(model, str):
        answer = policy(model, turns)

        async def scripted(turn: Turn) -> Attempt:
            return judged(turn, answer(turn))

        yield scripted
        return
    seed = {} if options.seed is None else {"seed": options.seed}
    sampling = own.sampling_of(options, **seed)
    sent = {"temperature", "max_tokens", *sampling.extra_body}
    asker = Asker(model.model, sampling, load(FORM), native=options.mode == "native")
    async with own.client_of(model, options) as client:

        async def asked(turn: Turn) -> Attempt:
            try:
                attempt = judged(turn, await client.complete(asker.request(turn)))
                refused = tuple(sorted({*client.dialect_of(model.model).dropped} & sent))
                return attempt.model_copy(update={"not_sent": refused})
            except EndpointError as error:
                return _failed(turn, error)

        yield asked


def _failed(turn: Turn, error: EndpointError) -> Attempt:
    """The turn without an answer.

    Raises:
        EndpointError: the configuration is at fault, so that all other turns would fail as well.
    """
    if error.error_class in CONFIGURATION or error.parameter:
        raise error
    fault = _OF_THE_TURN.get(error.error_class)
    why: Json = {"fault": fault} if fault else {"error": first_line(error)}
    return Attempt.model_validate({"case_id": turn.case_id, "category": turn.kind, **why})
