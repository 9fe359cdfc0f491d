"""The prompts of a run: ours, and in their place those that lie where GEM_PROMPTS points.

They are read once per workspace. An Airflow run keeps the prompts that it began with (`pin`): its first task records
them in Postgres and the others take them from there, so that a file which is edited meanwhile neither splits the run's
chain of recipes nor is fetched again for every shard.
"""

import logging

from gem_tasks.domain.s3_access import S3Access
from gem_tasks.errors import StoreError, UserError
from gem_tasks.lineage import Ledger
from gem_tasks.ports import ObjectStore
from gem_tasks.prompts import NAMES, Prompt, PromptSet, shipped
from gem_tasks.prompts.contract import LARGEST_BYTES, BrokenContractError, parse_prompt
from gem_tasks.settings import Settings
from gem_tasks.stages import ASKED_FOR
from gem_tasks.store import open_store
from gem_tasks.store.local import LocalStore

logger = logging.getLogger(__name__)


def load_prompts(settings: Settings) -> PromptSet:
    """Those that are there now.

    Raises:
        UserError: GEM_PROMPTS points to no directory or bucket, or to none of our names, or a file breaks its contract.
        StoreError: the store does not answer.
    """
    ours = shipped()
    if not settings.prompts:
        return ours
    store = _open(settings.prompts, settings.s3)
    own = [prompt for name in NAMES if (prompt := _own(store, name))]
    if not own:
        names = ", ".join(f"{name}.md" for name in NAMES)
        raise UserError(f"GEM_PROMPTS: {settings.prompts} holds none of {names}", "Put one there, or unset it.")
    return ours.changed(*own)


def pin(settings: Settings, run: str) -> None:
    """Records the prompts that are there now as those of a run, unless it has some or all are ours.

    Args:
        settings: where prompts and lineage are.
        run: DAG and run id.

    Raises:
        UserError: as `load_prompts`; the lineage does not answer.
        StoreError: as `load_prompts`.
    """
    if not settings.prompts:
        return
    with Ledger(settings.database) as ledger:
        if not ledger.prompts.of_run(run):
            ledger.prompts.pin(run, load_prompts(settings).by_name.values())


def pinned(settings: Settings, run: str) -> PromptSet:
    """The prompts that a run began with; those that are there now if none are recorded.

    Args:
        settings: where prompts and lineage are.
        run: DAG and run id.

    Raises:
        UserError: as `load_prompts`; the lineage does not answer.
        StoreError: as `load_prompts`.
    """
    if not settings.prompts:
        return shipped()
    with Ledger(settings.database) as ledger:
        found = ledger.prompts.of_run(run)
    if not found:
        return load_prompts(settings)
    return PromptSet(by_name={prompt.name: prompt for prompt in found})


def check_prompt(name: str, data: bytes, origin: str) -> Prompt:
    """A prompt from a file.

    Raises:
        UserError: it breaks the contract of its name.
    """
    try:
        return parse_prompt(name, data, origin, ASKED_FOR.get(name, ()))
    except BrokenContractError as error:
        fix = f"`gem prompts show {name} --ours` shows one that works; docs/prompts.md says what is checked."
        raise UserError(f"{origin} cannot be the prompt {name}: {error}", fix) from None


def _open(url: str, access: S3Access) -> ObjectStore:
    try:
        store = open_store(url, access)
    except UserError:
        raise UserError(f"GEM_PROMPTS: {url!r} is neither a directory nor s3://bucket/prefix", "Correct it.") from None
    if isinstance(store, LocalStore) and not store.is_there():
        raise UserError(f"GEM_PROMPTS: there is no directory {store.url('')}", "Correct it, or unset it.")
    return store


def _own(store: ObjectStore, name: str) -> Prompt | None:
    """The user's file for a prompt, if there is one; a huge one is refused before it is read."""
    key = f"{name}.md"
    if (found := store.stat(key)) is None:
        return None
    origin = store.url(key)
    if found.size > LARGEST_BYTES:
        raise UserError(
            f"{origin} cannot be the prompt {name}: it has {found.size} bytes",
            f"A prompt has at most {LARGEST_BYTES}.",
        )
    try:
        prompt = check_prompt(name, store.get(key), origin)
    except KeyError:
        raise StoreError(f"{origin} went away while it was read") from None
    logger.info("prompt %s: %s (%s)", name, origin, prompt.sha256[:12])
    return prompt
