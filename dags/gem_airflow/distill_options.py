"""Params of `gem_distill` and the helpers that its tasks share."""

import logging
import time
from typing import TYPE_CHECKING, Any, cast

from airflow.sdk import Param, get_current_context
from airflow.sdk.exceptions import AirflowException, AirflowSkipException

from gem_airflow.bridge import run_context, workspace
from gem_airflow.params import END, NAME, SHA, URL, line, optional, seed, several, text, whole

if TYPE_CHECKING:
    from gem_tasks.distill.experiment import Options
    from gem_tasks.evals.progress import Progress
    from gem_tasks.pipeline.workspace import Workspace

logger = logging.getLogger(__name__)
_EVERY_S = 10.0
HARNESSES = ("bfcl", "tau2", "tool-eval-bench", "worlds", "calls", "synthesizer")


_REPOSITORY = "[A-Za-z0-9][A-Za-z0-9_.-]{0,95}"
_WEIGHTS = f"^({_REPOSITORY}/{_REPOSITORY}|/(?!(.*/)?[.][.](/|{END})){line(500)[1:]}){END}"
"""A hub id, or the absolute path of a folder. The deployment lists the permitted folders in `GEM_MODEL_ROOTS`."""
_MODEL = line(200)

PARAMS: dict[str, Param] = {
    "experiment": Param(
        "distill", type="string", pattern=NAME, title="Experiment", description="See: gem experiment list"
    ),
    "profile": Param(
        "smoke", type="string", pattern=NAME, title="Training profile", description="See: gem distill profiles"
    ),
    "model": text("Base model", "A hub id, or a folder below GEM_MODEL_ROOTS. Empty: the profile's.", _WEIGHTS),
    "kind": optional("string", "Model kind", "Empty: the profile's.", enum=[None, "agent", "synthesizer"]),
    "size": whole("Trajectories", "Train on up to this many. Empty: the profile's.", 1, 100_000_000),
    "refined": optional("boolean", "Refined", "False: train on drafts. Empty: the profile's."),
    "audited": Param(
        False, type="boolean", title="Audited only", description="Use only dataset versions that passed an audit."
    ),
    "imported": text("Imported set", "Id of a set that gem distill import made. Empty: published trajectories.", SHA),
    "sources": several(
        "Sources", "Patterns, one per line. For cross-domain the first is A, the second is B.", pattern=line(1000)
    ),
    "seed": seed(),
    "harnesses": several(
        "Harnesses",
        "GEM runs those that suit the kind of model.",
        list(HARNESSES),
        enum=list(HARNESSES),
    ),
    "subset": Param("smoke", type="string", enum=["smoke", "full"], title="Cases"),
    "bfcl_ids": several(
        "BFCL cases",
        "Ids, one per line. Empty: the subset above.",
        pattern=f"^(multi_turn|simple|multiple|parallel|live|irrelevance|memory)[a-z_]*_[0-9][0-9A-Za-z-]{{0,60}}{END}",
    ),
    "tau2_ids": several(
        "τ²-bench cases",
        "For example airline/7, one per line. Empty: the subset above.",
        pattern=f"^(airline|retail|telecom)/{line(300)[1:]}",
    ),
    "tool_eval_bench_ids": several(
        "tool-eval-bench scenarios",
        "Such as TC-07, one per line. Empty: the subset above.",
        pattern=f"^TC-[0-9]{{2}}{END}",
    ),
    "epochs": whole("Tries per case of τ²-bench, tool-eval-bench and worlds", "Empty: 4, or the profile's.", 1, 100),
    "tasks": whole("Tasks in worlds", "Upper limit. Empty: all, or 1 for the smoke cases.", 1, 1_000_000),
    "message_limit": whole("Messages per τ²-bench conversation", "Upper limit.", 2, 1000),
    "turns": whole("Turns of conversations", "Upper limit. Empty: all, or 12 for the smoke cases.", 1, 1_000_000),
    "texts": whole("Held-out texts", "Upper limit; for a synthesizer only.", 1, 1_000_000),
    "max_tokens": whole("Tokens per answer", "Upper limit.", 1, 1_000_000),
    "request_timeout_s": optional("number", "Seconds per answer", "Upper limit.", exclusiveMinimum=0, maximum=86_400),
    "user_url": text("User simulator's endpoint", "The server that plays the user in τ²-bench and worlds.", URL),
    "user_model": text("User simulator's model", "The model that plays the user in τ²-bench and worlds.", _MODEL),
    "endpoint_url": text("Endpoint", "Measure this server instead of training and serving a model.", URL),
    "endpoint_model": text("Endpoint's model", "The model to ask at that server.", _MODEL),
}


def options(given: dict[str, Any]) -> "Options":
    """Returns the run's params as validated `Options`."""
    from gem_tasks.distill.experiment import options_of

    return options_of({name: given.get(name) for name in PARAMS})


def skip_unless_enough(work: "Workspace", profile: str, min_new: int) -> None:
    """Skips a run that a dataset version started with too few new trajectories; a run started by a person continues.

    Raises:
        AirflowSkipException: fewer than `min_new` trajectories are new.
    """
    if not cast("Any", get_current_context()).get("triggering_asset_events"):
        return
    with work.ledger() as ledger:
        fresh = ledger.distill.new_since_model(profile)
    if fresh < min_new:
        raise AirflowSkipException(f"{fresh} trajectories are new to {profile}; training needs at least {min_new}")


def measured(
    harness: str, item: dict[str, Any], model: dict[str, Any] | None, server: dict[str, Any] | None
) -> list[str]:
    """Runs a harness over an arm and returns the keys of its reports; none if the plan does not include the harness.

    It does not skip the task: tasks that follow a setup task have to succeed.
    """
    from gem_tasks.distill.experiment import Plan
    from gem_tasks.distill.record import keep_measured
    from gem_tasks.distill.serve import Served, renewing
    from gem_tasks.distill.steps import endpoint_of, measure
    from gem_tasks.domain.distill import Model

    work, planned = workspace(), Plan.model_validate(item["plan"])
    if harness not in planned.harnesses:
        logger.info("The plan does not include %s", harness)
        return []
    served = Served.model_validate(server) if server else None
    endpoint = served.endpoint if served else endpoint_of(planned, work.settings)
    if endpoint is None:
        raise AirflowException("The task `serve` returned no server")
    trained = Model.model_validate(model) if model else None
    with renewing(served):
        found = measure(
            work, planned, item["arm"], cast("Any", harness), endpoint, trained, run_context().run_id, saying()
        )
    keep_measured(work, planned, found)
    return [each.key for each in found]


def saying() -> "Progress":
    """Logs progress: one line for each new step, then one every ten seconds."""
    last: dict[str, float] = {}

    def say(what: str, done: int, total: int) -> None:
        key = what.split(":")[0]
        if time.monotonic() - last.get(key, -_EVERY_S) < _EVERY_S and done != total:
            return
        last[key] = time.monotonic()
        logger.info("%s %s", what, f"{done} of {total}" if total else "")

    return say
