"""The folder of one evaluation: its job, the harness's own files, and the report."""

import json
from pathlib import Path

from gem_tasks.confine.results import require_plain
from gem_tasks.domain.base import Json
from gem_tasks.domain.evaluation import EvalReport
from gem_tasks.errors import UserError
from gem_tasks.files import replacing

_JOB, _REPORT = "job.json", "report.json"
_FREE = ("threads", "request_timeout_s", "root")
"""Options that may change when a run resumes: they affect speed, not results."""


def keep_job(out_dir: Path, job: Json) -> Path:
    """Writes the job, without keys, unless the folder belongs to a different job.

    Raises:
        UserError: it does, and results of different settings must not mix; or there can be no such folder.
    """
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = error.strerror or str(error)
        raise UserError(f"{out_dir} cannot be made a folder: {why}", "Give another --out.") from None
    require_plain(out_dir)  # an earlier harness has written here
    path = out_dir / _JOB
    if path.is_file():
        before = _read(path)
        changed = [name for name in job if name not in _FREE and before.get(name) != job[name]]
        if changed:
            raise UserError(
                f"{out_dir} contains a run with different settings: {', '.join(changed)}", "Give another --out."
            )
    with replacing(path) as part:
        part.write_text(json.dumps(job, indent=1), encoding="utf-8")
    return path


def _read(path: Path) -> Json:
    """The job in the file; an empty one if another program wrote to it."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}  # pyright: ignore[reportUnknownVariableType]


def save_report(out_dir: Path, report: EvalReport) -> EvalReport:
    """Writes `report.json`, unless every try failed outside the model.

    Raises:
        UserError: the endpoint failed for every case, so there is no valid score.
    """
    if report.cases and report.errors == len(report.cases):
        first = next(case.error for case in report.cases)
        raise UserError(f"No case could be run: {first}", "Fix the endpoint, then run it again.")
    with replacing(out_dir / _REPORT) as part:  # also replaces a link that the harness left
        part.write_text(report.model_dump_json(indent=1), encoding="utf-8")
    return report
