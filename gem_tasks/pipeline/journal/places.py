"""Where the journals of a home and its store lie: one per unfinished shard, one per recipe for what estimates asked."""

from gem_tasks.lineage import Place
from gem_tasks.pipeline.journal.journal import Journal
from gem_tasks.pipeline.workspace import Workspace
from gem_tasks.store import keys


def shard_journal(work: Workspace, place: Place) -> Journal:
    """The journal of an unfinished shard; nothing is read or written yet.

    It has the answers of estimates, too: what these asked is not asked again.
    """
    prefix = keys.journal_prefix(place.recipe_id, place.partition, place.shard)
    return _journal(work, prefix, keys.sample_prefix(place.recipe_id))


def sample_journal(work: Workspace, recipe_id: str) -> Journal:
    """The journal of what estimates asked of a stage."""
    return _journal(work, keys.sample_prefix(recipe_id))


def _journal(work: Workspace, prefix: str, beside: str = "") -> Journal:
    folder = work.settings.home.absolute() / prefix
    return Journal(folder, work.store, prefix, work.settings.journal_every_s, beside)
