"""τ²-bench through `inspect-evals` on Inspect AI: airline (50 tasks), retail (114), telecom if selected.

A simulated user, a separate model, talks to the agent under test; a task is solved if the final database equals that
of the reference actions and the agent said what it had to say. Each task runs `epochs` times: Avg@k is the mean, Pass@k
the share of tasks that any try solved. Doing nothing solves those whose reference changes nothing.

The harness swallows failed calls and continues, so GEM watches them: an endpoint that only fails ends the run.
"""

from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

from gem_tasks.confine.results import printable
from gem_tasks.domain.base import Json
from gem_tasks.domain.evaluation import CaseScore, Endpoint, RunSettings
from gem_tasks.evals.child import HarnessError
from gem_tasks.evals.harness import Cases, ConfinedHarness, Scored
from gem_tasks.evals.options import Tau2Options
from gem_tasks.evals.stats import average, passed_any
from gem_tasks.files import json_lines
from gem_tasks.redaction import beginning

VERSION = "inspect-evals 0.26.0 on inspect-ai 0.3.285"
SMOKE = ("airline/8", "airline/12", "airline/18", "retail/0", "retail/2", "retail/4")
"""Tasks whose reference actions change the database, so that an idle agent solves none."""
_TEMPERATURE = 0.0
"""The harness's intended default. For an external model it sets only the user's, so GEM sets both."""
_RETRIES = 4


class Tau2(ConfinedHarness[Tau2Options]):
    """τ²-bench; `inspect view` shows its log."""

    name = "tau2"
    title = "τ²-bench"
    smoke = SMOKE
    example = "airline/7"
    groups = "domains"
    doing = "talk"
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
            "temperature": _TEMPERATURE,
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

    def tries(self, options: Tau2Options) -> int:
        """The number of epochs, which τ²-bench calls trials."""
        return options.epochs

    def scored(self, out_dir: Path, plan: Cases, options: Tau2Options) -> Scored:
        """One row of `samples.jsonl` for every try: Avg@k and Pass@k."""
        rows = list(json_lines(out_dir / "samples.jsonl"))
        cases = tuple(_cases(rows, plan, options.epochs))
        scores = (*average(cases, f"avg@{options.epochs}"), *passed_any(cases, f"pass@{options.epochs}"))
        measures = {
            "tokens": sum(int(row["tokens"]) for row in rows),
            "sample_seconds": sum(float(row["seconds"] or 0) for row in rows),
        }
        return Scored(cases, scores, measures)


evaluate = Tau2().evaluate


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
