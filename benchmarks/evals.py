"""What our runner adds to a harness: the same cases through `gem_tasks.evals` and through the harness's own command.

    python -m benchmarks.evals bfcl --cases 40       # from the checkout's root
    python -m benchmarks.evals tau2 --cases 4
    python -m benchmarks.evals bfcl --oracle full    # scores of the oracle and of the dumb endpoint, all cases
    python -m benchmarks.evals tool-eval-bench --oracle full

Both sides talk to one instant endpoint on this machine. Wall and CPU seconds of the harness's processes are printed; on
a busy machine the CPU seconds are the ones to compare.
"""

import argparse
import json
import os
import resource
import subprocess
import tempfile
import time
from pathlib import Path

from gem_tasks.domain.evaluation import Endpoint
from gem_tasks.evals import bfcl, tau2, tool_eval_bench
from gem_tasks.evals.bfcl_parts import COLLECTIONS
from gem_tasks.evals.environment import ensure
from gem_tasks.evals.options import BFCL_CATEGORIES, BfclOptions, Tau2Options, ToolEvalBenchOptions
from tests.oracles import bfcl as bfcl_oracle
from tests.oracles import tau2 as tau2_oracle
from tests.oracles import tool_eval_bench as tool_eval_bench_oracle
from tests.oracles.server import dumb, serving

HOME = Path(".gem")
HANDLER = "gpt-4.1-2025-04-14"  # a name that bfcl-eval knows; it asks our endpoint under it


def timed(what, run):
    started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    found = run()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{what:10} {time.perf_counter() - started:7.1f} s wall {cpu:7.1f} s CPU", flush=True)
    return found


def packages(name, path):
    return next(ensure(HOME, name).parents[1].glob(f"lib/python3*/site-packages/{path}"))


def by_hand(command, cwd, **extra):
    subprocess.run(
        command, cwd=cwd, env={**os.environ, **extra}, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def bench_bfcl(count, folder):
    data = packages("bfcl", "bfcl_eval/data")
    ids = [f"{category}_{at}" for category in BFCL_CATEGORIES for at in range(count // len(BFCL_CATEGORIES))]
    tool = str(ensure(HOME, "bfcl").with_name("bfcl"))
    hand = folder / "hand"
    hand.mkdir()
    wanted = {category: [each for each in ids if each.startswith(category)] for category in BFCL_CATEGORIES}
    (hand / "test_case_ids_to_generate.json").write_text(json.dumps(wanted))
    with serving(**{HANDLER: bfcl_oracle.wrong, "oracle": bfcl_oracle.oracle(data)}) as url:
        extra = {"BFCL_PROJECT_ROOT": str(hand), "OPENAI_BASE_URL": url, "OPENAI_API_KEY": "x"}
        model = f"{HANDLER}-FC"

        def hands():
            by_hand([tool, "generate", "--model", model, "--run-ids", "--num-threads", "8"], hand, **extra)
            options = ["--test-category", ",".join(BFCL_CATEGORIES), "--partial-eval"]
            by_hand([tool, "evaluate", "--model", model, *options], hand, **extra)

        def ours():
            options = BfclOptions(ids=tuple(ids), concurrency=8)
            return bfcl.evaluate(Endpoint(base_url=url, model=HANDLER), options, folder / "ours", home=HOME)

        timed("by hand", hands)
        timed("ours", ours)


def bench_tau2(count, folder):
    data = packages("tau2", "")
    ids = [each.split("/")[1] for each in tau2.SMOKE if each.startswith("airline")][:count]
    tool = str(ensure(HOME, "tau2").with_name("inspect"))
    with serving(oracle=tau2_oracle.agent(data), user=tau2_oracle.user(data)) as url:
        command = f"{tool} eval inspect_evals/tau2_airline --model openai-api/local/oracle --display plain".split()
        command += ["--model-role", "user=openai-api/local/user", "--sample-id", ",".join(ids), "--epochs", "2"]
        command += ["--epochs-reducer", "pass_at_2", "--max-samples", "2", "--log-dir", str(folder / "hand")]
        timed("by hand", lambda: by_hand(command, folder, LOCAL_BASE_URL=url, LOCAL_API_KEY="x"))
        user = Endpoint(base_url=url, model="user")
        options = Tau2Options(ids=tuple(f"airline/{each}" for each in ids), epochs=2, user=user, concurrency=2)
        agent = Endpoint(base_url=url, model="oracle")
        timed("ours", lambda: tau2.evaluate(agent, options, folder / "ours", home=HOME))


def scores(harness, subset, folder):
    """The oracle and the dumb endpoint over everything, or three domains of τ²-bench."""
    site = packages(harness, "")
    agents = {
        "bfcl": lambda: (bfcl_oracle.oracle(site / "bfcl_eval/data"), bfcl_oracle.nothing),
        "tau2": lambda: (tau2_oracle.agent(site), dumb),
        "tool-eval-bench": lambda: (tool_eval_bench_oracle.oracle, dumb),
    }
    best, worst = agents[harness]()
    user = tau2_oracle.user(site) if harness == "tau2" else dumb
    with serving(oracle=best, dumb=worst, user=user) as url:
        for model in ("oracle", "dumb"):
            found = timed(model, lambda: measured(harness, subset, url, model, folder / model))  # noqa: B023
            print(f"  {found.settings.summary}")
            for each in found.scores:
                print(f"  {each.category:28} {each.metric:9} {each.value:7.2%} of {each.cases}", flush=True)


def measured(harness, subset, url, model, folder):
    endpoint = Endpoint(base_url=url, model=model)
    if harness == "bfcl":
        return bfcl.evaluate(
            endpoint, BfclOptions(subset=subset, categories=COLLECTIONS["all"], concurrency=8), folder, home=HOME
        )
    if harness == "tool-eval-bench":
        return tool_eval_bench.evaluate(endpoint, ToolEvalBenchOptions(subset=subset), folder, home=HOME)
    user = Endpoint(base_url=url, model="user")
    options = Tau2Options(subset=subset, domains=("airline", "retail", "banking"), epochs=1, user=user, concurrency=4)
    return tau2.evaluate(endpoint, options, folder, home=HOME)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("harness", choices=["bfcl", "tau2", "tool-eval-bench"])
    parser.add_argument("--cases", type=int, default=40)
    parser.add_argument("--oracle", choices=["smoke", "full"])
    asked = parser.parse_args()
    if asked.harness == "tool-eval-bench" and not asked.oracle:
        parser.error("tool-eval-bench is only run with --oracle")
    with tempfile.TemporaryDirectory() as folder:
        if asked.oracle:
            scores(asked.harness, asked.oracle, Path(folder))
        elif asked.harness == "bfcl":
            bench_bfcl(asked.cases, Path(folder))
        else:
            bench_tau2(asked.cases, Path(folder))


if __name__ == "__main__":
    main()
