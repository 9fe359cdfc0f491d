"""Params of `gem_distill` and what its tasks have in common."""

import logging
import time
from typing import TYPE_CHECKING, Any, cast

from airflow.sdk import Param, get_current_context
from airflow.sdk.exceptions import AirflowException, AirflowSkipException

from gem_airflow.bridge import run_context, workspace

if TYPE_CHECKING:
    from gem_tasks.distill.experiment import Options
    from gem_tasks.evals.progress import Progress
    from gem_tasks.pipeline.workspace import Workspace

logger = logging.getLogger(__name__)
_EVERY_S = 10.0


def _maybe(kind: str, title: str, description: str, **more: Any) -> Param:
    return Param(None, type=["null", kind], title=title, description=description, **more)


def _names(title: str, description: str, default: list[str] | None = None) -> Param:
    return Param(default, type=["null", "array"], items={"type": "string"}, title=title, description=description)


PARAMS: dict[str, Param] = {
    "experiment": Param("distill", type="string", title="Experiment", description="See: gem experiment list"),
    "profile": Param("smoke", type="string", title="Training profile", description="See: gem distill profiles"),
    "model": _maybe("string", "Base", "A folder or hub id instead of the profile's."),
    "kind": _maybe("string", "Kind", "Of model; empty: the profile's.", enum=[None, "agent", "synthesizer"]),
    "size": _maybe("integer", "Trajectories", "To train on at most; empty: the profile's.", minimum=1),
    "refined": _maybe("boolean", "Refined", "False trains on drafts."),
    "audited": Param(False, type="boolean", title="Audited only", description="Only versions that people passed."),
    "sources": _names("Sources", "Patterns, one a line; for cross-domain the first is A, the second B."),
    "seed": Param(0, type="integer", title="Seed"),
    "harnesses": _names("Harnesses", "Those that fit the model are run.", ["bfcl", "tau2", "synthesizer"]),
    "subset": Param("smoke", type="string", enum=["smoke", "full"], title="Cases"),
    "bfcl_ids": _names("BFCL cases", "Ids, one a line; empty: the subset."),
    "tau2_ids": _names("τ²-bench cases", "Such as airline/7, one a line; empty: the subset."),
    "epochs": _maybe("integer", "Tries per τ²-bench case", "Empty: 4, or the profile's.", minimum=1),
    "message_limit": _maybe("integer", "Messages of a τ²-bench conversation", "At most.", minimum=2),
    "texts": _maybe("integer", "Texts", "Held out, for a synthesizer, at most.", minimum=1),
    "max_tokens": _maybe("integer", "Tokens per answer", "At most.", minimum=1),
    "request_timeout_s": _maybe("number", "Seconds per answer", "At most.", exclusiveMinimum=0),
    "user_url": _maybe("string", "Customer's endpoint", "Who plays the user in τ²-bench."),
    "user_model": _maybe("string", "Customer's model", ""),
    "endpoint_url": _maybe("string", "Endpoint", "Measure this server instead of training and serving one."),
    "endpoint_model": _maybe("string", "Endpoint's model", ""),
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
        fresh = ledger.new_since_model(profile)
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
