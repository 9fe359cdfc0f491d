"""The quotas in force: those of GEM_QUOTAS or of the run."""

from gem_tasks.domain.quota import KINDS, QuotaError, Quotas, parse_quotas
from gem_tasks.errors import UserError
from gem_tasks.settings import Settings
from gem_tasks.stages import vocabulary

_NAMES: dict[str, frozenset[str]] = dict(
    zip(KINDS, (vocabulary.DOMAINS, vocabulary.PLATFORMS, vocabulary.TASK_CATEGORIES), strict=True)
)


def quotas_of(settings: Settings) -> Quotas | None:
    """The quotas in force; None if none were given, and then held texts stay held.

    Raises:
        UserError: GEM_QUOTAS or `--quota` is wrong.
    """
    try:
        return parse_quotas([settings.quotas], _NAMES)
    except QuotaError as error:
        raise UserError(
            f"Quotas: {error}", "Correct GEM_QUOTAS or --quota; `gem quotas --help` has examples."
        ) from None
