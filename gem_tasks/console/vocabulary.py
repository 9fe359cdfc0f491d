"""Values that the filters of the pages offer."""

from gem_tasks.console.documents import FAILED
from gem_tasks.domain.corpus import IngestReason
from gem_tasks.stages import vocabulary

DOMAINS = tuple(sorted(vocabulary.DOMAINS))
PLATFORMS = tuple(sorted(vocabulary.PLATFORMS))
STATUSES = ("read", FAILED, *(str(reason) for reason in IngestReason))
"""`read` documents have segments; `failed` documents have failed segments; the others are reasons for rejection."""
