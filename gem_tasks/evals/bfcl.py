"""BFCL V3 multi-turn through the official `bfcl-eval`: 800 cases in four categories, native tool calls.

The harness runs in its own environment (`envs/bfcl/run.py`) and writes its own files; results are read from those, not
from what it prints. A second call with the same folder goes on: cases that have a result are not asked again, those
that failed for reasons outside the model are.
"""

import json
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
from gem_tasks.evals.options import BfclOptions
from gem_tasks.evals.progress import Progress, silent
from gem_tasks.evals.stats import average
from gem_tasks.files import json_lines, replacing
from gem_tasks.redaction import beginning
from gem_tasks.resources import shipped

VERSION = "bfcl-eval 2026.3.23"
SMOKE = tuple(
    f"multi_turn_{kind}_{number}"
    for kind in ("base", "miss_func", "miss_param", "long_context")
    for number in (0, 50, 100, 150)
)
_NAME = "gem"
_GRACE_S = 10
_MOST_BYTES = 512 << 20
"""Of one file of the harness's."""
_FAILED = "Error during inference:"
"""How the harness records a case in which it got no answer."""


def evaluate(
    endpoint: Endpoint,
    options: BfclOptions,
    out_dir: Path,
    *,
    home: Path,
    progress: Progress = silent,
    sandbox: SandboxMode = "auto",
) -> EvalReport:
    """Runs it and returns the report, which is also written to `out_dir/report.json`.

    Args:
        endpoint: the model under test.
        options: which cases, and how.
        out_dir: gets the harness's own files; a folder with an unfinished run of the same is gone on with.
        home: GEM_HOME; the environment is installed below it when it is not there.
        progress: called with what is being done, cases done, cases in all.
        sandbox: how strictly the harness is confined.

    Raises:
        UserError: the endpoint does not answer, a case does not exist, or the folder belongs to another run.
        HarnessError: the harness failed, or left out cases.
    """
    require_healthy(endpoint)
    python = ensure(home, "bfcl", progress)
    started = time.monotonic()
    job = _job(endpoint, options, out_dir)
    path = keep_job(out_dir, job)
    with reading(out_dir, _MOST_BYTES):
        _forget_failed(out_dir)
    plan = _run(_confined(endpoint, options, python, path), options, out_dir, progress, sandbox)
    with reading(out_dir, _MOST_BYTES):
        cases = tuple(case for category, ids in plan.items() for case in _cases(out_dir, category, ids))
        tokens = _tokens(out_dir, plan)
    report = EvalReport(
        harness="bfcl",
        model=endpoint.model,
        scores=average(cases),
        cases=cases,
        settings=_settings(options),
        seconds=time.monotonic() - started,
        measures=tokens,
    )
    return save_report(out_dir, report)


def _job(endpoint: Endpoint, options: BfclOptions, out_dir: Path) -> Json:
    return {
        "root": str(out_dir.absolute()),
        "model": endpoint.model,
        "mode": options.mode,
        "categories": list(options.categories),
        "ids": list(_wanted(options)),
        "threads": options.concurrency,
        "temperature": options.temperature,
        "seed": options.seed,
        "max_tokens": options.max_tokens,
        "thinking": options.thinking,
        "request_timeout_s": options.request_timeout_s,
    }


def _wanted(options: BfclOptions) -> tuple[str, ...]:
    """Ids, or none for all."""
    if options.ids or options.subset == "full":
        return options.ids
    return tuple(case for case in SMOKE if case.rsplit("_", 1)[0] in options.categories)


def _settings(options: BfclOptions) -> RunSettings:
    digest = sha256("\n".join(sorted(options.ids)).encode()).hexdigest()[:12]
    return RunSettings(
        version=VERSION,
        subset=f"ids:{digest}" if options.ids else options.subset,
        mode=options.mode,
        thinking=options.thinking,
        temperature=options.temperature,
        seed=options.seed,
        extra={"categories": list(options.categories), "max_tokens": options.max_tokens},
    )


def _confined(endpoint: Endpoint, options: BfclOptions, python: Path, job: Path) -> Job:
    folder = shipped("envs") / "bfcl"
    return Job(
        command=(str(python), str(folder / "run.py"), str(job.absolute())),
        folder=job.parent.absolute(),
        reads=(folder,),
        environment={"OPENAI_BASE_URL": "{model}", "OPENAI_API_KEY": "{token}"},
        upstreams={
            "model": Upstream(
                base_url=endpoint.base_url, key=endpoint.api_key, timeout_s=options.request_timeout_s + _GRACE_S
            )
        },
    )


def _run(
    job: Job, options: BfclOptions, out_dir: Path, progress: Progress, sandbox: SandboxMode
) -> dict[str, list[str]]:
    """The ids by category that it ran."""
    plan: dict[str, list[str]] = {}
    done, what = 0, "start"
    for event in events(job, out_dir / "harness.log", options.timeout_s, sandbox):
        match event:
            case {"event": "unknown", "ids": [first, *_]}:
                raise UserError(f"BFCL has no case {first!r} in these categories", "Ids look like multi_turn_base_0.")
            case {"event": "plan"}:
                plan, what = planned(event.get("ids"), options.categories), "answer"
                done = sum(len(set(_results(out_dir, category)) & set(wanted)) for category, wanted in plan.items())
            case {"event": "case"}:
                done += 1
            case {"event": "phase", "name": str(name)}:
                what = name
            case _:
                pass
        progress(f"bfcl: {what}", done, sum(map(len, plan.values())))
    return plan


def _cases(out_dir: Path, category: str, ids: list[str]) -> Iterator[CaseScore]:
    results = _results(out_dir, category)
    path = out_dir / "score" / _NAME / "multi_turn" / f"BFCL_v4_{category}_score.json"
    if not path.is_file() or set(ids) - set(results):
        raise HarnessError(f"{category}: the harness left out cases; see {out_dir / 'harness.log'}")
    head, *failed = json_lines(path)
    wrong = {row["id"] for row in failed}
    if head["total_count"] != len(results) or head["correct_count"] != len(results) - len(wrong):
        raise HarnessError(f"{category}: scores and results do not add up in {path}")
    for case in ids:
        found = results[case]["result"]
        failed = isinstance(found, str) and found.startswith(_FAILED)
        error = printable(beginning(found, 300)) if failed else None
        yield CaseScore(case_id=case, category=category, score=0.0 if case in wrong else 1.0, error=error)


def _results(out_dir: Path, category: str) -> dict[str, Json]:
    path = _result_path(out_dir, category)
    return {row["id"]: row for row in json_lines(path)} if path.is_file() else {}


def _result_path(out_dir: Path, category: str) -> Path:
    return out_dir / "result" / _NAME / "multi_turn" / f"BFCL_v4_{category}_result.json"


def _forget_failed(out_dir: Path) -> None:
    """The harness takes a failed case for done; a line that a kill cut off is no result either."""
    for path in (out_dir / "result" / _NAME / "multi_turn").glob("*_result.json"):
        lines = path.read_bytes().split(b"\n")
        with replacing(path) as part:
            part.write_bytes(b"".join(line + b"\n" for line in lines if _usable(line)))


def _usable(line: bytes) -> bool:
    try:
        found = json.loads(line)["result"]
    except (ValueError, KeyError):
        return False
    return not (isinstance(found, str) and found.startswith(_FAILED))


def _tokens(out_dir: Path, plan: dict[str, list[str]]) -> Json:
    """Sums over all answers, as the endpoint counted them."""
    sums = {"prompt_tokens": 0, "completion_tokens": 0}
    for category, ids in plan.items():
        results = _results(out_dir, category)
        for case in ids:
            sums["prompt_tokens"] += _sum(results[case].get("input_token_count"))
            sums["completion_tokens"] += _sum(results[case].get("output_token_count"))
    return sums


def _sum(counts: object) -> int:
    """Of a list of lists; a failed case has none."""
    if isinstance(counts, list):
        return sum(_sum(part) for part in counts)  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType]
    return int(counts) if isinstance(counts, int | float) else 0
