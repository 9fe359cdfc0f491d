"""Decides whether an endpoint failed or the segments did, and explains faults to the person who configured it."""

from gem_tasks.domain.request_options import RequestOptions
from gem_tasks.domain.stage import StageName
from gem_tasks.errors import DOUBTFUL, EndpointError, ErrorClass, UserError
from gem_tasks.pipeline.shard.job import ShardJob
from gem_tasks.pipeline.shard.tally import Tally
from gem_tasks.pipeline.workspace import Workspace

_BROKEN_ENDPOINT_SHARE = 0.5
"""If a larger share of a partition's requests has no answer, the endpoint failed, not the segments."""
_FIXES = {
    ErrorClass.AUTH: "Set GEM_LLM_API_KEY (or that of the stage) to a valid key; `gem doctor` tests it.",
    ErrorClass.NO_CREDIT: "Add credit to the account behind GEM_LLM_API_KEY, or use another key.",
    ErrorClass.UNKNOWN_MODEL: "Check GEM_LLM_MODEL and GEM_LLM_BASE_URL (it usually ends in /v1), with `gem doctor`.",
    ErrorClass.FORBIDDEN: "Grant the key access to this model, or set another GEM_LLM_API_KEY or GEM_LLM_MODEL.",
    ErrorClass.CONTEXT_LENGTH: "Give the model a larger context (Ollama: num_ctx or OLLAMA_CONTEXT_LENGTH, vLLM:"
    " --max-model-len, llama.cpp: --ctx-size), set GEM_LLM_CONTEXT_WINDOW to its size in tokens, or cut smaller"
    " segments with GEM_SEGMENT_MAX_TOKENS.",
    ErrorClass.BAD_REQUEST: "Set GEM_LLM_MODEL and GEM_LLM_BASE_URL to a model and a server that accept such requests.",
    ErrorClass.CONNECTION: "Check that it is running. `gem up` starts the offline teacher; GEM_LLM_BASE_URL names"
    " another endpoint.",
    ErrorClass.TIMEOUT: "It did not answer in time: check that GEM_LLM_BASE_URL is correct and the model is loaded.",
}
_OTHER = "Check the endpoint's log; `gem doctor` tests whether it answers."


def explain(error: EndpointError, work: Workspace, stage: StageName) -> UserError:
    """One line for the person who configured the endpoint: its message, and what to do."""
    base_url, model = work.settings.endpoint_for(stage), work.settings.model_for(stage)
    return UserError(
        f"{base_url} cannot be used with model {model!r} for stage {stage} ({error.error_class}): {error.detail}",
        f"{fix_of(error)} Then rerun: no segment was marked as failed.",
    )


def fix_of(error: EndpointError) -> str:
    """What to do about an unusable endpoint."""
    if error.parameter and error.error_class is not ErrorClass.CONTEXT_LENGTH:
        name = f"GEM_LLM_{error.parameter.upper()}" if error.parameter in RequestOptions.model_fields else ""
        return f"Set or unset {name or 'GEM_LLM_EXTRA_BODY'} (or that of the stage), or set another GEM_LLM_MODEL."
    return _FIXES.get(error.error_class, _OTHER)


def raise_if_unfinished(job: ShardJob, tally: Tally) -> None:
    """Leaves transport failures to the next attempt; the last attempt accepts a few, which a later run retries.

    "A few" is measured over the whole partition, not over the open part: one segment that never gets an answer must not
    block the others for ever. Each run that ends without an answer to a segment counts, and after `set_aside_after`
    runs the failure is final. A run without any answer fails, unless it asked only for segments that an earlier run had
    left unanswered.

    Raises:
        EndpointError: the endpoint failed, not the segments.
        UserError: the same, and the endpoint refuses the requests.
    """
    if not tally.broken:
        return
    partition, recipe_id, last_try = job.place.partition, job.place.recipe_id, job.run.last_try
    with job.work.ledger() as ledger:
        state = ledger.stages.endpoint_state(partition, recipe_id, tally.broken, job.run)
        asked = state.answered + state.unanswered
        failed = state.unanswered > _BROKEN_ENDPOINT_SHARE * asked or (state.newly_unanswered and not last_try)
        if not failed:
            ledger.stages.count_failed_run(partition, recipe_id, tally.broken, job.work.settings.set_aside_after)
    silent = not (state.answered_by_run or tally.answered)
    if failed or (state.newly_unanswered and silent):
        error = tally.complaint(asked)
        raise explain(error, job.work, job.name) if error.error_class in DOUBTFUL else error
