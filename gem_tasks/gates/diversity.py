"""The figures of a dataset version that the section `[diversity]` of a policy bounds. Pure."""

from collections.abc import Mapping

from gem_tasks.domain.base import Json
from gem_tasks.domain.gate import Decision, Metrics
from gem_tasks.domain.realised import Realised

DIVERSITY = "diversity"
"""Name of the section, and of the step in decisions."""
_JUDGED = ("look_alikes", "premise", "recap")
METRICS = (
    "user_phrase_share",
    "assistant_phrase_share",
    "spread",
    "tool_entropy",
    "top_tool_share",
    "tool_error_share",
    *(f"{name}_share" for name in _JUDGED),
)


def metrics_of(manifest: Json) -> Metrics:
    """Figures of a version; those that it lacks are absent. `sample` is of its conversations, or of the judged ones."""
    found: Json = manifest.get("diversity") or {}
    tools: Json = found.get("tools") or {}
    phrases: dict[str, dict[str, float]] = found.get("phrases") or {}
    numbers: dict[str, float | None] = {
        **{f"{role}_phrase_share": _most(said) for role, said in phrases.items()},
        "spread": found.get("spread"),
        "tool_entropy": tools.get("evenness"),
        "top_tool_share": tools.get("top_share"),
    }
    samples: dict[str, int] = {}
    if found.get("realised"):
        for name, share in Realised.model_validate(found["realised"]).headlines.items():
            numbers[f"{name}_share"], samples[f"{name}_share"] = share.share, share.of
    known = {name: number for name, number in numbers.items() if number is not None}
    return Metrics(stage=DIVERSITY, accepted=manifest["trajectories"], numbers=known, samples=samples)


def _most(phrases: Mapping[str, float]) -> float:
    """Share of the most common of the ten; 0 if no phrase is in two conversations."""
    return max(phrases.values(), default=0.0)


def lines(decision: Decision) -> list[str]:
    """What is not as the policy wants it, in words; empty if all is."""
    return [
        f"{held.metric} is {held.number:.3g}, expected {held.bound}"
        for held in decision.held
        if held.broken and held.number is not None
    ]
