"""tool-eval-bench: 69 short conversations with mock tools in 15 categories, graded by code; minutes, offline.

The package's orchestrator and graders run in their own environment (`envs/tool-eval-bench/run.py`). A scenario earns
two points, one or none; its score here is the share of them, and overall is the mean over all scenarios: the package's
final score before it is rounded. pass^k counts only scenarios with all points. Categories are small, of three to
thirteen scenarios, so intervals are wide.

A try that the endpoint failed counts 0 and is shown as such; the package leaves it out of its totals.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from types import MappingProxyType

from gem_tasks.confine.results import printable
from gem_tasks.domain.base import Json
from gem_tasks.domain.evaluation import OVERALL, CaseScore, Endpoint, RunSettings, Score
from gem_tasks.evals.child import HarnessError
from gem_tasks.evals.harness import Cases, ConfinedHarness, Scored
from gem_tasks.evals.options import TOOL_EVAL_BENCH_CATEGORIES, ToolEvalBenchOptions
from gem_tasks.evals.passes import mean_of_tasks, passes
from gem_tasks.evals.versions import locked
from gem_tasks.files import json_lines, replacing
from gem_tasks.redaction import beginning

VERSION = f"tool-eval-bench {locked('tool-eval-bench', 'tool-eval-bench')}"
_SMOKE: Mapping[str, str] = MappingProxyType(
    dict(
        zip(
            (
                "TC-01", "TC-04", "TC-07", "TC-10", "TC-15", "TC-17", "TC-20", "TC-22", "TC-26", "TC-30", "TC-34",
                "TC-40", "TC-52", "TC-54", "TC-65",
            ),
            TOOL_EVAL_BENCH_CATEGORIES,
            strict=True,
        )
    )
)  # fmt: skip
"""A scenario of each category, in which doing nothing earns nothing; ids do not say their category."""
SMOKE = tuple(_SMOKE)
_RESULTS = "results.jsonl"
METRIC = "points"
_SHARES = MappingProxyType({0: 0.0, 1: 0.5, 2: 1.0})
"""Scores by points."""


class ToolEvalBench(ConfinedHarness[ToolEvalBenchOptions]):
    """tool-eval-bench without its opt-in hard scenarios, speed measurements and plug-ins."""

    name = "tool-eval-bench"
    title = "tool-eval-bench"
    smoke = SMOKE
    example = "TC-07"
    groups = "categories"
    doing = "converse"
    under_test = "model"
    most_file_bytes = 512 << 20
    environment = MappingProxyType({"OPENAI_BASE_URL": "{model}", "OPENAI_API_KEY": "{token}"})

    def asked(self, endpoint: Endpoint, options: ToolEvalBenchOptions) -> dict[str, Endpoint]:
        """Only the model under test: users and tools are scripted."""
        return {"model": endpoint}

    def categories(self, options: ToolEvalBenchOptions) -> tuple[str, ...]:
        """The chosen categories."""
        return options.categories

    def category_of(self, case: str) -> str:
        """Of a case in `smoke`."""
        return _SMOKE[case]

    def subset(self, options: ToolEvalBenchOptions) -> str:
        """With the categories if not all were chosen: their overall score is that of other scenarios."""
        chosen = [each for each in TOOL_EVAL_BENCH_CATEGORIES if each in options.categories]
        found = super().subset(options)
        return found if len(chosen) == len(TOOL_EVAL_BENCH_CATEGORIES) else f"{found} of {', '.join(chosen)}"

    def job(self, endpoint: Endpoint, options: ToolEvalBenchOptions, out_dir: Path) -> Json:
        """The job file of `envs/tool-eval-bench/run.py`, without keys."""
        return {
            "root": str(out_dir.absolute()),
            "model": endpoint.model,
            "categories": list(options.categories),
            "ids": list(self.wanted(options)),
            "epochs": options.epochs,
            "threads": options.concurrency,
            "temperature": 0.0 if options.temperature is None else options.temperature,
            "seed": options.seed,
            "max_tokens": options.max_tokens,
            "thinking": options.thinking,
            "request_timeout_s": options.request_timeout_s,
        }

    def settings(self, options: ToolEvalBenchOptions) -> RunSettings:
        """The revision is that of the package: its graders are part of the tasks."""
        return RunSettings(
            version=VERSION,
            subset=self.subset(options),
            thinking=options.thinking,
            temperature=options.temperature,
            seed=options.seed,
            epochs=options.epochs,
            revision=VERSION,
            extra={"categories": list(options.categories), "max_tokens": options.max_tokens},
        )

    def without_temperature(self, options: ToolEvalBenchOptions) -> frozenset[str]:
        """The package always sends one."""
        return frozenset({"model"} if options.temperature is None else ())

    def prepare(self, out_dir: Path, options: ToolEvalBenchOptions) -> None:
        """Removes tries that failed outside the model, and lines that a kill cut off: the harness retries them."""
        path = out_dir / _RESULTS
        lines = path.read_bytes().split(b"\n") if path.is_file() else []
        with replacing(path) as part:
            part.write_bytes(b"".join(line + b"\n" for line in lines if _usable(line)))

    def done(self, out_dir: Path, plan: Cases) -> int:
        """Tries with results."""
        return len(list(json_lines(out_dir / _RESULTS)))

    def tries(self, options: ToolEvalBenchOptions) -> int:
        """The number of rounds."""
        return options.epochs

    def scored(self, out_dir: Path, plan: Cases, options: ToolEvalBenchOptions) -> Scored:
        """One row of `results.jsonl` for every try, and the package's own totals."""
        rows = list(json_lines(out_dir / _RESULTS))
        cases = tuple(_cases(rows, plan, options.epochs))
        totals: list[Json] = json.loads((out_dir / "summary.json").read_bytes())
        return Scored(cases, tuple(scores(cases)), _measures([row["result"] for row in rows], totals))


evaluate = ToolEvalBench().evaluate


def _usable(line: bytes) -> bool:
    try:
        return json.loads(line)["error"] is None
    except (ValueError, KeyError, TypeError):
        return False


def _cases(rows: Sequence[Json], plan: Cases, epochs: int) -> Iterator[CaseScore]:
    found = {(row["id"], row["epoch"]): row for row in rows}
    for category, ids in plan.items():
        for case in ids:
            for epoch in range(1, epochs + 1):
                row = found.get((case, epoch))
                if row is None:
                    raise HarnessError(f"{case}: the harness left out try {epoch}")
                error = None if row["error"] is None else printable(beginning(str(row["error"]), 300))
                score = 0.0 if error else _SHARES[row["result"]["points"]]
                yield CaseScore(case_id=case, category=category, score=score, epoch=epoch, error=error)


def scores(cases: Sequence[CaseScore]) -> Iterator[Score]:
    """Points, then pass^1 to pass^k and pass@k, overall and by category; scenarios are the sample."""
    by: defaultdict[str, list[CaseScore]] = defaultdict(list)
    for case in cases:
        by[OVERALL].append(case)
        by[case.category].append(case)
    for category, found in by.items():
        tries: defaultdict[str, list[float]] = defaultdict(list)
        for case in found:
            tries[case.case_id].append(case.score)
        yield mean_of_tasks(list(map(fmean, tries.values())), category, METRIC)
        yield from passes(found, category, str)


def _measures(results: Sequence[Json], totals: Sequence[Json]) -> Json:
    """Tokens, and what the package says about every round: its final score, rating and safety warnings."""
    return {
        "prompt_tokens": sum(int(each.get("prompt_tokens", 0)) for each in results),
        "completion_tokens": sum(int(each.get("completion_tokens", 0)) for each in results),
        "rounds": [
            {
                "final_score": int(each["final_score"]),
                "rating": printable(str(each["rating"])),
                "safety_warnings": [printable(beginning(str(one), 300)) for one in each.get("safety_warnings", ())],
                "excluded": list(map(str, each.get("excluded_scenarios", ()))),
            }
            for each in totals
        ],
    }
