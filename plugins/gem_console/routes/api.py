"""The JSON API: the same values as on the pages, typed. The querying thread serialises them."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Response
from pydantic import BaseModel

from gem_console.reading import Reader, chain_of
from gem_console.routes.common import FiltersDep, ReaderDep, given
from gem_console.routes.queries import Cursor, DocumentQueryDep, FailureQueryDep, Limit, TrajectoryQueryDep
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
from gem_tasks.console.worlds import changes, execution, world
from gem_tasks.evals.in_use import InUse, in_use_by
from gem_tasks.lineage.console import ConsoleRows
from gem_tasks.live_apis.kept import KeptReport, kept_report
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.redaction import clean
from gem_tasks.visible import visible_json

router = APIRouter(tags=["read"])

MapIndex = Annotated[int | None, Query(ge=-1, le=2**31 - 1)]
Question = Callable[[ConsoleRows, Workspace], BaseModel | None]


class SynthesizerInUse(BaseModel):
    """What is known of the synthesizer; None if it is off."""

    in_use: InUse | None


async def _answer(reader: Reader, question: Question) -> Response:
    def ask(db: ConsoleRows, work: Workspace) -> str | None:
        found = question(db, work)
        return visible_json(clean(found.model_dump_json())) if found else None

    text = await reader.ask(ask)
    if text is None:
        raise HTTPException(404, "There is nothing with this id")
    return Response(text, media_type="application/json")


@router.get("/overview", response_model=overview.Overview)
async def get_overview(reader: ReaderDep, filters: FiltersDep) -> Response:
    """Funnel, work and money over time, partitions, failures by class, gate decisions."""
    return await _answer(reader, lambda db, work: overview.overview(db, filters, chain_of(db, work, filters.chain)[0]))


@router.get("/partitions/{key}", response_model=partition.Partition)
async def get_partition(reader: ReaderDep, key: str, chain: str = "") -> Response:
    """The progress of a partition by stage and shard, with pace and time left."""
    return await _answer(reader, lambda db, work: partition.partition(db, key, chain_of(db, work, given(chain))[0]))


@router.get("/synthesizer", response_model=SynthesizerInUse)
async def get_synthesizer(reader: ReaderDep) -> Response:
    """The synthesizer in the pipeline: cost and validity of both ways on the same texts, by group, and decisions."""

    def ask(db: ConsoleRows, work: Workspace) -> SynthesizerInUse:
        on = work.settings.synthesizer == "model"
        return SynthesizerInUse(in_use=in_use_by(work, db.synthesizer) if on else None)

    return await _answer(reader, ask)


@router.get("/documents", response_model=documents.DocumentPage)
async def get_documents(reader: ReaderDep, query: DocumentQueryDep) -> Response:
    """Documents, newest first."""
    return await _answer(reader, lambda db, _: documents.documents(db, query))


@router.get("/documents/{document_id}", response_model=documents.DocumentLife)
async def get_document(reader: ReaderDep, document_id: str) -> Response:
    """The history of a document, by its id or that of a segment or trajectory of it."""
    return await _answer(reader, lambda db, work: documents.document(db, work, document_id))


@router.get("/trajectories", response_model=trajectories.TrajectoryPage)
async def get_trajectories(reader: ReaderDep, query: TrajectoryQueryDep) -> Response:
    """Published trajectories, newest first."""
    return await _answer(reader, lambda db, _: trajectories.trajectories(db, query))


@router.get("/trajectories/{trajectory_id}", response_model=trajectory.TrajectoryView)
async def get_trajectory(reader: ReaderDep, trajectory_id: str) -> Response:
    """A published trajectory with its source, its draft, findings, and how it was made."""
    return await _answer(reader, lambda db, work: trajectory.by_id(db, work, trajectory_id))


@router.get("/refused", response_model=trajectories.RefusedPage)
async def get_refused(reader: ReaderDep, reason: str = "", cursor: Cursor = "", limit: Limit = 50) -> Response:
    """Trajectories that checks or judge refused, newest first."""
    return await _answer(reader, lambda db, _: trajectories.refused(db, given(reason), given(cursor), limit))


@router.get("/made/{recipe_id}/{segment_id}", response_model=trajectory.TrajectoryView)
async def get_made(reader: ReaderDep, recipe_id: str, segment_id: str) -> Response:
    """The results of a segment under a recipe, published or not."""
    return await _answer(reader, lambda db, work: trajectory.by_segment(db, work, segment_id, recipe_id))


@router.get("/made/{played_recipe}/{segment_id}/changes", response_model=changes.Changes)
async def get_changes(reader: ReaderDep, played_recipe: str, segment_id: str) -> Response:
    """What each step of an executed conversation changed in its world, from a replay."""
    return await _answer(reader, lambda db, work: execution.changes_of(db, work, segment_id, played_recipe))


@router.get("/worlds/{world_recipe}/{segment_id}", response_model=world.WorldView)
async def get_world(reader: ReaderDep, world_recipe: str, segment_id: str) -> Response:
    """The world that a recipe made of a segment, with its tasks and conversations."""
    return await _answer(reader, lambda db, work: world.world(db, work, segment_id, world_recipe))


@router.get("/prompts", response_model=prompts.Prompts)
async def get_prompts(reader: ReaderDep) -> Response:
    """Every used prompt with its recipes, their yields and costs."""
    return await _answer(reader, prompts.prompts)


@router.get("/prompts/{sha256}", response_model=prompts.PromptText)
async def get_prompt(reader: ReaderDep, sha256: str, against: str = "") -> Response:
    """The text of a prompt, and its difference from another version."""
    return await _answer(reader, lambda db, work: prompts.prompt(db, work, sha256, given(against)))


@router.get("/failures", response_model=failures.FailurePage)
async def get_failures(reader: ReaderDep, filters: FiltersDep, query: FailureQueryDep) -> Response:
    """Failures by class with their trend, and the newest failures."""
    return await _answer(reader, lambda db, work: failures.failures(db, work, filters, query, work.every_recipe_id()))


@router.get("/datasets", response_model=datasets.DatasetPage)
async def get_datasets(
    reader: ReaderDep,
    current: Annotated[bool, Query(description="Only versions that are not superseded.")] = True,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Response:
    """Dataset versions, newest first."""
    return await _answer(reader, lambda db, _: datasets.datasets(db, current, given(cursor), limit))


@router.get("/datasets/{version}", response_model=datasets.Dataset)
async def get_dataset(reader: ReaderDep, version: str) -> Response:
    """A version with its manifest, exclusions and audits."""
    return await _answer(reader, lambda db, _: datasets.dataset(db, version))


@router.get("/apis/{report_id}", response_model=KeptReport)
async def get_api_report(reader: ReaderDep, report_id: str) -> Response:
    """How a sample of trajectories fits a live API; the ids are on the page of datasets."""
    return await _answer(reader, lambda _, work: kept_report(work.store, report_id))


@router.get("/models", response_model=scores.Scores)
async def get_models(reader: ReaderDep) -> Response:
    """Trained models, their scores, and the paper's scores for reference."""
    return await _answer(reader, lambda db, _: scores.scores(db))


@router.get("/dialects", response_model=dialects.Dialects)
async def get_dialects(reader: ReaderDep) -> Response:
    """The request formats of models, as learned from calls."""
    return await _answer(reader, lambda _, work: dialects.dialects(work))


@router.get("/run", response_model=runs.Run)
async def get_run(reader: ReaderDep, run_id: str) -> Response:
    """The results of an Airflow run."""
    return await _answer(reader, lambda db, work: runs.run(db, run_id, chain_of(db, work, None)[1]))


@router.get("/task", response_model=runs.Task)
async def get_task(reader: ReaderDep, run_id: str, task_id: str, map_index: MapIndex = None) -> Response:
    """The results of a task instance."""
    return await _answer(reader, lambda db, _: runs.task(db, run_id, task_id, map_index))
