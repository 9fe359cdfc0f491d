"""The pages. Each queries and renders in a thread, and shows the same values as the API."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse

from gem_console import rendering, timeline
from gem_console.auth import MayActDep
from gem_console.reading import chain_of
from gem_console.routes.common import FiltersDep, ReaderDep, given, number, reader_of
from gem_console.routes.editor import NOTHING_WRITTEN, editor
from gem_console.routes.queries import Cursor, DocumentQueryDep, FailureQueryDep, TrajectoryQueryDep
from gem_tasks.console import (
    datasets,
    dialects,
    documents,
    failures,
    overview,
    partition,
    prompts,
    runs,
    scores,
    trajectories,
    trajectory,
)  # fmt: skip
from gem_tasks.console.vocabulary import DOMAINS, PLATFORMS, STATUSES
from gem_tasks.console.worlds import execution, world
from gem_tasks.domain.stage import STAGE_NAMES
from gem_tasks.domain.synthesis import OPENS
from gem_tasks.evals.in_use import DROP, in_use_by
from gem_tasks.lineage.console import ConsoleRows
from gem_tasks.live_apis.kept import kept_report, kept_reports
from gem_tasks.live_apis.report import said, verdict
from gem_tasks.pipeline.workspace import Workspace

router = APIRouter()

Make = Callable[[ConsoleRows, Workspace], dict[str, Any] | None]


async def _page(request: Request, template: str, make: Make) -> HTMLResponse:
    def ask(db: ConsoleRows, work: Workspace) -> HTMLResponse | None:
        values = make(db, work)
        return None if values is None else rendering.page(request, template, values)

    found = await reader_of(request).ask(ask)
    if found is None:
        raise HTTPException(404, "There is nothing with this id")
    return found


@router.get("/")
async def overview_page(request: Request, filters: FiltersDep) -> HTMLResponse:
    """Funnel, work and money over time."""

    def make(db: ConsoleRows, work: Workspace) -> dict[str, Any]:
        chain, every = chain_of(db, work, filters.chain)
        view = overview.overview(db, filters, chain)
        return {"view": view, "chain": chain, "chains": every, "filters": filters, "sources": db.documents.sources(),
                "stages": chain.stages if chain else STAGE_NAMES, "timeline": timeline.timeline(view),
                "synthesizer": work.settings.synthesizer == "model"}  # fmt: skip

    return await _page(request, "overview.html", make)


@router.get("/synthesizer")
async def synthesizer_page(request: Request) -> HTMLResponse:
    """What a synthesizer in the pipeline costs and saves, where it is good, and what was decided."""

    def make(db: ConsoleRows, work: Workspace) -> dict[str, Any]:
        on = work.settings.synthesizer == "model"
        return {"found": in_use_by(work, db.synthesizer) if on else None, "opens": OPENS, "limit": DROP}

    return await _page(request, "synthesizer.html", make)


@router.get("/partitions/{key}")
async def partition_page(request: Request, key: str, chain: str = "") -> HTMLResponse:
    """Progress of one partition."""

    def make(db: ConsoleRows, work: Workspace) -> dict[str, Any]:
        found, every = chain_of(db, work, given(chain))
        stages = found.stages if found else STAGE_NAMES
        return {"view": partition.partition(db, key, found), "chain": found, "chains": every, "stages": stages}

    return await _page(request, "partition.html", make)


@router.get("/documents")
async def documents_page(request: Request, query: DocumentQueryDep) -> HTMLResponse:
    """Search and list of documents."""

    def make(db: ConsoleRows, work: Workspace) -> dict[str, Any]:
        return {"view": documents.documents(db, query), "sources": db.documents.sources(), "domains": DOMAINS,
                "statuses": STATUSES}  # fmt: skip

    return await _page(request, "documents.html", make)


@router.get("/documents/{document_id}")
async def document_page(request: Request, document_id: str) -> HTMLResponse:
    """History of one document."""

    def make(db: ConsoleRows, work: Workspace) -> dict[str, Any] | None:
        life = documents.document(db, work, document_id)
        return {"view": life} if life else None

    return await _page(request, "document.html", make)


@router.get("/trajectories")
async def trajectories_page(request: Request, query: TrajectoryQueryDep) -> HTMLResponse:
    """Search and list of published trajectories."""

    def make(db: ConsoleRows, work: Workspace) -> dict[str, Any]:
        return {"view": trajectories.trajectories(db, query), "domains": DOMAINS, "platforms": PLATFORMS}

    return await _page(request, "trajectories.html", make)


@router.get("/refused")
async def refused_page(request: Request, reason: str = "", cursor: Cursor = "") -> HTMLResponse:
    """List of refused trajectories."""

    def make(db: ConsoleRows, work: Workspace) -> dict[str, Any]:
        return {"view": trajectories.refused(db, given(reason), given(cursor), 50)}

    return await _page(request, "refused.html", make)


@router.get("/trajectories/{trajectory_id}")
async def trajectory_page(
    request: Request, may_act: MayActDep, trajectory_id: str, show: str = "", text: str = ""
) -> HTMLResponse:
    """One published trajectory with its source, and forms for those who may change it."""

    def make(db: ConsoleRows, work: Workspace) -> dict[str, Any] | None:
        view = trajectory.by_id(db, work, trajectory_id)
        if view is None:
            return None
        more = editor(view, whole=bool(text)) if show == "edit" and may_act else {}
        if show == "changes":
            more = {"changes": execution.changes_of(db, work, view.segment_id, view.results[-1].recipe_id)}
        return {"view": view, "show": show, "may_act": may_act, **NOTHING_WRITTEN, **more}

    return await _page(request, "trajectory.html", make)


@router.get("/made/{recipe_id}/{segment_id}")
async def made_page(request: Request, recipe_id: str, segment_id: str, show: str = "") -> HTMLResponse:
    """The results of a segment, published or not."""

    def make(db: ConsoleRows, work: Workspace) -> dict[str, Any] | None:
        view = trajectory.by_segment(db, work, segment_id, recipe_id)
        if view is None:
            return None
        more = {"changes": execution.changes_of(db, work, segment_id, recipe_id)} if show == "changes" else {}
        return {"view": view, "show": show, "may_act": False, **NOTHING_WRITTEN, **more}

    return await _page(request, "trajectory.html", make)


@router.get("/worlds/{world_recipe}/{segment_id}")
async def world_page(request: Request, world_recipe: str, segment_id: str) -> HTMLResponse:
    """One world with its tables, code, rules, tasks and conversations."""

    def make(db: ConsoleRows, work: Workspace) -> dict[str, Any] | None:
        view = world.world(db, work, segment_id, world_recipe)
        return {"view": view} if view else None

    return await _page(request, "world.html", make)


@router.get("/prompts")
async def prompts_page(request: Request) -> HTMLResponse:
    """List of prompts that were used."""
    return await _page(
        request,
        "prompts.html",
        lambda db, work: {"view": prompts.prompts(db, work), "recipes": prompts.used_recipes(db, work)},
    )


@router.get("/prompts/{sha256}")
async def prompt_page(request: Request, sha256: str, against: str = "") -> HTMLResponse:
    """One prompt's text, and its difference from another version."""

    def make(db: ConsoleRows, work: Workspace) -> dict[str, Any] | None:
        view = prompts.prompt(db, work, sha256, given(against))
        return {"view": view} if view else None

    return await _page(request, "prompt.html", make)


@router.get("/failures")
async def failures_page(request: Request, filters: FiltersDep, query: FailureQueryDep) -> HTMLResponse:
    """Failures by class."""
    wanted = query.model_copy(update={"raw": bool(query.stage or query.error_class or query.raw)})

    def make(db: ConsoleRows, work: Workspace) -> dict[str, Any]:
        view = failures.failures(db, work, filters, wanted, work.every_recipe_id())
        return {"view": view, "filters": filters, "wanted": wanted, "sources": db.documents.sources()}

    return await _page(request, "failures.html", make)


@router.get("/datasets")
async def datasets_page(
    request: Request, every: Annotated[str, Query(alias="all")] = "", cursor: Cursor = ""
) -> HTMLResponse:
    """List of dataset versions, audits, models and dialects."""

    def make(db: ConsoleRows, work: Workspace) -> dict[str, Any]:
        view = datasets.datasets(db, not every, given(cursor), 50)
        apis, unread = kept_reports(work.store)
        more = {
            "audits": db.datasets.audits(None),
            "scores": scores.scores(db),
            "dialects": dialects.dialects(work).models,
            "apis": apis,
            "unread": unread,
        }
        return {"view": view, "every": bool(every), **more}

    return await _page(request, "datasets.html", make)


@router.get("/apis/{report_id}")
async def api_report_page(request: Request, report_id: str) -> HTMLResponse:
    """How a sample of trajectories fits a live API."""

    def make(db: ConsoleRows, work: Workspace) -> dict[str, Any] | None:
        del db
        kept = kept_report(work.store, report_id)
        return {"kept": kept, "verdict": verdict(kept.report), "said": said} if kept else None

    return await _page(request, "api_report.html", make)


@router.get("/datasets/{version}")
async def dataset_page(request: Request, version: str) -> HTMLResponse:
    """One dataset version with its manifest."""

    def make(db: ConsoleRows, work: Workspace) -> dict[str, Any] | None:
        view = datasets.dataset(db, version)
        return {"view": view, "paper": datasets.PAPER_MEANS, "stages": STAGE_NAMES} if view else None

    return await _page(request, "dataset.html", make)


@router.get("/run")
async def run_page(request: Request, reader: ReaderDep, run_id: str, dag_id: str = "") -> HTMLResponse:
    """The tab on a run."""

    def make(db: ConsoleRows, work: Workspace) -> dict[str, Any]:
        return {"view": runs.run(db, run_id, chain_of(db, work, None)[1]), "dag_id": dag_id}

    return await _page(request, "run.html", make)


@router.get("/task")
async def task_page(request: Request, run_id: str, task_id: str, dag_id: str = "", map_index: str = "") -> HTMLResponse:
    """The tab on a task instance."""
    found = number(map_index)
    index = found if found is not None and found >= 0 else None

    def make(db: ConsoleRows, work: Workspace) -> dict[str, Any]:
        return {"view": runs.task(db, run_id, task_id, index), "dag_id": dag_id}

    return await _page(request, "task.html", make)
