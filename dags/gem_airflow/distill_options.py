"""Params of `gem_distill` and what its tasks have in common."""

import logging
import time
from typing import TYPE_CHECKING, Any, cast

from airflow.sdk import Param, get_current_context
from airflow.sdk.exceptions import AirflowException, AirflowSkipException

from gem_airflow.bridge import run_context, workspace
from gem_airflow.params import END, NAME, URL, line, optional, seed, several, text, whole

if TYPE_CHECKING:
    from gem_tasks.distill.experiment import Options
    from gem_tasks.evals.progress import Progress
    from gem_tasks.pipeline.workspace import Workspace

logger = logging.getLogger(__name__)
_EVERY_S = 10.0
HARNESSES = ("bfcl", "tau2", "synthesizer")


_REPOSITORY = "[A-Za-z0-9][A-Za-z0-9_.-]{0,95}"
_WEIGHTS = f"^({_REPOSITORY}/{_REPOSITORY}|/(?!(.*/)?[.][.](/|{END})){line(500)[1:]}){END}"
"""An id of the hub, or a folder by its whole path; which folders is the deployment's to say (`GEM_MODEL_ROOTS`)."""
_MODEL = line(200)

PARAMS: dict[str, Param] = {
    "experiment": Param(
        "distill", type="string", pattern=NAME, title="Experiment", description="See: gem experiment list"
    ),
    "profile": Param(
        "smoke", type="string", pattern=NAME, title="Training profile", description="See: gem distill profiles"
    ),
    "model": text("Base", "A hub id, or a folder below GEM_MODEL_ROOTS, instead of the profile's.", _WEIGHTS),
    "kind": optional("string", "Kind", "Of model; empty: the profile's.", enum=[None, "agent", "synthesizer"]),
    "size": whole("Trajectories", "To train on at most; empty: the profile's.", 1, 100_000_000),
    "refined": optional("boolean", "Refined", "False trains on drafts."),
    "audited": Param(False, type="boolean", title="Audited only", description="Only versions that people passed."),
    "sources": several(
        "Sources", "Patterns, one a line; for cross-domain the first is A, the second B.", pattern=line(1000)
    ),
    "seed": seed(),
    "harnesses": several("Harnesses", "Those that fit the model are run.", list(HARNESSES), enum=list(HARNESSES)),
    "subset": Param("smoke", type="string", enum=["smoke", "full"], title="Cases"),
    "bfcl_ids": several(
        "BFCL cases",
        "Ids, one a line; empty: the subset.",
        pattern=f"^multi_turn_(base|miss_func|miss_param|long_context)_[0-9]{{1,4}}{END}",
    ),
    "tau2_ids": several(
        "τ²-bench cases",
        "Such as airline/7, one a line; empty: the subset.",
        pattern=f"^(airline|retail|telecom)/{line(300)[1:]}",
    ),
    "epochs": whole("Tries per τ²-bench case", "Empty: 4, or the profile's.", 1, 100),
    "message_limit": whole("Messages of a τ²-bench conversation", "At most.", 2, 1000),
    "texts": whole("Texts", "Held out, for a synthesizer, at most.", 1, 1_000_000),
    "max_tokens": whole("Tokens per answer", "At most.", 1, 1_000_000),
    "request_timeout_s": optional("number", "Seconds per answer", "At most.", exclusiveMinimum=0, maximum=86_400),
    "user_url": text("Customer's endpoint", "Who plays the user in τ²-bench.", URL),
    "user_model": text("Customer's model", "", _MODEL),
    "endpoint_url": text("Endpoint", "Measure this server instead of training and serving one.", URL),
    "endpoint_model": text("Endpoint's model", "", _MODEL),
}


def options(given: dict[str, Any]) -> "Options":
    """The run's params as a value."""
    from gem_tasks.distill.experiment import options_of

    return options_of({name: given.get(name) for name in PARAMS})


def skip_unless_enough(work: "Workspace", profile: str, min_new: int) -> None:
    """Ends a run that a dataset version started, unless it brought enough; what a person starts always runs.

    Raises:
        AirflowSkipException: it did not.
    """
    if not cast("Any", get_current_context()).get("triggering_asset_events"):
        return
    with work.ledger() as ledger:
        fresh = ledger.distill.new_since_model(profile)
    if fresh < min_new:
        raise AirflowSkipException(f"{fresh} trajectories are new to {profile}; a training begins at {min_new}")


def measured(
    harness: str, item: dict[str, Any], model: dict[str, Any] | None, server: dict[str, Any] | None
) -> list[str]:
    """Runs a harness over an arm and returns where its reports are: nowhere, when the plan has no such harness.

    It does not skip: what follows a setup task has to succeed.
    """
    from gem_tasks.distill.experiment import Plan
    from gem_tasks.distill.record import keep_measured
    from gem_tasks.distill.serve import Served, renewing
    from gem_tasks.distill.steps import endpoint_of, measure
    from gem_tasks.domain.distill import Model

    work, planned = workspace(), Plan.model_validate(item["plan"])
    if harness not in planned.harnesses:
        logger.info("%s is not asked for", harness)
        return []
    served = Served.model_validate(server) if server else None
    endpoint = served.endpoint if served else endpoint_of(planned, work.settings)
    if endpoint is None:
        raise AirflowException("the task serve returned no server")
    trained = Model.model_validate(model) if model else None
    with renewing(served):
        found = measure(
            work, planned, item["arm"], cast("Any", harness), endpoint, trained, run_context().run_id, saying()
        )
    keep_measured(work, planned, found)
    return [each.key for each in found]


def saying() -> "Progress":
    """Progress as lines of the task's log: every new thing, and every ten seconds."""
    last: dict[str, float] = {}

    def say(what: str, done: int, total: int) -> None:
        key = what.split(":")[0]
        if time.monotonic() - last.get(key, -_EVERY_S) < _EVERY_S and done != total:
            return
        last[key] = time.monotonic()
        logger.info("%s %s", what, f"{done} of {total}" if total else "")

    return say
