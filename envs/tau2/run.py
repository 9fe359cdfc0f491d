"""Runs tau2 tasks of inspect-evals on Inspect AI, for an agent and a simulated user on OpenAI-compatible endpoints.

    python run.py JOB.json          addresses and keys: AGENT_BASE_URL, AGENT_API_KEY, USER_BASE_URL, USER_API_KEY

Uses `eval_set`, so a second call with the same log folder resumes. Writes events as JSON lines to stdout; what Inspect
prints goes to stderr, its logs to the log folder, and one line per sample and epoch, read from those logs, to
`samples.jsonl`.
"""

import json
import os
import sys
from pathlib import Path

from tasks import chosen, digest


def main() -> None:
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    events, sys.stdout = sys.stdout, sys.stderr

    def say(**event: object) -> None:
        events.write(json.dumps(event) + "\n")
        events.flush()

    say(event="phase", name="load inspect-evals")
    tasks, unknown = chosen(job)
    if unknown:
        say(event="unknown", ids=unknown)
        return
    plan = {domain: [str(sample.id) for sample in task.dataset] for domain, task in tasks.items()}
    say(event="tasks", sha256=digest(tasks))
    say(event="plan", ids=plan)
    failed = Path(job["root"]) / "failed.jsonl"
    _listen(say, failed)
    logs = _evaluate(job, list(tasks.values()))
    say(event="phase", name="read logs")
    failures = [json.loads(line) for line in failed.read_bytes().split(b"\n") if line] if failed.exists() else []
    errors = {(each["domain"], each["id"], each["epoch"]): each["error"] for each in failures}
    rows = [row for log in logs for row in _rows(log, errors)]
    path = Path(job["root"]) / "samples.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    say(event="done")


def _evaluate(job: dict, tasks: list):
    from inspect_ai import Epochs, eval_set
    from inspect_ai.model import GenerateConfig, get_model

    shared = {"seed": job["seed"], "max_connections": job["concurrency"]}
    limits = {"attempt_timeout": int(job["request_timeout_s"]), "max_retries": job["max_retries"]}
    own = {"max_tokens": job["max_tokens"], "temperature": job["temperature"]}
    if job["thinking"] is not None:
        own["extra_body"] = {"chat_template_kwargs": {"enable_thinking": job["thinking"]}}

    def model(role: str, **more):
        config = GenerateConfig(**shared, **limits, **more)
        address, key = os.environ[f"{role}_BASE_URL"], os.environ[f"{role}_API_KEY"]
        name = job["model"] if role == "AGENT" else job["user_model"]
        return get_model(f"openai-api/{role.lower()}/{name}", config=config, base_url=address, api_key=key)

    _, logs = eval_set(
        tasks,
        log_dir=str(Path(job["root"]) / "logs"),
        retry_attempts=0,
        model=model("AGENT", **own),
        model_roles={"user": model("USER", temperature=job["user_temperature"])},
        epochs=Epochs(job["epochs"], ["mean"]),
        max_samples=job["concurrency"],
        max_tasks=len(tasks),
        fail_on_error=False,
        log_realtime=False,  # a database of events for a viewer of running evaluations; a quarter of the time
        display="none",
        log_level="warning",
        log_dir_allow_dirty=True,
    )
    return logs


def _listen(say, path: Path) -> None:
    """Tells the parent of every sample that ends and every call; keeps failed calls, which the harness swallows."""
    from inspect_ai.hooks import Hooks, hooks

    domains: dict[str, str] = {}

    @hooks(name="gem", description="progress for the parent process")
    class Progress(Hooks):
        async def on_task_start(self, data) -> None:
            domains[data.eval_id] = _domain(data.spec.task)

        async def on_sample_end(self, data) -> None:
            sample = data.sample
            error = next((event.error for event in sample.events if event.event == "model" and event.error), None)
            if error:
                row = {"domain": domains[data.eval_id], "id": str(sample.id), "epoch": sample.epoch, "error": error}
                with path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(row) + "\n")
            say(event="case", id=str(sample.id), epoch=sample.epoch)

        async def on_sample_event(self, data) -> None:
            if data.event.event == "model":
                say(event="call", error=data.event.error)


def _rows(log, errors: dict):
    """One per try, from the log's summaries: whole samples take as long to read as to run."""
    from inspect_ai.log import read_eval_log_sample_summaries

    domain = _domain(log.eval.task)
    for sample in read_eval_log_sample_summaries(log.location):
        scores = list((sample.scores or {}).values())
        yield {
            "domain": domain,
            "id": str(sample.id),
            "epoch": sample.epoch,
            "value": scores[0].value if scores else None,
            "error": sample.error or errors.get((domain, str(sample.id), sample.epoch)),
            "seconds": sample.total_time,
            "tokens": sum(each.total_tokens for each in (sample.model_usage or {}).values()),
        }


def _domain(task: str) -> str:
    return task.rsplit("/", 1)[-1].removeprefix("tau2_")


if __name__ == "__main__":
    main()
