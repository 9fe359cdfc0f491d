"""The dataset card: what a person should know before training on a version."""

from collections import Counter
from collections.abc import Iterable

from gem_tasks.domain.base import Json

OFFLINE_MODEL = "offline-rules"

_WARNING = """
> **Made by the offline teacher.** The stages {stages} were answered by GEM's rule-based stand-in (`offline-rules`), not
> by a language model. This data shows that the pipeline works. For real training, configure a real model and run again.
"""


def render(manifest: Json) -> str:
    """Markdown with a YAML header that the Hugging Face Hub reads."""
    offline = [stage for stage, model in manifest["teacher"].items() if model == OFFLINE_MODEL]
    warning = _WARNING.format(stages=", ".join(offline)) if offline else ""
    size = manifest["means"]
    return f"""---
tags: [tool-use, agents, synthetic, gem]
configs: [{{config_name: default, data_files: "train-*.parquet"}}]
---

# GEM trajectories, version {manifest["version"]}
{warning}
{manifest["trajectories"]} multi-turn tool-use trajectories from {manifest["documents"]} documents of partition
`{manifest["partition"]}`, made by the method of the GEM paper (arXiv 2601.10355) and validated by deterministic checks
and a judge.

| mean per trajectory | before refinement | after |
|---|---|---|
| messages | {size["draft"]["messages"]} | {size["refined"]["messages"]} |
| tools | {size["draft"]["tools"]} | {size["refined"]["tools"]} |
| calls | {size["draft"]["calls"]} | {size["refined"]["calls"]} |

## How it was made

| stage | model | recipe |
|---|---|---|
{_rows((f"{stage} | `{model}`", f"`{manifest['recipes'][stage]}`") for stage, model in manifest["teacher"].items())}

## What is in it

Columns `trajectory_id`, `segment_id` and, as JSON strings, `messages` and `tools` (Chat Completions format) and
`metadata` (source, licence, models, recipe). Licences are those of the source documents:

| licence | trajectories |
|---|---|
{_counts(manifest["licenses"])}

| platform | trajectories |
|---|---|
{_counts(manifest["platforms"])}

| task category | trajectories |
|---|---|
{_counts(manifest["task_categories"])}
"""


def counts(values: Iterable[str | None]) -> dict[str, int]:
    """How often each value occurs, most frequent first, ties by name."""
    found = Counter(value or "unknown" for value in values)
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def _counts(found: dict[str, int]) -> str:
    return _rows((_cell(name), str(count)) for name, count in found.items())


def _rows(pairs: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"| {left} | {right} |" for left, right in pairs)


def _cell(text: str) -> str:
    """Licence names come from documents: no pipe, line break or markup may get out of its cell."""
    return text.replace("|", "/").replace("\n", " ").replace("<", "&lt;")[:80]
