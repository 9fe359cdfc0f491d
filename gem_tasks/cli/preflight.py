"""Checks before a run: the source has documents, and the models answer."""

from rich.markup import escape

from gem_tasks.cli.progress import shown
from gem_tasks.cli.terminal import Terminal
from gem_tasks.corpus.sources.listing import require_objects
from gem_tasks.errors import ErrorClass
from gem_tasks.pipeline.preflight.readiness import Ready, check_models, raise_for
from gem_tasks.pipeline.workspace import Workspace

_PASSING = ErrorClass.SERVER_ERROR
_LATER = "The error may be temporary, so the run starts and retries requests without an answer"
_KEYLESS = "No key is set here, but the workers may have one, so the run starts"


def preflight(work: Workspace, source: str, *, quiet: bool = False, elsewhere: bool = False) -> None:
    """Checks that the source has documents and that every model of the stages answers a short request.

    Args:
        work: workspace with the settings of the command.
        source: its address.
        quiet: show no progress and no warnings.
        elsewhere: the stages run in workers that may have a key that this process lacks, such as that of the Connection
            `gem_llm`; a missing key is then only a warning. A server error is always only a warning.

    Raises:
        UserError: a check failed; says how to fix it.
    """
    require_objects(source, work.settings.s3, work.settings.web)
    console = Terminal(stderr=True, quiet=quiet)
    if elsewhere and work.settings.llm_base_url is None:
        console.print("[yellow]![/] No LLM endpoint is set here, so none was tested: the workers use their own.")
        return
    with shown(quiet) as say:
        found = check_models(work.settings, work.store, lambda done, total: say("testing the models", done, total))
    unknown = [each for each in found if (elsewhere and _wants_key(each)) or each.error_class is _PASSING]
    raise_for([each for each in found if each not in unknown])
    for each in found:
        why = _LATER if each.error_class is _PASSING else _KEYLESS
        if said := "" if each.ok else f"{each.cause}. {why}":
            console.print(f"[yellow]![/] {escape(said)}", markup=True, highlight=False, soft_wrap=True)
        elif note := each.reply.note or each.hint:
            console.print(f"[yellow]![/] {escape(f'{each.model}: {note}')}", highlight=False, soft_wrap=True)


def _wants_key(found: Ready) -> bool:
    return found.keyless and found.error_class in {ErrorClass.AUTH, ErrorClass.FORBIDDEN}
