"""README.md of the repository: metadata that the Hub reads, and what each version contains."""

from collections import Counter
from collections.abc import Iterable, Sequence

import yaml

from gem_tasks.dataset import card
from gem_tasks.dataset.card import cell, size_category
from gem_tasks.domain.base import Json
from gem_tasks.hub.licence import Licence

_TAGS = ("tool-use", "function-calling", "agents", "synthetic", "gem", "conversational")


def render(name: str, manifests: Sequence[Json], files: dict[str, str], licence: Licence, languages: list[str]) -> str:
    """The card of all versions.

    Args:
        name: `OWNER/NAME`.
        manifests: of the versions that are current.
        files: path in the repository by version.
        licence: of all of them.
        languages: of their texts, ISO 639-1.
    """
    count = sum(manifest["trajectories"] for manifest in manifests)
    header: Json = {
        "license": licence.id,
        "language": languages or ["en"],
        "task_categories": ["text-generation"],
        "tags": list(_TAGS),
        "size_categories": [size_category(count)],
        "configs": [
            {"config_name": "default", "default": True, **_data(sorted(files.values()))},
            *({"config_name": version, **_data(path)} for version, path in sorted(files.items())),
        ],
    }
    rows = "\n".join(
        f"| `{each['version']}` | `{each['partition']}` | {each['trajectories']:,} | {each['documents']:,} |"
        for each in sorted(manifests, key=lambda each: each["partition"])
    )
    claims = "\n".join(f"- {cell(claim) or 'unknown'}: {number:,}" for claim, number in licence.claimed.items())
    models = ", ".join(sorted({f"`{cell(model)}`" for each in manifests for model in each["teacher"].values()}))
    return f"""---
{yaml.safe_dump(header, sort_keys=False, allow_unicode=True).strip()}
---

# {cell(name)}

{count:,} multi-turn tool-use trajectories made from texts with [GEM](https://arxiv.org/abs/2601.10355)'s method and
validated by deterministic checks and a judge. Tools and their results were written by a model: no real system ran.

| version | partition | trajectories | documents |
|---|---|---|---|
{rows}

`messages` is a conversation of the Chat Completions API with `arguments` as JSON strings, `tools` the JSON string of
its tools, `tool_errors` the positions of messages in which a tool reports an error. Each version's folder has its own
card with funnel, refusals, contamination and privacy.

![Messages per trajectory](plots/messages.svg)

![Trajectories by domain](plots/domains.svg)

![Trajectories by tool called](plots/tools.svg)

Models: {models}. Licences that the sources claim, by trajectories:

{claims}

```python
from datasets import load_dataset

rows = load_dataset("{name}", split="train")
```
"""


def pictures(manifests: Sequence[Json]) -> dict[str, bytes]:
    """The plots of versions together, by path relative to their card."""
    lengths = {name: _summed(each["lengths"][name] for each in manifests) for name in ("draft", "refined")}
    counted = {name: card.counts(_summed(each[name] for each in manifests)) for name in ("domains", "tools")}
    return card.pictures({"lengths": lengths, **counted})


def _summed(found: Iterable[dict[str, int]]) -> Counter[str]:
    whole: Counter[str] = Counter()
    for each in found:
        whole.update(each)
    return whole


def _data(path: str | list[str]) -> Json:
    return {"data_files": [{"split": "train", "path": path}]}
