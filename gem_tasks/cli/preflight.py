"""What is cheaper to find out before a run than in its logs."""

import asyncio

from gem_tasks.corpus.sources import list_objects
from gem_tasks.errors import EndpointError, ErrorClass, UserError
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.settings import STAGE_NAMES

_MENDS = {
    ErrorClass.AUTH: "Set GEM_LLM_API_KEY to a valid key.",
    ErrorClass.CONNECTION: "Is it running? `gem up` starts the offline teacher; GEM_LLM_BASE_URL names another.",
    ErrorClass.UNKNOWN_MODEL: "GEM_LLM_BASE_URL must end where /chat/completions follows, usually in /v1.",
}


def check_source(source: str) -> None:
    """Whether the source exists and has something to read.

    Raises:
        UserError: it does not.
    """
    next(iter(list_objects(source)))


def check_endpoint(work: Workspace) -> None:
    """Whether the endpoint answers, takes the key and knows the models of all stages.

    Raises:
        UserError: it does not.
    """
    base_url = work.settings.endpoint
    try:
        offered = asyncio.run(_models(work))
    except EndpointError as error:
        mend = _MENDS.get(error.error_class, "See `gem doctor`.")
        raise UserError(f"The LLM endpoint {base_url} cannot be used ({error})", mend) from error
    wanted = {name: work.settings.model_for(name) for name in STAGE_NAMES}
    for stage, model in wanted.items():
        if offered and model not in offered:
            raise UserError(
                f"The LLM endpoint {base_url} has no model {model!r} (for stage {stage})",
                f"Set GEM_LLM_MODEL or GEM_LLM_MODEL_{stage.upper()} to one of: {', '.join(offered[:20])}.",
            )


async def _models(work: Workspace) -> list[str]:
    async with work.client() as client:
        return await client.models()
