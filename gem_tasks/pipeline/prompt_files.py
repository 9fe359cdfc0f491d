"""The prompts of a run: those of GEM, or files of the same name under GEM_PROMPTS.

They are read once per workspace. An Airflow run keeps the prompts that it started with (`pin`): its first task records
them in Postgres and the others read them there. So editing a file during a run does not split the run's chain of
recipes, and no file is fetched again for every shard.
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
    """Reads the current prompts.

    Raises:
        UserError: GEM_PROMPTS is not a directory or bucket, has no file of a known name, or a file breaks its contract.
        StoreError: the store does not answer.
    """
    ours = shipped()
    if not settings.prompts:
        return ours
    store = _open(settings.prompts, settings.s3)
    own = [prompt for name in NAMES if (prompt := _own(store, name))]
    if not own:
        names = ", ".join(f"{name}.md" for name in NAMES)
        raise UserError(
            f"GEM_PROMPTS: {settings.prompts} holds none of {names}", "Add one of these files, or unset GEM_PROMPTS."
        )
    return ours.changed(*own)


def pin(settings: Settings, run: str) -> None:
    """Records the current prompts as those of a run, unless it has some or all are GEM's own.

    Args:
        settings: the addresses of prompts and lineage.
        run: DAG and run id.

    Raises:
        UserError: as `load_prompts`, or the lineage database does not answer.
        StoreError: as `load_prompts`.
    """
    if not settings.prompts:
        return
    with Ledger(settings.database) as ledger:
        if not ledger.prompts.of_run(run):
            ledger.prompts.pin(run, load_prompts(settings).by_name.values())


def pinned(settings: Settings, run: str) -> PromptSet:
    """The prompts that a run started with; the current ones if none are recorded.

    Args:
        settings: the addresses of prompts and lineage.
        run: DAG and run id.

    Raises:
        UserError: as `load_prompts`, or the lineage database does not answer.
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
    """Reads a prompt from the bytes of a file.

    Raises:
        UserError: it breaks the contract of its name.
    """
    try:
        return parse_prompt(name, data, origin, ASKED_FOR.get(name, ()))
    except BrokenContractError as error:
        fix = f"`gem prompts show {name} --ours` shows one that works; docs/prompts.md lists the requirements."
        raise UserError(f"{origin} cannot be the prompt {name}: {error}", fix) from None


def _open(url: str, access: S3Access) -> ObjectStore:
    try:
        store = open_store(url, access)
    except UserError:
        raise UserError(f"GEM_PROMPTS: {url!r} is neither a directory nor s3://bucket/prefix", "Correct it.") from None
    if isinstance(store, LocalStore) and not store.is_there():
        raise UserError(f"GEM_PROMPTS: the directory {store.url('')} does not exist", "Correct it, or unset it.")
    return store


def _own(store: ObjectStore, name: str) -> Prompt | None:
    """The user's file for a prompt, if there is one; an oversized file is refused before it is read."""
    key = f"{name}.md"
    if (found := store.stat(key)) is None:
        return None
    origin = store.url(key)
    if found.size > LARGEST_BYTES:
        raise UserError(
            f"{origin} cannot be the prompt {name}: it has {found.size} bytes",
            f"Shorten it to {LARGEST_BYTES} bytes or less.",
        )
    try:
        prompt = check_prompt(name, store.get(key), origin)
    except KeyError:
        raise StoreError(f"{origin} was deleted while GEM read it") from None
    logger.info("prompt %s: %s (%s)", name, origin, prompt.sha256[:12])
    return prompt
