"""Trains a model in the environment `envs/train` and records it.

The folder of a run is `GEM_HOME/distill/{model id}`: data, checkpoints, metrics, TensorBoard. The id follows from
profile and set, so the same command after a kill finds the same folder and resumes from the newest complete checkpoint,
and after success finds the model in Postgres and trains nothing.
"""

import json
import os
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, TypeAdapter

from gem_tasks.confine.job import Job, SandboxMode
from gem_tasks.confine.results import printable, require_plain
from gem_tasks.distill import sets
from gem_tasks.distill.base import environment, library_folders, limits, reads
from gem_tasks.distill.formats import Conversation
from gem_tasks.distill.formats.conversation import without_thought
from gem_tasks.distill.formats.openai_messages import trl
from gem_tasks.distill.inspection.require import require_loadable
from gem_tasks.distill.packaged import weights_of
from gem_tasks.distill.profiles import Profile
from gem_tasks.distill.trust import refuse_code
from gem_tasks.domain.base import Json
from gem_tasks.domain.distill import Model, SftSet, Split
from gem_tasks.errors import GemError, UserError
from gem_tasks.evals.child import HarnessError, events, reading
from gem_tasks.evals.environment import ensure
from gem_tasks.evals.progress import Progress, silent
from gem_tasks.files import json_line, replacing
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.resources import shipped
from gem_tasks.store import keys

_TARGETS = "arguments are objects"
"""Identifies the training targets: if they change for the same set, earlier models get other ids."""
_LIMIT_S = 14 * 24 * 3600.0
_COMPLAINT = "gem: "
_MOST_BYTES, _MOST_RESULT = 1 << 40, 1 << 20
"""Of any file that a training leaves, and of its result."""
_NOTES = "training/"
"""Where the store has a training's metrics and result beside the weights."""
_RESULT = TypeAdapter(dict[str, bool | int | float | Annotated[str, AfterValidator(printable)] | None])


def model_id(profile: Profile, found: SftSet, *, base_only: bool = False) -> str:
    """Sixteen hex characters over everything that determines the weights."""
    parts = [profile.sha256, found.set_id, "base" if base_only else _TARGETS]
    return sha256("\0".join(parts).encode()).hexdigest()[:16]


def train(
    work: Workspace,
    profile: Profile,
    found: SftSet,
    *,
    base_only: bool = False,
    run_id: str | None = None,
    progress: Progress = silent,
) -> Model:
    """Trains on a set, or finds the model that was trained on it before.

    Args:
        work: workspace with sets and models.
        profile: the training profile.
        found: the set to train on.
        base_only: only fetches the base, which is evaluated like a trained model.
        run_id: id of the Airflow run, for the lineage.
        progress: receives each step.

    Raises:
        UserError: the weights cannot be had or may not be loaded, the profile does not fit, or another process trains
            the same.
        GemError: the training ended with an error.
    """
    refuse_code(profile, work.settings.trust_remote_code)
    key = model_id(profile, found, base_only=base_only)
    if known := _known(work, key):
        progress(f"{known.name} {key} is already trained", 1, 1)
        return known
    folder = run_folder(work, key)
    folder.mkdir(parents=True, exist_ok=True)
    require_plain(folder)  # an earlier training has written here
    base = weights_of(profile.model.path, work.settings, progress) if profile.model.path else None
    if base:
        _require_loadable(work, base, profile.base)
    _write_data(work, found, folder, reasoning=profile.reasoning and not base_only)
    path = folder / "job.json"
    with replacing(path) as part:
        part.write_text(json.dumps(_job(profile, folder, base_only, base), indent=1), encoding="utf-8")
    python = ensure(work.settings.home, "train", progress)
    command = _command(profile, python, path, base_only)
    _follow(_confined(profile, command, folder, base), folder, progress, work.settings.sandbox)
    result = _result(folder)
    model = Model(
        model_id=key,
        name=profile.name if not base_only else f"{profile.name}-base",
        base=profile.base,
        profile=profile.name,
        profile_sha256=profile.sha256,
        set_id=None if base_only else found.set_id,
        location=_keep(work, key, folder, profile.base, progress),
        status="kept" if base_only else "candidate",
        metrics={"profile": profile.model_dump(exclude={"name"}), **result},
    )
    with work.ledger() as ledger:
        ledger.distill.record_model(model, run_id)
    return model


def require_machine(profile: Profile) -> None:
    """Checks, before anything is built, that this machine can train the profile.

    Raises:
        UserError: it needs GPUs, but this machine has none.
    """
    if profile.launch and not _gpus():
        raise UserError(
            f"The profile {profile.name} needs GPUs ({profile.launch}), but this machine has none",
            "Run it on a machine with GPUs, or choose another profile: gem distill profiles",
        )


def run_folder(work: Workspace, key: str) -> Path:
    """The folder of a run's data and checkpoints."""
    return work.settings.home.absolute() / "distill" / key


def weights(work: Workspace, model: Model, progress: Progress = silent) -> str:
    """A local folder with the model's weights; downloads them from the store or the hub if necessary.

    Raises:
        UserError: they cannot be had, or no program may load them.
    """
    if not model.location.startswith(work.store.url(keys.model_key(model.model_id, ""))):
        folder = weights_of(model.location, work.settings, progress)
        _require_loadable(work, folder, model.location)
        return str(folder)
    folder = run_folder(work, model.model_id) / "served"
    if not (folder / ".complete").exists():
        prefix = keys.model_key(model.model_id, "")
        names = [name for key in work.store.list(prefix) if not (name := key.removeprefix(prefix)).startswith(_NOTES)]
        for number, name in enumerate(names):
            progress(f"fetch {name}", number, len(names))
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            work.download(f"{prefix}{name}", path)
        (folder / ".complete").touch()
    shutil.rmtree(folder / _NOTES, ignore_errors=True)  # fetched by earlier versions
    for path in (folder, *folder.rglob("*")):  # the user of the sandbox reads them; the folders above are ours alone
        path.chmod(0o755 if path.is_dir() else 0o644)
    _require_loadable(work, folder, model.name)
    return str(folder)


def _require_loadable(work: Workspace, folder: Path, name: str) -> None:
    own = work.settings
    require_loadable(folder, name, trusted=own.trust_remote_code, sandbox=own.sandbox)


def find(work: Workspace, prefix: str) -> Model:
    """The newest model whose id or name has this prefix.

    Raises:
        UserError: there is none.
    """
    with work.ledger() as ledger:
        found = ledger.distill.find_models(prefix, limit=1)
    if not found:
        raise UserError(f"No model begins with {prefix!r}", "See: gem distill models")
    return found[0]


def _known(work: Workspace, key: str) -> Model | None:
    with work.ledger() as ledger:
        return next(iter(ledger.distill.find_models(key, limit=1)), None)


def _job(profile: Profile, folder: Path, base_only: bool, base: Path | None = None) -> Json:
    sft = dict(profile.sft)
    if profile.batch:
        each = int(sft.get("per_device_train_batch_size", 1)) * (_gpus() or 1 if profile.launch else 1)
        sft["gradient_accumulation_steps"] = max(1, profile.batch // each)
    return {
        **profile.model_dump(
            include={"kind", "chat_template", "too_long", "reasoning", "max_cpu_minutes", "lora", "seed", "model"}
        ),
        "sft": sft,
        **({"model": {"path": str(base)}} if base else {}),
        "run": str(folder),
        "train": str(folder / "data" / "train.jsonl"),
        "validation": str(folder / "data" / "validation.jsonl"),
        "base_only": base_only,
    }


def _write_data(work: Workspace, found: SftSet, folder: Path, *, reasoning: bool) -> None:
    """Writes both splits as JSONL for TRL, with thoughts or without.

    Raises:
        UserError: thoughts are wanted, but no conversation has one.
    """
    splits: tuple[Split, ...] = ("train", "validation")
    thoughts = 0
    for split in splits:
        path = folder / "data" / f"{split}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as part, part.open("w", encoding="utf-8") as file:
            for row in sets.read(work, found, split):
                messages: list[Json] = json.loads(row["messages"])
                if not reasoning:
                    messages = [without_thought(message) for message in messages]
                thoughts += sum("reasoning_content" in message for message in messages)
                line = trl(Conversation(messages, json.loads(row["tools"])))
                file.write(json_line({name: line[name] for name in ("messages", "tools")}))
    if reasoning and not thoughts:
        raise UserError(
            f"The profile trains on thoughts, but no conversation of the set {found.set_id} has one",
            "Make conversations with GEM_REASONING=ask, or set `reasoning: false` in the profile.",
        )


def _command(profile: Profile, python: Path, job: Path, base_only: bool) -> list[str]:
    folder = shipped("envs") / "train"
    script = [str(folder / "sft.py"), str(job)]
    if profile.launch is None or base_only:
        return [str(python), *script]
    config = folder / "accelerate" / f"{profile.launch}.yaml"
    accelerate = python.with_name("accelerate")
    return [str(accelerate), "launch", "--config_file", str(config), "--num_processes", str(_gpus()), *script]


def _gpus() -> int:
    """Number of NVIDIA GPUs, without torch, which is not in this environment."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return len([each for each in visible.split(",") if each.strip() not in ("", "-1")])
    return len(list(Path("/proc/driver/nvidia/gpus").glob("*"))) if shutil.which("nvidia-smi") else 0


def _confined(profile: Profile, command: list[str], folder: Path, base: Path | None) -> Job:
    gpus = _gpus() > 0
    own = {"TENSORBOARD_LOGGING_DIR": str(folder / "tensorboard"), "HF_DATASETS_CACHE": str(folder / "data" / "cache")}
    return Job(
        command=tuple(command),
        folder=folder,
        reads=(shipped("envs") / "train", *(reads(base) if base else ()), *(library_folders() if gpus else ())),
        environment={**environment(), **own, "HF_HOME": str(folder / "data" / "hub")},
        gpus=gpus,
        parallel=True,
        clustered=profile.launch is not None,
        limits=limits(gpus),
    )


def _follow(job: Job, folder: Path, progress: Progress, sandbox: SandboxMode) -> None:
    """Runs the training to its end.

    Raises:
        UserError: the script reports a fault that a person can fix.
        GemError: it ended with an error of another kind.
    """
    log = folder / "train.log"
    try:
        for event in events(job, log, _LIMIT_S, sandbox):
            _tell(event, progress)
    except HarnessError as error:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        said = next((line.removeprefix(_COMPLAINT) for line in reversed(lines) if line.startswith(_COMPLAINT)), None)
        if said:
            cause, _, fix = said.partition(". ")
            raise UserError(cause[:500], fix[:500]) from None
        raise GemError(f"The training failed: {error}") from None


def _result(folder: Path) -> Json:
    """The events of the training.

    Raises:
        HarnessError: another program wrote it.
    """
    path = folder / "result.json"
    with reading(path.parent, _MOST_BYTES):
        if path.stat().st_size > _MOST_RESULT:
            raise ValueError("too large")
        found = json.loads(
            path.read_text(encoding="utf-8"), parse_constant=lambda _: None
        )  # Postgres has no NaN in JSON
        return _RESULT.validate_python(found)


def _tell(event: Json, progress: Progress) -> None:
    match event:
        case {"event": "start", "rows": int(rows), "dropped": int(dropped), "resumed_from": resumed}:
            where = f", resuming from {str(resumed)[:100]}" if resumed else ""
            progress(f"train on {rows} rows ({dropped} too long){where}", 0, 0)
        case {"event": "note", "note": str(note)}:
            progress(note[:500], 0, 0)
        case {"event": "log", "loss": int() | float() as loss, "step": int(step), "of": int(of)}:
            progress(f"train: loss {loss:.3f}", step, of)
        case _:
            pass


def _keep(work: Workspace, key: str, folder: Path, base: str, progress: Progress) -> str:
    """Uploads the weights and returns their key; weights of external base models are not copied."""
    made = folder / ("base" if (folder / "base").is_dir() and not (folder / "model").is_dir() else "model")
    if not made.is_dir():
        return base
    _require_loadable(work, made, f"what the training of {base} left")
    files = sorted(path for path in made.rglob("*") if path.is_file())
    for number, path in enumerate(files):
        progress(f"store {path.name}", number, len(files))
        work.store.put(keys.model_key(key, path.relative_to(made).as_posix()), path)
    for name in ("metrics.jsonl", "result.json", "job.json"):
        if (folder / name).exists():
            work.store.put(keys.model_key(key, f"{_NOTES}{name}"), folder / name)
    return work.store.url(keys.model_key(key, ""))
