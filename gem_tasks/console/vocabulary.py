"""What the pages' filters offer."""

from gem_tasks.console.documents import FAILED
from gem_tasks.domain.corpus import IngestReason
from gem_tasks.stages import vocabulary

DOMAINS = tuple(sorted(vocabulary.DOMAINS))
PLATFORMS = tuple(sorted(vocabulary.PLATFORMS))
STATUSES = ("read", FAILED, *(str(reason) for reason in IngestReason))
"""`read` documents were cut into segments; `failed` ones have segments that failed; the rest is why not."""
