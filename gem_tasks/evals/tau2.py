"""τ²-bench through `inspect-evals` on Inspect AI: airline (50 tasks), retail (114), telecom where asked for.

A simulated user, a model of its own, talks to the agent under test; a task is solved when the database ends as the
reference actions leave it and what had to be said was said. Each task runs `epochs` times: Avg@k is the mean, Pass@k
the share of tasks that any try solved. Doing nothing solves those whose reference changes nothing.

The harness swallows failed calls and goes on talking, so they are watched: an endpoint that only fails ends the run.
"""

import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from gem_tasks.confine.job import Job, SandboxMode, Upstream
from gem_tasks.confine.results import printable
from gem_tasks.domain.base import Json
from gem_tasks.domain.evaluation import CaseScore, Endpoint, EvalReport, RunSettings
from gem_tasks.errors import UserError
from gem_tasks.evals.child import HarnessError, events, planned, reading
from gem_tasks.evals.environment import ensure
from gem_tasks.evals.folder import keep_job, save_report
from gem_tasks.evals.health import require_healthy
from gem_tasks.evals.options import Tau2Options
from gem_tasks.evals.progress import Progress, silent
from gem_tasks.evals.stats import average, passed_any
from gem_tasks.files import json_lines
from gem_tasks.redaction import beginning
from gem_tasks.resources import shipped

VERSION = "inspect-evals 0.26.0 on inspect-ai 0.3.285"
SMOKE = ("airline/8", "airline/12", "airline/18", "retail/0", "retail/2", "retail/4")
"""Tasks whose reference actions change the database, so that doing nothing solves none."""
_TEMPERATURE = 0.0
"""What the harness means to set; with a model given from outside it sets it for the user only, so we do for both."""
_RETRIES = 4
_GRACE_S = 10
_MOST_BYTES = 4 << 30
"""Of one file of the harness's: Inspect's logs hold whole conversations."""
_TOO_MANY_FAILURES = 20
"""Failed calls in a row, after their retries, that end a run."""


def evaluate(
    endpoint: Endpoint,
    options: Tau2Options,
    out_dir: Path,
    *,
    home: Path,
    progress: Progress = silent,
    sandbox: SandboxMode = "auto",
) -> EvalReport:
    """Runs it and returns the report, which is also written to `out_dir/report.json`.

    Args:
        endpoint: the agent under test.
        options: which tasks, who plays the user, how often.
        out_dir: gets the harness's own logs (`inspect view` shows them); an unfinished run there is gone on with.
        home: GEM_HOME; the environment is installed below it when it is not there.
        progress: called with what is being done, tries done, tries in all.
        sandbox: how strictly the harness is confined.

    Raises:
        UserError: an endpoint does not answer or keeps failing, a case does not exist, or the folder is another run's.
        HarnessError: the harness failed, or left out cases.
    """
    for each in (endpoint, options.user):
        require_healthy(each)
    python = ensure(home, "tau2", progress)
    started = time.monotonic()
    path = keep_job(out_dir, _job(endpoint, options, out_dir))
    plan = _run(_confined(endpoint, options, python, path), options, out_dir, progress, sandbox)
    with reading(out_dir, _MOST_BYTES):
        rows = list(json_lines(out_dir / "samples.jsonl"))
        cases = tuple(_cases(rows, plan, options.epochs))
        measures = {
            "tokens": sum(int(row["tokens"]) for row in rows),
            "sample_seconds": sum(float(row["seconds"] or 0) for row in rows),
        }
    report = EvalReport(
        harness="tau2",
        model=endpoint.model,
        scores=(*average(cases, f"avg@{options.epochs}"), *passed_any(cases, f"pass@{options.epochs}")),
        cases=cases,
        settings=_settings(options),
        seconds=time.monotonic() - started,
        measures=measures,
    )
    return save_report(out_dir, report)


def _job(endpoint: Endpoint, options: Tau2Options, out_dir: Path) -> Json:
    return {
        "root": str(out_dir.absolute()),
        "model": endpoint.model,
        "user_model": options.user.model,
        "domains": list(options.domains),
        "ids": list(_wanted(options)),
        "epochs": options.epochs,
        "message_limit": options.message_limit,
        "temperature": _TEMPERATURE,
        "seed": options.seed,
        "max_tokens": options.max_tokens,
        "thinking": options.thinking,
        "concurrency": options.concurrency,
        "request_timeout_s": options.request_timeout_s,
        "max_retries": _RETRIES,
    }


def _wanted(options: Tau2Options) -> tuple[str, ...]:
    """Ids, or none for all."""
    if options.ids or options.subset == "full":
        return options.ids
    return tuple(case for case in SMOKE if case.split("/")[0] in options.domains)


def _settings(options: Tau2Options) -> RunSettings:
    digest = sha256("\n".join(sorted(options.ids)).encode()).hexdigest()[:12]
    return RunSettings(
        version=VERSION,
        subset=f"ids:{digest}" if options.ids else options.subset,
        thinking=options.thinking,
        temperature=_TEMPERATURE,
        seed=options.seed,
        epochs=options.epochs,
        user_model=options.user.model,
        extra={
            "domains": list(options.domains),
            "max_tokens": options.max_tokens,
            "message_limit": options.message_limit,
        },
    )


def _confined(endpoint: Endpoint, options: Tau2Options, python: Path, job: Path) -> Job:
    folder = shipped("envs") / "tau2"
    asked = {"agent": endpoint, "user": options.user}
    return Job(
        command=(str(python), str(folder / "run.py"), str(job.absolute())),
        folder=job.parent.absolute(),
        reads=(folder,),
        environment={
            "AGENT_BASE_URL": "{agent}",
            "AGENT_API_KEY": "{token}",
            "USER_BASE_URL": "{user}",
            "USER_API_KEY": "{token}",
        },
        upstreams={
            name: Upstream(base_url=each.base_url, key=each.api_key, timeout_s=options.request_timeout_s + _GRACE_S)
            for name, each in asked.items()
        },
    )


def _run(
    job: Job, options: Tau2Options, out_dir: Path, progress: Progress, sandbox: SandboxMode
) -> dict[str, list[str]]:
    """The ids by domain that it ran."""
    plan: dict[str, list[str]] = {}
    done, what, failures = 0, "start", 0
    for event in events(job, out_dir / "harness.log", options.timeout_s, sandbox):
        match event:
            case {"event": "unknown", "ids": [first, *_]}:
                raise UserError(f"τ²-bench has no case {first!r} in these domains", "Ids look like airline/7.")
            case {"event": "plan"}:
                plan, what = planned(event.get("ids"), options.domains), "talk"
            case {"event": "call", "error": error}:
                failures = failures + 1 if error else 0
                if failures >= _TOO_MANY_FAILURES:
                    raise UserError(
                        f"The endpoints keep failing: {beginning(str(error), 300)}", "Fix that, then run it again."
                    )
                continue
            case {"event": "case"}:
                done += 1
            case {"event": "phase", "name": str(name)}:
                what = name
            case _:
                pass
        progress(f"tau2: {what}", done, options.epochs * sum(map(len, plan.values())))
    return plan


def _cases(rows: list[Json], plan: dict[str, list[str]], epochs: int) -> Iterator[CaseScore]:
    found = {(row["domain"], row["id"], row["epoch"]): row for row in rows}
    for domain, ids in plan.items():
        for case in ids:
            for epoch in range(1, epochs + 1):
                row = found.get((domain, case, epoch))
                if row is None:
                    raise HarnessError(f"{domain}/{case}: the harness left out try {epoch}")
                solved = row["value"] == "C"
                error = None if solved or not row["error"] else printable(beginning(str(row["error"]), 300))
                yield CaseScore(
                    case_id=f"{domain}/{case}", category=domain, score=float(solved), epoch=epoch, error=error
                )
