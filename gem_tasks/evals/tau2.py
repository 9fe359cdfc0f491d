"""τ²-bench through `inspect-evals` on Inspect AI: airline (50 tasks), retail (114); telecom and banking if selected.

A simulated user, a separate model, talks to the agent under test; a task is solved if the final database equals that
of the reference actions and the agent said what it had to say. Each task runs `epochs` times: Avg@k is the mean, pass^k
the share of tasks that all of k tries solved, Pass@k that any did. Doing nothing solves those whose reference changes
nothing.

inspect-evals has airline and retail from before upstream corrected them, so GEM takes the corrected tasks unless told
otherwise (`envs/tau2/tasks.py`). Scores of different tasks are never compared.

The harness swallows failed calls and continues, so GEM watches them: an endpoint that only fails ends the run.
"""

from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

from gem_tasks.confine.results import printable
from gem_tasks.domain.base import Json
from gem_tasks.domain.evaluation import CaseScore, Endpoint, RunSettings
from gem_tasks.errors import UserError
from gem_tasks.evals.child import HarnessError
from gem_tasks.evals.harness import Cases, ConfinedHarness, Scored
from gem_tasks.evals.options import Tau2Domain, Tau2Options
from gem_tasks.evals.passes import passes_by_category
from gem_tasks.evals.stats import average
from gem_tasks.evals.versions import locked
from gem_tasks.files import json_lines, replacing
from gem_tasks.redaction import beginning

VERSION = f"inspect-evals {locked('tau2', 'inspect-evals')} on inspect-ai {locked('tau2', 'inspect-ai')}"
REVISIONS = {
    "airline": "tau2-bench 377cecf, before the corrections",
    "retail": "tau2-bench 377cecf, before the corrections",
    "telecom": "tau2-bench 377cecf",
    "banking": "tau2-bench fcc9ed6 with equal numbers, before 1.0.1 regraded it",
}
"""Where inspect-evals has each domain's tasks from."""
_CORRECTED = "tau2-bench 1.0.0, corrected"
_HAS_CORRECTIONS = ("airline", "retail")
_OWN_FILE = "own file"
_SMOKE = {
    "airline": ("8", "12", "18"),
    "retail": ("0", "2", "4"),
    "banking": ("task_010", "task_023"),
    "telecom": ("[service_issue]airplane_mode_on|lock_sim_card_pin[PERSONA:Easy]",),
}
SMOKE = tuple(f"{domain}/{task}" for domain, tasks in _SMOKE.items() for task in tasks)
"""Tasks whose reference actions change the database, so that an idle agent solves none."""
_RETRIES = 4


class Tau2(ConfinedHarness[Tau2Options]):
    """τ²-bench; `inspect view` shows its log."""

    name = "tau2"
    title = "τ²-bench"
    smoke = SMOKE
    example = "airline/7"
    groups = "domains"
    doing = "talk"
    under_test = "agent"
    most_file_bytes = 4 << 30
    """Inspect's logs hold whole conversations."""
    environment = MappingProxyType(
        {
            "AGENT_BASE_URL": "{agent}",
            "AGENT_API_KEY": "{token}",
            "USER_BASE_URL": "{user}",
            "USER_API_KEY": "{token}",
        }
    )

    def asked(self, endpoint: Endpoint, options: Tau2Options) -> dict[str, Endpoint]:
        """The agent under test and the simulated user."""
        return {"agent": endpoint, "user": options.user}

    def categories(self, options: Tau2Options) -> tuple[str, ...]:
        """The selected domains."""
        return options.domains

    def category_of(self, case: str) -> str:
        """`airline` of `airline/7`."""
        return case.split("/")[0]

    def job(self, endpoint: Endpoint, options: Tau2Options, out_dir: Path) -> Json:
        """The job file of `envs/tau2/run.py`, without keys."""
        return {
            "root": str(out_dir.absolute()),
            "model": endpoint.model,
            "user_model": options.user.model,
            "domains": list(options.domains),
            "ids": list(self.wanted(options)),
            "epochs": options.epochs,
            "message_limit": options.message_limit,
            "temperature": options.temperature,
            "user_temperature": options.user_temperature,
            "tasks": options.tasks,
            "task_files": {domain: str(_copy_of(out_dir, domain)) for domain in options.task_files},
            "seed": options.seed,
            "max_tokens": options.max_tokens,
            "thinking": options.thinking,
            "concurrency": options.concurrency,
            "request_timeout_s": options.request_timeout_s,
            "max_retries": _RETRIES,
        }

    def settings(self, options: Tau2Options) -> RunSettings:
        """Adds epochs and the simulated user, without which scores are meaningless."""
        return RunSettings(
            version=VERSION,
            subset=self.subset(options),
            thinking=options.thinking,
            temperature=options.temperature,
            seed=options.seed,
            epochs=options.epochs,
            user_model=options.user.model,
            revision=_revision(options),
            extra={
                "user_temperature": options.user_temperature,
                "domains": list(options.domains),
                "max_tokens": options.max_tokens,
                "message_limit": options.message_limit,
            },
        )

    def without_temperature(self, options: Tau2Options) -> frozenset[str]:
        """The harness sends the user's temperature even if it is told to send none."""
        given = {"agent": options.temperature, "user": options.user_temperature}
        return frozenset(name for name, value in given.items() if value is None)

    def prepare(self, out_dir: Path, options: Tau2Options) -> None:
        """Copies the user's own tasks to where the sandbox can read them.

        Raises:
            UserError: a file cannot be read, or has changed since the run began.
        """
        for domain, path in options.task_files.items():
            _copy(path, _copy_of(out_dir, domain))

    def tries(self, options: Tau2Options) -> int:
        """The number of epochs, which τ²-bench calls trials."""
        return options.epochs

    def scored(self, out_dir: Path, plan: Cases, options: Tau2Options) -> Scored:
        """One row of `samples.jsonl` for every try: Avg@k, pass^1 to pass^k and Pass@k."""
        rows = list(json_lines(out_dir / "samples.jsonl"))
        cases = tuple(_cases(rows, plan, options.epochs))
        scores = (*average(cases, f"avg@{options.epochs}"), *passes_by_category(cases))
        measures = {
            "tokens": sum(int(row["tokens"]) for row in rows),
            "sample_seconds": sum(float(row["seconds"] or 0) for row in rows),
        }
        return Scored(cases, scores, measures)


evaluate = Tau2().evaluate


def _revision(options: Tau2Options) -> str:
    """The revision of every domain's tasks; domains with the same one share it."""
    by: dict[str, list[str]] = {}
    for domain in options.domains:
        by.setdefault(_revision_of(domain, options), []).append(domain)
    return "; ".join(f"{', '.join(domains)}: {revision}" for revision, domains in by.items())


def _revision_of(domain: Tau2Domain, options: Tau2Options) -> str:
    if domain in options.task_files:
        return _OWN_FILE
    return _CORRECTED if options.tasks == "corrected" and domain in _HAS_CORRECTIONS else REVISIONS[domain]


def _copy_of(out_dir: Path, domain: str) -> Path:
    return out_dir.absolute() / f"tasks-{domain}.json"


def _copy(path: Path, copy: Path) -> None:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}", "Name a file with tasks of τ²-bench.") from None
    if copy.is_file() and copy.read_bytes() != data:
        raise UserError(f"{path} has changed since the run in {copy.parent} began", "Give another --out.")
    with replacing(copy) as part:
        part.write_bytes(data)


def _cases(rows: list[Json], plan: Cases, epochs: int) -> Iterator[CaseScore]:
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
