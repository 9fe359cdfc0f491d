"""Where journals are kept, on disk and in the store: one per unfinished shard, and one per recipe for estimates."""

from gem_tasks.lineage import Place
from gem_tasks.pipeline.journal.journal import Journal
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.store import keys


def shard_journal(work: Workspace, place: Place) -> Journal:
    """The journal of an unfinished shard; nothing is read or written yet.

    It includes the answers of estimates, so their requests are not sent again.
    """
    prefix = keys.journal_prefix(place.recipe_id, place.partition, place.shard)
    return _journal(work, prefix, keys.sample_prefix(place.recipe_id))


def sample_journal(work: Workspace, recipe_id: str) -> Journal:
    """The journal of a stage's estimates."""
    return _journal(work, keys.sample_prefix(recipe_id))


def _journal(work: Workspace, prefix: str, beside: str = "") -> Journal:
    folder = work.settings.home.absolute() / prefix
    return Journal(folder, work.store, prefix, work.settings.journal_every_s, beside)
