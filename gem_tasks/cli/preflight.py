"""What is cheaper to find out before a run than in its logs."""

from rich.markup import escape

from gem_tasks.cli.progress import shown
from gem_tasks.cli.terminal import Terminal
from gem_tasks.corpus.sources import list_objects
from gem_tasks.errors import ErrorClass
from gem_tasks.pipeline.preflight.readiness import Ready, check_models, raise_for
from gem_tasks.pipeline.workspace import Workspace

_PASSING = ErrorClass.SERVER_ERROR
_LATER = "That may pass, so the run starts: what gets no answer is asked again"
_KEYLESS = "No key is set here; the workers may have one, so the run starts"


def preflight(work: Workspace, source: str, *, quiet: bool = False, elsewhere: bool = False) -> None:
    """Whether the source has something to read, and every model of the stages answers a small question.

    Args:
        work: with the settings of the edge.
        source: its address.
        quiet: show no progress and no warnings.
        elsewhere: the stages run where there may be a key that is not known here, such as that of the Connection
            `gem_llm`: that a model wants one is then no reason to stop. Neither is a server error, anywhere.

    Raises:
        UserError: one of them does not; says what to do.
    """
    next(list_objects(source, access=work.settings.s3))
    console = Terminal(stderr=True, quiet=quiet)
    if elsewhere and work.settings.llm_base_url is None:
        console.print("[yellow]![/] No LLM endpoint is set here, so none was asked: the workers' own is used.")
        return
    with shown(quiet) as say:
        found = check_models(work.settings, work.store, lambda done, total: say("asking the models", done, total))
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
