"""The folder of one evaluation: what was asked for, the harness's own files, and the report."""

import json
from pathlib import Path

from gem_tasks.domain.base import Json
from gem_tasks.domain.evaluation import EvalReport
from gem_tasks.errors import UserError

_JOB, _REPORT = "job.json", "report.json"
_FREE = ("threads", "request_timeout_s", "root")
"""What may differ when a run is gone on with: it changes how fast, not what."""


def keep_job(out_dir: Path, job: Json) -> Path:
    """Writes the job, unless the folder is that of another one. It holds no key.

    Raises:
        UserError: it is, so that results of different settings do not mix.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    path = out_dir / _JOB
    if path.is_file():
        before: Json = json.loads(path.read_text(encoding="utf-8"))
        changed = [name for name in job if name not in _FREE and before.get(name) != job[name]]
        if changed:
            raise UserError(f"{out_dir} holds another run: {', '.join(changed)} differ", "Give another --out.")
    path.write_text(json.dumps(job, indent=1), encoding="utf-8")
    return path


def save_report(out_dir: Path, report: EvalReport) -> EvalReport:
    """Writes `report.json`; refuses to when no try was one.

    Raises:
        UserError: the endpoint failed for every case: a score of that would be a lie.
    """
    if report.cases and report.errors == len(report.cases):
        first = next(case.error for case in report.cases)
        raise UserError(f"No case could be run: {first}", "Mend the endpoint, then run it again.")
    (out_dir / _REPORT).write_text(report.model_dump_json(indent=1), encoding="utf-8")
    return report
