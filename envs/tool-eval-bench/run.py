"""Runs scenarios of tool-eval-bench with its own orchestrator, mock tools and graders, for one endpoint.

    python run.py JOB.json          address and key: OPENAI_BASE_URL, OPENAI_API_KEY

Calls neither the package's command line nor its service, which probe the server and write a database. Writes events as
JSON lines to stdout; what the package prints goes to stderr. `results.jsonl` gets a line for each try when it ends, so
a second call resumes, and `summary.json` the package's own totals.
"""

import asyncio
import hashlib
import json
import os
import re
import sys
from contextvars import ContextVar
from pathlib import Path

MAX_TURNS = 8  # of the package's command line


def main() -> None:
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    events, sys.stdout = sys.stdout, sys.stderr

    def say(**event: object) -> None:
        events.write(json.dumps(event) + "\n")
        events.flush()

    say(event="phase", name="load tool-eval-bench")
    from tool_eval_bench.evals.scenarios import ALL_SCENARIOS

    known = {each.id: each for each in ALL_SCENARIOS if category_of(each) in job["categories"]}
    unknown = sorted(set(job["ids"]) - set(known))
    if unknown:
        say(event="unknown", ids=unknown)
        return
    chosen = [each for each in known.values() if not job["ids"] or each.id in job["ids"]]
    plan: dict[str, list[str]] = {}
    for each in chosen:
        plan.setdefault(category_of(each), []).append(each.id)
    say(event="tasks", sha256=_digest(chosen))
    say(event="plan", ids=plan)
    asyncio.run(_play(job, chosen, say))
    say(event="phase", name="score")
    _summarise(Path(job["root"]), chosen, job["epochs"])
    say(event="done")


def category_of(scenario) -> str:
    """`safety_and_boundaries` of category K."""
    from tool_eval_bench.domain.scenarios import CATEGORY_LABELS

    label = CATEGORY_LABELS[scenario.category].lower().replace("&", "and")
    return re.sub(r"\W+", "_", label)


def _digest(scenarios: list) -> str:
    """SHA-256 of which scenarios run, and of the code that defines, plays and grades them: answers are code here."""
    import tool_eval_bench

    root = Path(tool_eval_bench.__file__).parent
    code = sorted([root / "runner/orchestrator.py", *root.glob("domain/*.py"), *root.glob("evals/**/*.py")])
    found = hashlib.sha256(json.dumps([each.id for each in scenarios]).encode())
    for path in code:
        found.update(path.read_bytes())
    return found.hexdigest()


async def _play(job: dict, scenarios: list, say) -> None:
    from tool_eval_bench.runner.orchestrator import run_all_scenarios

    path = Path(job["root"]) / "results.jsonl"
    done = {(row["id"], row["epoch"]) for row in _rows(path)}
    adapter, case = _adapter(say)
    extra = {} if job["max_tokens"] is None else {"max_tokens": job["max_tokens"]}
    if job["thinking"] is not None:
        extra["chat_template_kwargs"] = {"enable_thinking": job["thinking"]}

    async def began(scenario, *_) -> None:
        case.set(scenario.id)
        adapter.rejected.pop(scenario.id, None)

    for epoch in range(1, job["epochs"] + 1):
        left = [each for each in scenarios if (each.id, epoch) not in done]

        async def ended(scenario, result, *_, epoch=epoch) -> None:
            outside = result.summary if result.is_infrastructure_failure else adapter.rejected.get(scenario.id)
            row = {"id": scenario.id, "category": category_of(scenario), "epoch": epoch, "error": outside}
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({**row, "result": result.to_dict()}) + "\n")
            say(event="case", id=scenario.id, epoch=epoch)

        if left:
            await run_all_scenarios(
                adapter,
                model=job["model"],
                base_url=os.environ["OPENAI_BASE_URL"],
                api_key=os.environ["OPENAI_API_KEY"],
                scenarios=left,
                max_turns=MAX_TURNS,
                timeout_seconds=job["request_timeout_s"],
                temperature=job["temperature"],
                seed=job["seed"],
                extra_params=extra,
                concurrency=job["threads"],
                on_scenario_start=began,
                on_scenario_result=ended,
            )
    await adapter.aclose()


def _adapter(say):
    """The package's own, which tells the parent of every call; and the variable with the scenario of a task.

    The package takes a rejected request for the model's last word, once the model has called a tool.
    """
    from tool_eval_bench.adapters.openai_compat import OpenAICompatibleAdapter

    case: ContextVar[str] = ContextVar("case", default="")

    class Adapter(OpenAICompatibleAdapter):
        rejected: dict[str, str] = {}

        async def chat_completion(self, **asked):
            try:
                answer = await super().chat_completion(**{"parallel_tool_calls": None, **asked})  # servers allow them
            except Exception as error:
                say(event="call", error=str(error)[:300] or type(error).__name__)
                raise
            why = answer.content if answer.malformed or answer.transport_error_status else None
            self.rejected.pop(case.get(), None)
            if why:
                self.rejected[case.get()] = why
            say(event="call", error=why)
            return answer

    return Adapter(), case


def _summarise(root: Path, scenarios: list, epochs: int) -> None:
    """The package's own totals of every round of tries."""
    from tool_eval_bench.domain.scenarios import ScenarioResult
    from tool_eval_bench.runner.orchestrator import score_results

    rows = _rows(root / "results.jsonl")
    totals = []
    for epoch in range(1, epochs + 1):
        found = {row["id"]: ScenarioResult.from_dict(row["result"]) for row in rows if row["epoch"] == epoch}
        scores = score_results([found[each.id] for each in scenarios], scenarios).to_dict()
        totals.append({name: value for name, value in scores.items() if name != "scenario_results"})
    (root / "summary.json").write_text(json.dumps(totals), encoding="utf-8")


def _rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_bytes().split(b"\n") if line] if path.exists() else []


if __name__ == "__main__":
    main()
