"""How often the truth lies in the interval of `--estimate`: `python benchmarks/estimate.py SOURCE [SIZE …]`.

Brings every text of SOURCE through all stages once, with the settings of the environment, then draws samples of each
size with many seeds and compares what each foretells of the rest with what the rest took.
"""

import sys

import numpy as np

from gem_tasks.domain.corpus import Source
from gem_tasks.pipeline.preflight.forecast import Terms, forecast
from gem_tasks.pipeline.preflight.sample import measure
from gem_tasks.pipeline.preflight.survey import survey
from gem_tasks.pipeline.recipes import takes_of
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import load

SEEDS = 400
MEASURES = ("calls", "prompt_tokens", "completion_tokens")
EVERYTHING = 1_000_000


def took(texts, stage=None):
    """Sums of what texts took, and how many became trajectories."""
    costs = [step.cost for text in texts for step in text.steps if stage in (None, step.stage)]
    usage = [cost.usage for cost in costs]
    return {
        "calls": sum(cost.calls for cost in costs),
        "prompt_tokens": sum(each.prompt_tokens for each in usage),
        "completion_tokens": sum(each.completion_tokens for each in usage),
        "accepted": sum(
            text.steps[-1].stage in ("validate", "revalidate") and text.steps[-1].kind == "accepted" for text in texts
        ),
    }


def main():
    work = Workspace.open(load())
    terms = Terms(takes={name: takes_of(recipe) for name, recipe in work.chain.by_stage.items()})
    found = survey(work, Source(uri=sys.argv[1]), EVERYTHING)
    texts = measure(work, found.sample, None).texts
    print(len(texts), "texts;", took(texts))
    for size in map(int, sys.argv[2:] or ("10", "20", "50")):
        hits, widths, blind = {}, {}, 0
        for seed in range(SEEDS):
            order = np.random.default_rng(seed).permutation(len(texts))
            sample, rest = [texts[at] for at in order[:size]], [texts[at] for at in order[size:]]
            said, truth = forecast(sample, len(rest), terms, seed), took(rest)
            foretold = {name: getattr(said.total, name) for name in MEASURES} | {"accepted": said.accepted}
            for stage in said.stages:
                if stage.rest:
                    foretold[f"{stage.stage} calls"] = stage.rest.calls
                    truth[f"{stage.stage} calls"] = took(rest, stage.stage)["calls"]
            blind += bool(said.unknown)
            for name, amount in ({} if said.unknown else foretold).items():
                hits.setdefault(name, []).append(amount.low <= truth[name] <= amount.high)
                widths.setdefault(name, []).append((amount.high - amount.low) / max(1, truth[name]))
        print(f"{size:4} {blind / SEEDS:.1%} of the samples say that they know nothing of some stage")
        for name, hit in hits.items():
            width = np.median(widths[name])
            print(f"{size:4} {name:20} inside {np.mean(hit):.1%} of {len(hit)}; width {width:.2f} of the truth")


if __name__ == "__main__":
    main()
