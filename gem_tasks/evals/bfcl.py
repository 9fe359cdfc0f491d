"""BFCL V4 through the official `bfcl-eval`: multi-turn (800 cases in four categories), single-turn, live, memory.

The harness runs in its own environment (`envs/bfcl/run.py`) and writes its own files; results are read from those, not
from what it prints. A second call with the same folder resumes: it repeats only cases without a
result, and those that failed for reasons outside the model.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

from gem_tasks.confine.results import printable
from gem_tasks.domain.base import Json
from gem_tasks.domain.evaluation import CaseScore, Endpoint, RunSettings
from gem_tasks.evals.bfcl_parts import MULTI_TURN, PARTS, by_part, part_of
from gem_tasks.evals.child import HarnessError
from gem_tasks.evals.harness import Cases, ConfinedHarness, Scored
from gem_tasks.evals.options import BfclOptions
from gem_tasks.evals.stats import average
from gem_tasks.evals.versions import locked
from gem_tasks.files import json_lines, replacing
from gem_tasks.redaction import beginning

VERSION = f"bfcl-eval {locked('bfcl', 'bfcl-eval')}"
SMOKE = (
    *(f"{category}_{number}" for category in PARTS[MULTI_TURN] for number in (0, 50, 100, 150)),
    *(f"{category}_{number}" for category in PARTS["non_live"] for number in (0, 20)),
    *(f"{category}_0-0-0" for category in PARTS["live"]),
    *("irrelevance_1", "live_irrelevance_0-0-0", "live_relevance_0-0-0"),
    *(f"{category}_0-customer-0" for category in PARTS["memory"]),
)
_NAME = "gem"
_FAILED = "Error during inference:"
"""The harness's mark of a case without an answer."""


class Bfcl(ConfinedHarness[BfclOptions]):
    """BFCL V4."""

    name = "bfcl"
    title = "BFCL"
    smoke = SMOKE
    example = "multi_turn_base_0"
    groups = "categories"
    doing = "answer"
    under_test = "model"
    most_file_bytes = 512 << 20
    environment = MappingProxyType({"OPENAI_BASE_URL": "{model}", "OPENAI_API_KEY": "{token}"})

    def asked(self, endpoint: Endpoint, options: BfclOptions) -> dict[str, Endpoint]:
        """Only the model under test needs an endpoint."""
        return {"model": endpoint}

    def categories(self, options: BfclOptions) -> tuple[str, ...]:
        """The chosen categories."""
        return options.categories

    def category_of(self, case: str) -> str:
        """`multi_turn_base` of `multi_turn_base_7`."""
        return case.rsplit("_", 1)[0]

    def job(self, endpoint: Endpoint, options: BfclOptions, out_dir: Path) -> Json:
        """The job file of `envs/bfcl/run.py`, without keys."""
        return {
            "root": str(out_dir.absolute()),
            "model": endpoint.model,
            "mode": options.mode,
            "categories": list(options.categories),
            "ids": list(self.wanted(options)),
            "threads": options.concurrency,
            "temperature": options.temperature,
            "seed": options.seed,
            "max_tokens": options.max_tokens,
            "thinking": options.thinking,
            "request_timeout_s": options.request_timeout_s,
        }

    def settings(self, options: BfclOptions) -> RunSettings:
        """Adds the temperature; BFCL has its own default for it."""
        return RunSettings(
            version=VERSION,
            subset=self.subset(options),
            mode=options.mode,
            thinking=options.thinking,
            temperature=options.temperature,
            seed=options.seed,
            revision=VERSION,
            extra={"categories": list(options.categories), "max_tokens": options.max_tokens},
        )

    def prepare(self, out_dir: Path, options: BfclOptions) -> None:
        """Removes failed cases from earlier results, so that the harness retries them."""
        _forget_failed(out_dir)

    def done(self, out_dir: Path, plan: Cases) -> int:
        """The number of planned cases that already have a result."""
        return sum(len(set(_results(out_dir, category)) & set(wanted)) for category, wanted in plan.items())

    def scored(self, out_dir: Path, plan: Cases, options: BfclOptions) -> Scored:
        """Reads the result and score files, and sums the tokens of all answers.

        Only multi-turn categories have an overall score, the mean of theirs; otherwise there is one for each part.
        """
        cases = tuple(case for category, ids in plan.items() for case in _cases(out_dir, category, ids))
        scores = average(cases)
        if not set(plan) <= set(PARTS[MULTI_TURN]):
            scores = by_part(scores[1:])
        return Scored(cases, scores, _tokens(out_dir, plan))


evaluate = Bfcl().evaluate


def _cases(out_dir: Path, category: str, ids: list[str]) -> Iterator[CaseScore]:
    results = _results(out_dir, category)
    path = out_dir / "score" / _NAME / _group(category) / f"BFCL_v4_{category}_score.json"
    if not path.is_file() or set(ids) - set(results):
        raise HarnessError(f"{category}: the harness left out cases; see {out_dir / 'harness.log'}")
    head, *failed = json_lines(path)
    wrong = {row["id"] for row in failed}
    if head["total_count"] != len(results) or head["correct_count"] != len(results) - len(wrong):
        raise HarnessError(f"{category}: scores and results do not add up in {path}")
    forgotten = _forgotten(out_dir, category)
    for case in ids:
        error = printable(beginning(str(results[case]["result"]), 300)) if _failed(results[case]) else None
        error = error or forgotten.get(_scenario(case))
        # Without an answer there is no call, which the harness takes for right if no function fits.
        score = 0.0 if case in wrong or error else 1.0
        yield CaseScore(case_id=case, category=category, score=score, error=error)


def _forgotten(out_dir: Path, category: str) -> dict[str, str]:
    """Why a scenario of a memory category could not be remembered: the endpoint failed in the conversation before."""
    if part_of(category) != "memory":
        return {}
    rows = _results(out_dir, f"{category}_prereq", category)
    said = "no answer in the conversation to remember"
    return {_scenario(case): said for case, row in rows.items() if _failed(row)}


def _scenario(case: str) -> str:
    """`customer` of `memory_kv_0-customer-0`."""
    return case.split("-")[1] if "-" in case else ""


def _results(out_dir: Path, name: str, category: str = "") -> dict[str, Json]:
    path = _result_path(out_dir, name, category)
    return {row["id"]: row for row in json_lines(path)} if path.is_file() else {}


def _result_path(out_dir: Path, name: str, category: str = "") -> Path:
    """The harness's file of a category, or of what comes before one (`name`)."""
    return out_dir / "result" / _NAME / _group(category or name) / f"BFCL_v4_{name}_result.json"


def _group(category: str) -> str:
    """The harness's folder of a category."""
    part = part_of(category)
    if part == "memory":
        return f"agentic/memory/{category.removeprefix('memory_')}"
    if part in ("hallucination", "relevance"):
        return "live" if category.startswith("live_") else "non_live"
    return part


def _forget_failed(out_dir: Path) -> None:
    """Removes failed cases, which the harness considers done, and lines that a kill cut off."""
    for path in (out_dir / "result" / _NAME).rglob("*_result.json"):
        lines = path.read_bytes().split(b"\n")
        with replacing(path) as part:
            part.write_bytes(b"".join(line + b"\n" for line in lines if _usable(line)))


def _usable(line: bytes) -> bool:
    try:
        return not _failed(json.loads(line))
    except (ValueError, KeyError, TypeError):
        return False


def _failed(row: Json) -> bool:
    """Whether the harness got no answer. A model may write the same words, which have no traceback beside them."""
    found = row["result"]
    return isinstance(found, str) and found.startswith(_FAILED) and "traceback" in row


def _tokens(out_dir: Path, plan: Cases) -> Json:
    """Sums over all answers, as the endpoint counted them."""
    sums = {"prompt_tokens": 0, "completion_tokens": 0}
    for category, ids in plan.items():
        results = _results(out_dir, category)
        for case in ids:
            sums["prompt_tokens"] += _sum(results[case].get("input_token_count"))
            sums["completion_tokens"] += _sum(results[case].get("output_token_count"))
    return sums


def _sum(counts: object) -> int:
    """Sums a list of lists; a failed case has no list."""
    if isinstance(counts, list):
        return sum(_sum(part) for part in counts)  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType]
    return int(counts) if isinstance(counts, int | float) else 0
