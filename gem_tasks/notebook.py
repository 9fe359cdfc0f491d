"""The public functions for notebooks and scripts; `gem_tasks` exports them. They block, even if an event loop runs."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from hashlib import sha256
from os import PathLike
from pathlib import Path
from typing import NamedTuple, TypeVar

from pydantic import SecretStr

from gem_tasks.corpus.sources.trees import file_uri
from gem_tasks.dataset.export import export_openai, published
from gem_tasks.distill.files import write_published
from gem_tasks.distill.formats import FORMATS
from gem_tasks.domain.base import Json, Value
from gem_tasks.domain.corpus import Source
from gem_tasks.domain.partition import partition_of
from gem_tasks.errors import ErrorClass, UserError
from gem_tasks.in_process import synthesize_partition
from gem_tasks.lineage.reports import DocumentLineage, RecordedSegment
from gem_tasks.lint import CheckedRow, Columns, check_rows
from gem_tasks.local import services
from gem_tasks.pipeline.ingest.source import ingest
from gem_tasks.pipeline.preflight.readiness import check_models, raise_for
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.redaction import know
from gem_tasks.settings import Settings, load

Result = TypeVar("Result")


class LeftOut(Value):
    """A segment, or a whole text, without a trajectory."""

    segment_id: str | None
    """None for a whole text, which ingestion rejected."""
    stage: str
    """The step at which it ended: `ingest`, a stage, or `publish`."""
    outcome: str
    """`rejected` or `failed`."""
    reason: str
    """Reason of a rejection, such as `duplicate` or `check_grounding`, or class of a failure, such as `malformed`."""
    detail: str


class Synthesized(Value):
    """The results of one text."""

    document_id: str
    trajectories: tuple[Json, ...]
    """`{"messages", "tools", "metadata"}`, in the Chat Completions format; up to one for each workflow and rollout of a
    segment."""
    left_out: tuple[LeftOut, ...]
    """Every segment without any trajectory, and why."""


class Exported(NamedTuple):
    """A file that was written."""

    path: Path
    rows: int
    left_out: int
    """Trajectories that the format cannot express."""


def synthesize(
    texts: Iterable[str],
    *,
    settings: Settings | None = None,
    base_url: str | None = None,
    model: str | None = None,
    api_key: str | None = None,
    pass_reviews: bool = False,
) -> list[Synthesized]:
    """Makes trajectories from texts in this process, through the pipeline of `gem synth`.

    GEM keeps the texts and all results in GEM_HOME (default `.gem`): a text that was synthesized before under the same
    prompts, models and code costs nothing.

    Args:
        texts: Markdown or plain text.
        settings: database, store and models. None starts PostgreSQL, and the offline teacher if it is installed,
            under GEM_HOME, as `gem synth` does; otherwise `postgres_dsn` must name a running database.
        base_url: OpenAI-compatible endpoint, instead of that of the settings.
        model: its model, instead of that of the settings.
        api_key: its key, instead of that of the settings.
        pass_reviews: continue where a quality gate would ask a person.

    Returns:
        One result for each text, in the order of the texts.

    Raises:
        UserError: a model does not answer, or a setting does not fit; the message says how to fix it.
        GemError: a quality gate halted, or GEM could not complete a partition.
    """
    # Broken JSON may leave half a surrogate pair, which cannot be stored.
    given = [text.encode(errors="replace") for text in texts]
    return _in_thread(lambda: _synthesize(given, _settings(settings, base_url, model, api_key), pass_reviews))


def check(rows: Iterable[Json], *, format: str | None = None, text_column: str = "source_text") -> list[CheckedRow]:
    """Checks conversations with tools, as `gem check` does: no services, no network.

    Args:
        rows: dictionaries as `json`, `datasets` or `pyarrow` give them, or the trajectories of `synthesize`.
        format: one of `gem_tasks.lint.FORMATS`; None recognizes the format of each row by its columns.
        text_column: column with the source text of a conversation.

    Returns:
        One result for each row, in the order of the rows: `id`, `origin`, `format`, and `findings` with check, kind,
        severity (`error`, `open` or `warning`), message, path and detail. A row that cannot be read has one finding.
    """
    return list(check_rows(rows, format_=format, columns=Columns(text=text_column)))


def export(
    out: str | PathLike[str],
    *,
    format: str = "openai",
    partition: str | None = None,
    settings: Settings | None = None,
) -> Exported:
    """Writes the published trajectories to a file for training, as `gem export` does.

    Args:
        out: folder; created if it does not exist.
        format: `openai`, or one of `gem_tasks.distill.formats.FORMATS`.
        partition: only this one, such as `2026-01-31T14:00`.
        settings: database and store; default: `load()`.

    Raises:
        UserError: nothing is published, the format is unknown, or the folder cannot be written.
    """
    if format not in ("openai", *FORMATS):
        raise UserError(f"There is no export format {format!r}", f"Choose one of: openai, {', '.join(FORMATS)}.")
    work, folder = Workspace.open(settings or load()), Path(out)
    if format == "openai":
        path, rows = export_openai(work, folder, partition)
        return Exported(path, rows, 0)
    written = write_published(work, format, folder, partition)
    return Exported(written.path, written.rows, written.left_out)


def _settings(given: Settings | None, base_url: str | None, model: str | None, api_key: str | None) -> Settings:
    if given is None:
        services.up(airflow=False)
        given = load()
    know("api_key", api_key)
    changes = {"llm_base_url": base_url, "llm_model": model, "llm_api_key": SecretStr(api_key) if api_key else None}
    return given.model_copy(update={name: value for name, value in changes.items() if value})


def _synthesize(texts: Sequence[bytes], settings: Settings, pass_reviews: bool) -> list[Synthesized]:
    work = Workspace.open(settings)
    asked = check_models(work.settings, work.store)
    raise_for([each for each in asked if each.error_class is not ErrorClass.SERVER_ERROR])  # these may be temporary
    folder = settings.home.absolute() / "texts"
    uris = [_kept(folder, text) for text in texts]
    if not uris:
        return []
    ingest(work, Source(uri=str(folder)), partition_of(datetime.now(UTC)))
    for partition in sorted({each.partition_key for each in _lives(work, uris).values() for each in each.segments}):
        synthesize_partition(work, partition, pass_reviews=pass_reviews)
    lives = _lives(work, uris)
    partitions = {segment.partition_key for life in lives.values() for segment in life.segments}
    made = {row["metadata"]["trajectory_id"]: row for row in published(work, *sorted(partitions))} if partitions else {}
    return [_synthesized(work, lives[uri], made) for uri in uris]


def _kept(folder: Path, text: bytes) -> str:
    """The address of a text's file, named by its content: the same text is always one document."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{sha256(text).hexdigest()[:24]}.md"
    if not path.exists():
        path.write_bytes(text)
    return file_uri(str(path))


def _lives(work: Workspace, uris: Iterable[str]) -> dict[str, DocumentLineage]:
    with work.ledger() as ledger:
        return {uri: life for uri in set(uris) if (life := ledger.reports.lineage(uri))}


def _synthesized(work: Workspace, life: DocumentLineage, made: Mapping[str, Json]) -> Synthesized:
    trajectories: list[Json] = []
    left_out: list[LeftOut] = []
    if life.reason:
        left_out.append(
            LeftOut(segment_id=None, stage="ingest", outcome="rejected", reason=life.reason, detail=life.detail)
        )
    for segment in life.segments:
        found = [made[each.trajectory_id] for each in segment.trajectories if each.trajectory_id in made]
        trajectories += found
        if not found:
            left_out.append(_left_out(segment, work.recipe_ids()))
    return Synthesized(document_id=life.document_id, trajectories=tuple(trajectories), left_out=tuple(left_out))


def _left_out(segment: RecordedSegment, recipe_ids: Sequence[str]) -> LeftOut:
    """By the last current stage that has an outcome; one that all accepted was left out of the dataset."""
    current = {each.recipe_id: each for each in segment.outcomes}
    last = next((current[key] for key in reversed(recipe_ids) if key in current), None)
    ended = last is not None and last.outcome != "accepted"
    return LeftOut(
        segment_id=segment.segment_id,
        stage=last.stage if last and ended else "publish",
        outcome=last.outcome if last and ended else "rejected",
        reason=(last.reason or last.error_class or "") if last and ended else "excluded",
        detail=last.detail if last and ended else "",
    )


def _in_thread(job: Callable[[], Result]) -> Result:
    """Runs a job in another thread, because a notebook's thread already runs an event loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(job).result()
