"""Draws a report's plots: `python plots.py plots.json`; prints the names of what it drew."""

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402 - after the backend is chosen


def curves(folder: Path, found: dict[str, str]) -> str | None:
    """Training and validation loss over steps."""
    figure, axes = plt.subplots(figsize=(7, 4))
    for arm, path in found.items():
        if not Path(path).exists():
            continue
        rows = [json.loads(line) for line in Path(path).read_bytes().split(b"\n") if line]
        for name, style in (("loss", "-"), ("eval_loss", "o--")):
            points = [(row["step"], row[name]) for row in rows if name in row]
            if points:
                axes.plot(*zip(*points, strict=True), style, label=f"{arm} {name}")
    if not axes.lines:
        return None
    axes.set(xlabel="step", ylabel="loss", title="Loss on assistant tokens")
    return finish(figure, axes, folder, "loss")


def bars(folder: Path, found: list[dict[str, Any]]) -> list[str]:
    """Scores by category, an arm a colour, one figure per harness."""
    names = []
    for number, title in enumerate(dict.fromkeys(each["title"] for each in found)):
        arms = [each for each in found if each["title"] == title]
        labels = list(dict.fromkeys(f"{s['category']}\n{s['metric']}" for each in arms for s in each["scores"]))
        figure, axes = plt.subplots(figsize=(max(6, 1.6 * len(labels)), 4))
        width = 0.8 / len(arms)
        for place, each in enumerate(arms):
            scores = {f"{s['category']}\n{s['metric']}": s for s in each["scores"]}
            at = [labels.index(label) + (place - (len(arms) - 1) / 2) * width for label in scores]
            heights = [100 * s["value"] for s in scores.values()]
            errors = [100 * (s["standard_error"] or 0) for s in scores.values()]
            axes.bar(at, heights, width, yerr=errors, capsize=3, label=each["arm"])
        axes.set(xticks=range(len(labels)), xticklabels=labels, ylim=(0, 100), ylabel="per cent", title=title)
        names.append(finish(figure, axes, folder, f"scores-{number}"))
    return names


def finish(figure: Any, axes: Any, folder: Path, name: str) -> str:
    """Writes the figure."""
    axes.legend()
    axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(folder / f"{name}.png", dpi=110)
    return name


if __name__ == "__main__":
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    target = Path(job["folder"])
    print("\n".join(filter(None, [curves(target, job["curves"]), *bars(target, job["bars"])])))
